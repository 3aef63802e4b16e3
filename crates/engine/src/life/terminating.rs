//! The end of a VM: destroyed until its node is proven gone.

use std::{borrow::Cow, time::Duration};

use vmpool_model::{
    EventKind, Failure, FailureKind, LeaseEnd, RecordState, Timestamp, Transition, VmName, config::HookKind,
    format_duration, states::NodeState,
};

use crate::{Answer, Effect, Engine, Refusal, backoff};

/// How long a destroyed node may stay in listings before it is destroyed again; each time doubles it, up to eight times.
const DESTROY_PATIENCE: Duration = Duration::from_secs(60);

impl Engine {
    pub(crate) fn advance_terminating(&mut self, name: &VmName) -> Option<Timestamp> {
        if self.vms.get(name)?.record.is_gone() {
            return self.advance_gone(name);
        }
        let stuck_at = self.stuck(name);
        self.destroy(name).into_iter().chain(stuck_at).min()
    }

    /// Asks for what proves the end of a VM, or for the end itself; returns when to ask again.
    fn destroy(&mut self, name: &VmName) -> Option<Timestamp> {
        let vm = self.vms.get(name)?;
        if vm.effect.is_some() {
            return None;
        }
        match vm.record.retry_at {
            Some(retry_at) if self.now < retry_at => return Some(retry_at),
            _ => {}
        }
        let Some(node) = &vm.record.node else {
            match vm.may_exist {
                true => self.find(name),
                false => self.vanish(name),
            }
            return None;
        };
        // A provider that goes on listing dead nodes proves their end, too; and so does another node with this id.
        let holder = self.providers.get(&vm.record.provider).and_then(|known| known.holder(&node.id));
        if node.state == NodeState::Terminated || vm.usurped || holder != Some(name) {
            self.vanish(name);
            return None;
        }
        // Accepted is not gone: a complete listing without the node ends this, or another attempt.
        let patience = backoff::pause(DESTROY_PATIENCE, DESTROY_PATIENCE * 8, vm.destroys, None, 0.0);
        match vm.destroyed_at {
            Some(accepted) if self.now < accepted.at + patience => Some(accepted.at + patience),
            _ => {
                let (provider, node) = (vm.record.provider.clone(), node.id.clone());
                self.start(name, Effect::Destroy { provider, vm: Some(name.clone()), node });
                None
            }
        }
    }

    /// Reports a VM that is being destroyed for longer than it should take, and again whenever that time has doubled;
    /// returns when to do so next. It is never dropped for that.
    fn stuck(&mut self, name: &VmName) -> Option<Timestamp> {
        let vm = self.vms.get(name)?;
        let since = vm.record.since;
        let at = vm.stuck_at.unwrap_or(since + vm.config.terminating_timeout);
        if self.now < at {
            return Some(at);
        }
        let lasts = self.now.since(since);
        let pool = vm.record.pool.clone();
        let why = vm.record.problem.clone().unwrap_or_default();
        self.event(EventKind::VmStuck, |event| {
            event.pool = Some(pool);
            event.vm = Some(name.clone());
            event.detail = format!("it is being destroyed for {}: {why}", format_duration(lasts));
        });
        let next = since + lasts.saturating_mul(2);
        self.vms.get_mut(name)?.stuck_at = Some(next);
        Some(next)
    }

    /// Ends a terminating VM whose node is proven gone: its record is removed once the hook `after_destroy` has run.
    pub(crate) fn vanish(&mut self, name: &VmName) {
        let Some(vm) = self.vms.get(name).filter(|vm| !vm.record.is_gone()) else { return };
        let pool = vm.record.pool.clone();
        let node = vm.record.node.as_ref().map(|node| (vm.record.provider.clone(), node.id.clone()));
        let has_hook = vm.config.hooks.after_destroy.is_some();
        self.event(EventKind::VmGone, |event| {
            event.pool = Some(pool);
            event.vm = Some(name.clone());
        });
        let Some((provider, node)) = node.filter(|_| has_hook) else {
            self.transit(name, Transition::Vanish, |_| {});
            return;
        };
        self.forget_effect(name);
        let now = self.now;
        self.edit(name, |record| {
            record.gone_at = Some(now);
            record.retry_at = None;
        });
        // What is listed under this id from now on is another node.
        if let Some(provider) = self.providers.get_mut(&provider) {
            provider.unbind(&node, name);
        }
        self.advance(name);
    }

    fn advance_gone(&mut self, name: &VmName) -> Option<Timestamp> {
        if self.vms.get(name)?.config.hooks.after_destroy.is_some() {
            return self.run_hook(name, HookKind::AfterDestroy);
        }
        // The hook left the configuration meanwhile.
        self.transit(name, Transition::Vanish, |_| {});
        None
    }

    /// Begins to destroy a VM; what is leased loses its lease only through the callers that end leases.
    pub(crate) fn terminate(&mut self, name: &VmName, reason: &str) {
        let Some(vm) = self.vms.get_mut(name) else { return };
        if vm.record.state == RecordState::Terminating {
            return;
        }
        // A create or look-up under way still brings news of the node; the result of a check does not matter.
        vm.destroyed_at = None;
        let (pool, state) = (vm.record.pool.clone(), vm.record.state);
        if state != RecordState::Spawning {
            self.forget_effect(name);
        }
        self.event(EventKind::VmTerminating, |event| {
            event.pool = Some(pool);
            event.vm = Some(name.clone());
            event.detail = reason.to_owned();
        });
        self.transit(name, Transition::Terminate, |record| {
            record.problem = Some(reason.to_owned());
            record.hold = None;
            record.returned = None;
        });
        self.advance(name);
    }

    /// Destroys a VM for somebody who says so, leased or not; or asks again, if that was wanted.
    pub(crate) fn terminate_by_verb(
        &mut self,
        name: &VmName,
        only_if: Option<RecordState>,
        reason: &str,
    ) -> Answer {
        let Some(vm) = self.vms.get_mut(name) else {
            return Answer::Refused(Refusal::UnknownVm { vm: name.clone() });
        };
        let state = vm.record.state;
        let refuse =
            |why: Cow<'static, str>| Answer::Refused(Refusal::InvalidState { vm: name.clone(), state, why });
        match only_if {
            Some(expected) if expected != state => {
                return refuse(format!("it was to be terminated only if it were {expected}").into());
            }
            Some(RecordState::Terminating) => {
                self.destroy_again(name);
                return Answer::Accepted;
            }
            None if state == RecordState::Terminating => {
                return refuse(
                    "it is being destroyed already; to ask its provider again, terminate it only if it is terminating"
                        .into(),
                );
            }
            _ => {}
        }
        if let Some(lease) = vm.record.lease.as_ref().and_then(|lease| self.leases.get(lease)).cloned() {
            let detail = format!("the VM is terminated: {reason}");
            self.lease_event(EventKind::LeaseReleased, &lease, &detail);
            self.forget_lease(&lease, LeaseEnd::Terminated);
        }
        self.terminate(name, reason);
        Answer::Accepted
    }

    /// Asks for the end of a terminating VM now, unless that is under way.
    fn destroy_again(&mut self, name: &VmName) {
        let Some(vm) = self.vms.get_mut(name) else { return };
        if vm.effect.is_some() || vm.record.is_gone() {
            return;
        }
        vm.destroyed_at = None;
        if vm.record.retry_at.is_some() {
            self.edit(name, |record| record.retry_at = None);
        }
        self.advance(name);
    }

    pub(crate) fn destroyed(&mut self, name: &VmName, result: Result<(), Failure>) {
        let now = self.moment();
        match result {
            Ok(()) => {}
            // The provider does not know it: that is what was wanted, and a listing must still agree.
            Err(failure) if failure.kind == FailureKind::NotFound => {}
            Err(failure) => {
                let pool = self.vms.get(name).map(|vm| vm.record.pool.clone());
                self.event(EventKind::DestroyFailed, |event| {
                    event.pool = pool;
                    event.vm = Some(name.clone());
                    event.detail = failure.to_string();
                });
                self.retry_later(name, &failure);
                return self.advance(name);
            }
        }
        if let Some(vm) = self.vms.get_mut(name) {
            vm.destroyed_at = Some(now);
            vm.destroys = vm.destroys.saturating_add(1);
        }
        self.advance(name);
    }
}
