//! VMs that are kept for debugging.

use std::time::Duration;

use vmpool_model::{
    EventKind, Hold, Lease, PoolName, RecordState, Returned, Timestamp, Transition, VmName, config::OnRelease,
};

use crate::{Answer, Engine, Refusal, life::is_of_checks, vm::Vm, words::NO_REASON};

/// For how long a VM is held if nobody says so, and its pool allows it.
const DEFAULT_TIME: Duration = Duration::from_secs(86_400);

impl Engine {
    /// Keeps a VM, at once or when what is under way with it ends; one that is held already is held for this time from now.
    pub(crate) fn hold(&mut self, name: &VmName, reason: &str, time: Option<Duration>) -> Answer {
        use RecordState as S;
        let Some(vm) = self.vms.get(name) else {
            return Answer::Refused(Refusal::UnknownVm { vm: name.clone() });
        };
        let state = vm.record.state;
        let why = match state {
            S::Spawning => "it has no node yet that could be kept: hold it once it has an address",
            S::Terminating => "it is too late to keep it",
            _ if time.is_some_and(|time| time.is_zero()) => "to hold it for 0s is not to hold it",
            _ => "",
        };
        if !why.is_empty() {
            return Answer::Refused(Refusal::InvalidState { vm: name.clone(), state, why: why.into() });
        }
        let (pool, max) = (&vm.record.pool, vm.config.max_hold_time);
        if let Some(time) = time.filter(|time| max < *time) {
            return Answer::Refused(Refusal::HoldTooLong { pool: pool.clone(), time, max });
        }
        if vm.record.hold.is_none() && !self.has_room_to_hold(pool) {
            let max_held = vm.config.max_held;
            return Answer::Refused(Refusal::TooManyHeld { pool: pool.clone(), max_held });
        }
        let Hold { reason, until, .. } = self.want_held(name, reason, time);
        match state {
            S::GotIp | S::CheckHealthFailed | S::Ready => self.keep(name),
            S::Held => {
                self.hold_event(EventKind::VmHeld, name, &format!("from now on until {until}: {reason}"));
                self.advance(name);
            }
            _ => self.hold_event(EventKind::VmHeld, name, &format!("when it is free: {reason}")),
        }
        Answer::Accepted
    }

    /// Lets a VM be used again that is held, after its hook `before_release` and a check; or lets one be that is to be held.
    pub(crate) fn unhold(&mut self, name: &VmName) -> Answer {
        let Some(vm) = self.vms.get(name) else {
            return Answer::Refused(Refusal::UnknownVm { vm: name.clone() });
        };
        let state = vm.record.state;
        if vm.record.hold.is_none() {
            let why = "it is not held".into();
            return Answer::Refused(Refusal::InvalidState { vm: name.clone(), state, why });
        }
        self.hold_event(EventKind::VmUnheld, name, "");
        match state {
            RecordState::Held => self.let_go(name),
            _ => self.edit(name, |record| record.hold = None),
        }
        Answer::Accepted
    }

    /// Returns whether the pool may hold one more VM.
    pub(crate) fn has_room_to_hold(&self, pool: &PoolName) -> bool {
        self.pools.get(pool).is_some_and(|pool| pool.held() < pool.config.max_held as usize)
    }

    /// Notes that a VM is to be held; without a reason, that of a hold there is stays.
    pub(crate) fn want_held(&mut self, name: &VmName, reason: &str, time: Option<Duration>) -> Hold {
        let (now, by) = (self.now, self.by.clone());
        let record = self.vms.get(name).map(|vm| &vm.record);
        let before = record.and_then(|record| record.hold.as_ref());
        let reason = match reason {
            "" => before.map_or(NO_REASON, |hold| &hold.reason),
            reason => reason,
        };
        let is_held = record.is_some_and(|record| record.state == RecordState::Held);
        let since = before.filter(|_| is_held).map_or(now, |hold| hold.since);
        let most = self.vms.get(name).map_or(DEFAULT_TIME, |vm| vm.config.max_hold_time);
        let until = now + time.unwrap_or(DEFAULT_TIME.min(most));
        let hold = Hold { reason: reason.to_owned(), by, since, until };
        self.edit(name, |record| record.hold = Some(hold.clone()));
        hold
    }

    /// Keeps a VM that is to be held and that nothing is under way with; its time begins now.
    pub(crate) fn keep(&mut self, name: &VmName) {
        self.keep_after(name, None);
    }

    /// Keeps a VM as [`keep`](Self::keep) does, and the lease that nothing has cleaned up after, for when it is let go.
    pub(crate) fn keep_after(&mut self, name: &VmName, lease: Option<Lease>) {
        let now = self.now;
        self.forget_effect(name);
        let kept = self.transit(name, Transition::Hold, |record| {
            record.returned = lease.map(|lease| Box::new(Returned { lease, clean: false, held: true }));
            if let Some(hold) = &mut record.hold {
                hold.until = now + hold.until.since(hold.since);
            }
        });
        if !kept {
            return;
        }
        let hold = self.vms.get(name).and_then(|vm| vm.record.hold.as_ref());
        let reason = hold.map(|hold| hold.reason.clone()).unwrap_or_default();
        self.hold_event(EventKind::VmHeld, name, &reason);
        self.advance(name);
    }

    /// Keeps a VM if it is to be held, else goes on with it.
    pub(crate) fn keep_or_advance(&mut self, name: &VmName) {
        match self.vms.get(name).is_some_and(|vm| vm.record.hold.is_some()) {
            true => self.keep(name),
            false => self.advance(name),
        }
    }

    pub(crate) fn advance_held(&mut self, name: &VmName) -> Option<Timestamp> {
        let record = &self.vms.get(name)?.record;
        let until = record.hold.as_ref().map_or(record.since + DEFAULT_TIME, |hold| hold.until);
        if until <= self.now {
            self.terminate(name, "its time of being held is over");
            return None;
        }
        Some(until)
    }

    /// Has a held VM cleaned as after its lease, then checked, unless it is at its end; who used it may have it again for
    /// `dirty_timeout`, if its pool reuses VMs.
    fn let_go(&mut self, name: &VmName) {
        let now = self.now;
        let Some(vm) = self.vms.get(name) else { return };
        let is_to_be_cleaned = vm.record.returned.is_some() && vm.config.hooks.before_release.is_some();
        if let Some(why) = self.keeps_from_use(vm, is_to_be_cleaned) {
            let why = format!("it is no longer held, and {why}");
            return self.terminate(name, &why);
        }
        let clean = vm.config.on_release == OnRelease::Clean;
        let transition = match is_to_be_cleaned {
            true => Transition::StartRelease,
            false => Transition::Unhold,
        };
        self.transit(name, transition, |record| {
            record.hold = None;
            record.suspect = None;
            record.check_fails = 0;
            record.dirty_since = record.owner.as_ref().map(|_| now);
            record.starting_since = record.starting_since.map(|_| now);
            let returned = record.returned.take().filter(|_| is_to_be_cleaned);
            record.returned = returned.map(|returned| Box::new(Returned { clean, held: true, ..*returned }));
        });
        self.advance(name);
    }

    /// Returns why a VM that was held is destroyed, if it is. A hold puts off what a release does, and does not do away with it.
    fn keeps_from_use(&self, vm: &Vm, is_to_be_cleaned: bool) -> Option<String> {
        let is_lost = vm.record.suspect.as_deref().filter(|why| !is_of_checks(why));
        let is_dirty = match vm.config.on_release {
            _ if vm.record.is_clean() => None,
            OnRelease::Destroy => Some("it was leased (on_release = destroy)"),
            OnRelease::Clean if !is_to_be_cleaned => Some("nothing cleans it (on_release = clean)"),
            OnRelease::Clean | OnRelease::Reuse => None,
        };
        let is_over = || is_to_be_cleaned.then(|| self.is_over(vm)).flatten();
        is_lost.or(is_dirty).or_else(is_over).or(self.used_up(vm)).map(str::to_owned)
    }

    fn hold_event(&mut self, kind: EventKind, name: &VmName, detail: &str) {
        let Some(vm) = self.vms.get(name) else { return };
        let (pool, lease) = (vm.record.pool.clone(), vm.record.lease.clone());
        // What was asked for while the VM was leased comes about later.
        let holds = vm.record.hold.as_ref().filter(|_| kind == EventKind::VmHeld);
        let by = holds.and_then(|hold| hold.by.clone());
        self.event(kind, |event| {
            event.pool = Some(pool);
            event.vm = Some(name.clone());
            event.lease = lease;
            event.by = event.by.take().or(by);
            event.detail = detail.to_owned();
        });
    }
}
