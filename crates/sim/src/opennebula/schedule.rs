//! What the server does with VMs by itself: find them a host, and carry out what was scheduled.

use std::time::Duration;

use vmpool_model::{
    Timestamp,
    states::opennebula::{LcmState as Lcm, VmState},
};

use super::{
    clock::{seconds, written},
    cloud::Cloud,
    place::Place,
    rights::Caller,
    template::Attributes,
    vm::{Scheduled, Vm},
    wire::{ACTION, Failure, refuse},
};

/// How long the server waits before it tries again what was refused.
const AGAIN: Duration = Duration::from_secs(15);

impl Cloud {
    /// Places a pending VM on a host, or says why there is none.
    pub(crate) fn find_host(&mut self, vm: &mut Vm, at: Timestamp, now: Timestamp) {
        let free = self.hosts.values().filter(|host| host.state == 2 && host.has_room(vm));
        match free.min_by_key(|host| (host.vms.len(), host.id)).map(|host| host.id) {
            Some(host) => {
                vm.user_template.remove("SCHED_MESSAGE");
                self.deploy(vm, host, at);
            }
            None => {
                let what = "Cannot dispatch VM: No host with enough capacity to deploy the VM";
                vm.user_template.set("SCHED_MESSAGE", format!("{}: {what}", written(now)));
                vm.since = now;
            }
        }
    }

    /// Brings a VM to a host.
    pub(crate) fn deploy(&mut self, vm: &mut Vm, host: i32, at: Timestamp) {
        let from = match vm.place.state {
            state @ (VmState::Stopped | VmState::Undeployed) => Some(state),
            _ => vm.comes_from.take(),
        };
        self.place_on(vm, Some(host));
        self.open(vm, host, at);
        vm.template.set("TM_MAD_SYSTEM", "dummy");
        let lcm = match from {
            Some(VmState::Stopped) => Lcm::PrologResume,
            Some(VmState::Undeployed) => Lcm::PrologUndeploy,
            _ => Lcm::Prolog,
        };
        self.enter(vm, Place::active(lcm), at);
    }

    /// Returns the scheduled action that comes next, and when.
    pub(crate) fn next_scheduled(vm: &Vm) -> Option<(usize, Timestamp)> {
        if vm.is_done() {
            return None;
        }
        let open = vm.scheduled.iter().enumerate().filter(|(_, action)| action.done_at.is_none());
        open.map(|(index, action)| (index, action.again_at.unwrap_or(action.at))).min_by_key(|(_, at)| *at)
    }

    /// Carries out a scheduled action, with the rights of an administrator.
    pub(crate) fn carry_out(&mut self, vm: &mut Vm, index: usize, at: Timestamp, now: Timestamp) {
        let Some(action) = vm.scheduled.get(index).map(|scheduled| scheduled.action.clone()) else { return };
        let server = Caller { uid: 0, gid: 0, groups: vec![0], request: -1 };
        let result = self.act(vm, &action, &server, at);
        let Some(scheduled) = vm.scheduled.get_mut(index) else { return };
        match result {
            Ok(()) => scheduled.done_at = Some(at),
            Err(failure) => {
                scheduled.again_at = Some(now + AGAIN);
                if let Failure::Refused { text, .. } = failure {
                    scheduled.message = format!("{}: {text}", written(now));
                }
            }
        }
    }

    /// Adds the scheduled actions of a template to a VM; returns the id of the last one.
    pub(crate) fn schedule(&mut self, vm: &mut Vm, template: &Attributes) -> Result<i32, Failure> {
        let mut last = None;
        for parts in template.parts("SCHED_ACTION") {
            let (Some(action), Some(time)) = (parts.get("ACTION"), parts.get("TIME")) else { continue };
            let Some(at) = time_of(time, vm.made_at) else {
                return refuse(ACTION, format!("Unable to parse TIME value {time}"));
            };
            let id = self.next_scheduled;
            self.next_scheduled += 1;
            vm.scheduled.push(Scheduled {
                id,
                action: action.to_owned(),
                args: parts.get("ARGS").unwrap_or_default().to_owned(),
                at,
                again_at: None,
                done_at: None,
                message: String::new(),
            });
            last = Some(id);
        }
        match last {
            Some(id) => Ok(id),
            None => refuse(ACTION, "Scheduled action template is missing or it has no ACTION and TIME"),
        }
    }
}

/// Returns a time that is given as seconds since the epoch, or as `+` and seconds after the VM was made.
pub(crate) fn time_of(text: &str, made_at: Timestamp) -> Option<Timestamp> {
    let text = text.trim();
    let seconds: i64 = match text.strip_prefix('+') {
        Some(after) => seconds(made_at).checked_add(after.parse().ok()?)?,
        None => text.parse().ok()?,
    };
    Some(Timestamp::from_millis(seconds.saturating_mul(1000)))
}
