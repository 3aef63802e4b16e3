//! What becomes of VMs as time passes.

use std::time::Duration;

use vmpool_model::{Timestamp, states::NodeState, states::opennebula::LcmState as Lcm};

use super::{
    clock::written,
    cloud::Cloud,
    place::{
        CLONING, DONE, HOLD, PENDING, POWEROFF, Place, RUNNING, STOPPED, SUSPENDED, UNDEPLOYED, UNKNOWN,
        failure, success,
    },
    vm::{Page, Span, Vm},
};
use crate::hypervisor::Outcome;

impl Cloud {
    /// Brings all VMs to where they are by now.
    pub(crate) fn advance_all(&mut self, now: Timestamp) {
        let ids: Vec<i32> = self.vms.values().filter(|vm| self.is_due(vm, now)).map(|vm| vm.id).collect();
        ids.into_iter().for_each(|id| self.advance(id, now));
    }

    /// Brings a VM to where it is by now.
    pub(crate) fn advance(&mut self, id: i32, now: Timestamp) {
        let Some(mut vm) = self.vms.remove(&id) else { return };
        while let Some(due) = self.next_change(&vm).filter(|due| *due <= now) {
            self.change(&mut vm, due, now);
        }
        if let Some(place) = self.fate(&vm) {
            self.enter(&mut vm, place, now);
        }
        self.vms.insert(id, vm);
    }

    fn is_due(&self, vm: &Vm, now: Timestamp) -> bool {
        self.next_change(vm).is_some_and(|due| due <= now) || self.fate(vm).is_some()
    }

    /// Returns when something happens to a VM by itself.
    fn next_change(&self, vm: &Vm) -> Option<Timestamp> {
        let scheduled = Self::next_scheduled(vm).map(|(_, at)| at);
        [self.next_step(vm), scheduled].into_iter().flatten().min()
    }

    /// Returns when a VM leaves the state that it is in.
    fn next_step(&self, vm: &Vm) -> Option<Timestamp> {
        let takes = match vm.place {
            _ if vm.is_stuck => return None,
            PENDING => self.until_scheduled(vm)?,
            CLONING => self.config.step,
            place if place.is_booting() => self.config.boot,
            _ => self.config.step,
        };
        let passes =
            matches!(vm.place, PENDING | CLONING) || vm.place.active_lcm().and_then(success).is_some();
        passes.then(|| vm.since + takes)
    }

    fn until_scheduled(&self, vm: &Vm) -> Option<Duration> {
        let patience = if vm.user_template.text("SCHED_MESSAGE").is_some() { 1 } else { 0 };
        self.config.schedule.map(|delay| delay.max(Duration::from_secs(patience)))
    }

    fn change(&mut self, vm: &mut Vm, due: Timestamp, now: Timestamp) {
        if let Some((index, at)) = Self::next_scheduled(vm)
            && at <= due
        {
            return self.carry_out(vm, index, due, now);
        }
        match vm.place {
            PENDING => self.find_host(vm, due, now),
            CLONING => {
                let place = if vm.template.text("SUBMIT_ON_HOLD").is_some() { HOLD } else { PENDING };
                self.enter(vm, place, due);
            }
            place => {
                if let Some(lcm) = place.active_lcm() {
                    self.finish(vm, lcm, due);
                }
            }
        }
    }

    /// Ends a state that waits for the hypervisor or for a copy.
    fn finish(&mut self, vm: &mut Vm, lcm: Lcm, at: Timestamp) {
        let outcome = match lcm {
            Lcm::ShutdownPoweroff | Lcm::SaveSuspend => self.hypervisor.stop(vm.node.as_ref()),
            Lcm::Shutdown | Lcm::ShutdownUndeploy | Lcm::SaveStop => self.hypervisor.destroy(&mut vm.node),
            Lcm::CleanupDelete | Lcm::CleanupResubmit => {
                // A clean-up takes what it gets.
                self.hypervisor.destroy(&mut vm.node);
                Outcome::Done
            }
            _ if vm.place.is_booting() => self.hypervisor.boot(&mut vm.node, &format!("one-{}", vm.id)),
            _ => Outcome::Done,
        };
        match outcome {
            Outcome::Never => vm.is_stuck = true,
            Outcome::Done => {
                if let Some(place) = success(lcm) {
                    self.succeed(vm, lcm, place, at);
                }
            }
            Outcome::Failed(what) => {
                if vm.place.is_booting() {
                    vm.user_template.set("ERROR", format!("{}: DEPLOY: {what}", written(at)));
                }
                if let Some(place) = failure(lcm) {
                    self.fail(vm, place, at);
                }
            }
        }
    }

    /// Takes what a state waited for as done.
    pub(crate) fn succeed(&mut self, vm: &mut Vm, lcm: Lcm, place: Place, at: Timestamp) {
        let moves = matches!(
            lcm,
            Lcm::Migrate
                | Lcm::PrologMigrate
                | Lcm::PrologMigrateUnknown
                | Lcm::PrologMigrateSuspend
                | Lcm::PrologMigratePoweroff
        );
        if moves && let Some(host) = vm.bound_for.take() {
            close(vm, at);
            self.place_on(vm, Some(host));
            self.open(vm, host, at);
            vm.is_rescheduled = false;
        }
        self.keep_backup(vm, at);
        self.enter(vm, place, at);
    }

    /// Takes what a state waited for as failed.
    pub(crate) fn fail(&mut self, vm: &mut Vm, place: Place, at: Timestamp) {
        vm.bound_for = None;
        if place == RUNNING
            && let Some(page) = vm.page()
        {
            page.end = None;
        }
        self.enter(vm, place, at);
    }

    /// Begins the record of a stay on a host.
    pub(crate) fn open(&mut self, vm: &mut Vm, host: i32, at: Timestamp) {
        let hostname = self.hosts.get(&host).map(|host| host.name.clone()).unwrap_or_default();
        vm.history.push(Page {
            host,
            hostname,
            began_at: at,
            ended_at: None,
            prolog: Span::default(),
            running: Span::default(),
            epilog: Span::default(),
            end: None,
        });
    }

    /// Lets a VM come to a place, with all that this means for what is around it.
    pub(crate) fn enter(&mut self, vm: &mut Vm, place: Place, at: Timestamp) {
        let was = std::mem::replace(&mut vm.place, place);
        (vm.since, vm.is_stuck) = (at, false);
        if was.active_lcm().and_then(success).is_some() {
            self.take_out(vm);
        }
        match place {
            RUNNING => {
                // The hypervisor says what it calls the VM when it starts it, and not when the VM comes from another host.
                if (was.is_booting() || vm.deploy_id.is_empty())
                    && let Some(page) = vm.history.last()
                {
                    vm.deploy_id = format!("{}:{}:dummy", page.hostname, vm.name);
                }
                if let Some(page) = vm.page() {
                    page.running.from.get_or_insert(at);
                }
            }
            SUSPENDED | POWEROFF => {
                close(vm, at);
                self.hypervisor.stop(vm.node.as_ref());
            }
            STOPPED | UNDEPLOYED => {
                close(vm, at);
                self.hypervisor.destroy(&mut vm.node);
                self.place_on(vm, None);
            }
            PENDING if matches!(was, STOPPED | UNDEPLOYED) => vm.comes_from = Some(was.state),
            PENDING if was.active_lcm().is_some() => {
                close(vm, at);
                self.place_on(vm, None);
                vm.deploy_id.clear();
                vm.comes_from = None;
            }
            DONE if was != DONE => self.bury(vm, at),
            _ => {
                if let Some(lcm) = place.active_lcm() {
                    self.note(vm, lcm, was, at);
                }
            }
        }
    }

    /// Notes in the history what an active state means.
    fn note(&mut self, vm: &mut Vm, lcm: Lcm, was: Place, at: Timestamp) {
        if matches!(was, SUSPENDED | POWEROFF)
            && matches!(lcm, Lcm::BootSuspended | Lcm::BootPoweroff)
            && let Some(host) = vm.host
        {
            self.open(vm, host, at);
        }
        let name = lcm.str_lcm_state();
        let Some(page) = vm.page() else { return };
        if name.starts_with("PROLOG") {
            page.prolog.from.get_or_insert(at);
        } else if name.starts_with("BOOT") {
            if page.prolog.from.is_some() {
                page.prolog.to.get_or_insert(at);
            }
            page.running.from.get_or_insert(at);
        } else if name.starts_with("EPILOG") {
            page.running.to.get_or_insert(at);
            page.epilog.from.get_or_insert(at);
        }
    }

    /// Gives back all that a VM took.
    fn bury(&mut self, vm: &mut Vm, at: Timestamp) {
        close(vm, at);
        self.hypervisor.destroy(&mut vm.node);
        self.place_on(vm, None);
        let nics: Vec<i32> = vm.template.parts("NIC").filter_map(|nic| nic.number("NIC_ID")).collect();
        nics.into_iter().for_each(|id| self.free_address(vm, id));
        vm.done_at = Some(at);
    }

    /// Returns where a VM is found that was running, if what runs for it came to an end by itself.
    fn fate(&self, vm: &Vm) -> Option<Place> {
        if vm.place != RUNNING || vm.node.is_none() {
            return None;
        }
        match self.hypervisor.state(vm.node.as_ref()) {
            // Its guest shut it down.
            Some(NodeState::Terminated | NodeState::Stopped) => Some(POWEROFF),
            None | Some(NodeState::Error) => Some(UNKNOWN),
            Some(_) => None,
        }
    }
}

/// Ends the record of the stay on a host.
pub(crate) fn close(vm: &mut Vm, at: Timestamp) {
    let Some(page) = vm.page() else { return };
    if page.running.from.is_some() {
        page.running.to.get_or_insert(at);
    }
    if page.epilog.from.is_some() {
        page.epilog.to.get_or_insert(at);
    }
    page.ended_at.get_or_insert(at);
}
