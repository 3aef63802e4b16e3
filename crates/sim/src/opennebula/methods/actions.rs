//! What moves a VM through its life.

use vmpool_model::Timestamp;

use crate::opennebula::{
    cloud::Cloud,
    legality::{self, ACTIONS, Recovery},
    place::{DONE, POWEROFF, RUNNING, SUSPENDED, success},
    rights::{Caller, Right},
    vm::{Cause, Vm},
    wire::{ACTION, Answer, Failure, Params, no_such, refuse},
};

pub(super) fn action(cloud: &mut Cloud, caller: &Caller, params: Params<'_>, now: Timestamp) -> Answer {
    let (action, id) = (params.text(0)?, params.int(1)?);
    cloud.with_vm(id, |cloud, vm| {
        let right = if action.ends_with("resched") { Right::Admin } else { Right::Manage };
        caller.check(right, vm)?;
        cloud.act(vm, action, caller, now)?;
        Ok(id.into())
    })
}

impl Cloud {
    /// Carries out an action on a VM.
    pub(crate) fn act(
        &mut self,
        vm: &mut Vm,
        action: &str,
        caller: &Caller,
        at: Timestamp,
    ) -> Result<(), Failure> {
        if !ACTIONS.contains(&action) {
            return refuse(ACTION, format!("Action \"{action}\" is not supported"));
        }
        let Some(place) = legality::act(action, vm.place) else {
            let state = vm.place.name();
            let why = match action.starts_with("terminate") {
                true => format!("Could not terminate VM {}, wrong state {state}.", vm.id),
                false => format!("This action is not available for state {state}"),
            };
            return refuse(ACTION, format!("Error performing action \"{action}\": {why}"));
        };
        match action {
            "resched" | "unresched" => vm.is_rescheduled = action == "resched",
            "reboot" | "reboot-hard" => {
                // The real server does not tell whether the hypervisor could.
                self.hypervisor.reboot(vm.node.as_ref());
            }
            _ => {}
        }
        if place != vm.place {
            if place.active_lcm().is_some() || matches!(place, DONE | POWEROFF) {
                because(vm, number(action), caller);
            }
            self.enter(vm, place, at);
        }
        Ok(())
    }
}

pub(super) fn deploy(cloud: &mut Cloud, caller: &Caller, params: Params<'_>, now: Timestamp) -> Answer {
    let (id, host, enforces) = (params.int(0)?, params.int(1)?, params.is(2)?);
    cloud.with_vm(id, |cloud, vm| {
        caller.check(Right::Admin, vm)?;
        let Some(target) = cloud.hosts.get(&host) else { return no_such("host", host) };
        if !legality::can_deploy(vm.place) {
            return refuse(ACTION, format!("Deploy action is not available for state {}", vm.place.name()));
        }
        if enforces && !target.has_room(vm) {
            return refuse(ACTION, format!("VM [{id}] does not fit in host [{host}]"));
        }
        cloud.deploy(vm, host, now);
        Ok(id.into())
    })
}

pub(super) fn migrate(cloud: &mut Cloud, caller: &Caller, params: Params<'_>, now: Timestamp) -> Answer {
    let (id, host, is_live) = (params.int(0)?, params.int(1)?, params.boolean(2)?);
    let (enforces, kind) = (params.is(3)?, params.int_or(5, 0)?);
    cloud.with_vm(id, |cloud, vm| {
        caller.check(Right::Admin, vm)?;
        let Some(target) = cloud.hosts.get(&host) else { return no_such("host", host) };
        let Some(place) = legality::migrate(vm.place, is_live) else {
            return refuse(ACTION, format!("Migrate action is not available for state {}", vm.place.name()));
        };
        if vm.host == Some(host) {
            return refuse(ACTION, format!("VM is already running on host [{host}]"));
        }
        if enforces && !target.has_room(vm) {
            return refuse(ACTION, format!("VM [{id}] does not fit in host [{host}]"));
        }
        let action = match (is_live, kind) {
            (true, _) => 2,
            (false, 1) => 48,
            (false, 2) => 49,
            (false, _) => 1,
        };
        because(vm, action, caller);
        vm.bound_for = Some(host);
        cloud.enter(vm, place, now);
        Ok(id.into())
    })
}

pub(super) fn recover(cloud: &mut Cloud, caller: &Caller, params: Params<'_>, now: Timestamp) -> Answer {
    let (id, operation) = (params.int(0)?, params.int(1)?);
    cloud.with_vm(id, |cloud, vm| {
        caller.check(Right::Admin, vm)?;
        let Some(recovery) = Recovery::from_number(operation) else {
            return refuse(ACTION, "Wrong recovery operation code");
        };
        cloud.recover(vm, recovery, caller, now)?;
        Ok(id.into())
    })
}

impl Cloud {
    fn recover(
        &mut self,
        vm: &mut Vm,
        recovery: Recovery,
        caller: &Caller,
        at: Timestamp,
    ) -> Result<(), Failure> {
        let (id, state) = (vm.id, vm.place.name());
        let Some(place) = legality::recover(recovery, vm.place) else {
            return refuse(
                ACTION,
                match recovery {
                    Recovery::Retry => format!("Could not perform a retry on VM {id}, wrong state {state}."),
                    Recovery::Recreate => "Cannot delete-recreate a VM already in DONE state".to_owned(),
                    _ => format!("Could not perform a recover operation on VM {id}, wrong state {state}."),
                },
            );
        };
        let waits_in = vm.place.active_lcm().filter(|lcm| success(*lcm).is_some());
        match (recovery, waits_in) {
            (Recovery::Success, Some(lcm)) => self.succeed(vm, lcm, place, at),
            (Recovery::Failure, Some(_)) => self.fail(vm, place, at),
            _ if place != vm.place => {
                match recovery {
                    Recovery::Delete | Recovery::DeleteRecord => because(vm, 13, caller),
                    Recovery::Recreate => because(vm, 14, caller),
                    _ => {}
                }
                self.enter(vm, place, at);
                if recovery == Recovery::Recreate {
                    vm.comes_from = None;
                }
            }
            // The hypervisor is asked again.
            (Recovery::Retry, Some(_)) => (vm.since, vm.is_stuck) = (at, false),
            _ => {}
        }
        Ok(())
    }
}

/// Notes what ends the stay of a VM on its host.
pub(super) fn because(vm: &mut Vm, action: i32, caller: &Caller) {
    let is_over =
        matches!(vm.place, SUSPENDED | POWEROFF) && vm.history.last().is_some_and(|page| page.end.is_some());
    if let Some(page) = vm.page().filter(|_| !is_over) {
        page.end = Some(Cause { action, uid: caller.uid, gid: caller.gid, request: caller.request });
    }
}

/// Ends the record of a stay on a host for a change, and begins another one on the same host.
pub(super) fn turn_page(cloud: &mut Cloud, vm: &mut Vm, action: i32, caller: &Caller, at: Timestamp) {
    let (true, Some(host)) = (vm.place == RUNNING, vm.host) else { return };
    because(vm, action, caller);
    crate::opennebula::life::close(vm, at);
    cloud.open(vm, host, at);
    if let Some(page) = vm.page() {
        page.running.from = Some(at);
    }
}

/// Returns the number of an action in the history.
fn number(action: &str) -> i32 {
    match action {
        "undeploy" => 5,
        "undeploy-hard" => 6,
        "stop" => 9,
        "suspend" => 10,
        "resume" => 11,
        "poweroff" => 19,
        "poweroff-hard" => 20,
        "terminate" => 27,
        "terminate-hard" => 28,
        _ => 0,
    }
}
