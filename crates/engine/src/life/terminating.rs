//! The end of a VM: destroyed until its node is proven gone.

use std::time::Duration;

use vmpool_model::{
    EventKind, Failure, FailureKind, LeaseEnd, RecordState, Timestamp, Transition, VmName, states::NodeState,
};

use crate::{Answer, Effect, Engine, Refusal};

/// How long a destroyed node may stay in listings before it is destroyed again.
const DESTROY_PATIENCE: Duration = Duration::from_secs(60);

impl Engine {
    pub(crate) fn advance_terminating(&mut self, name: &VmName) -> Option<Timestamp> {
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
        let holder = self.providers.get(&vm.record.provider).and_then(|known| known.by_node.get(&node.id));
        if node.state == NodeState::Terminated || vm.usurped || holder != Some(name) {
            self.vanish(name);
            return None;
        }
        // Accepted is not gone: a complete listing without the node ends this, or another attempt.
        match vm.destroyed_at {
            Some(accepted) if self.now < accepted.at + DESTROY_PATIENCE => {
                Some(accepted.at + DESTROY_PATIENCE)
            }
            _ => {
                let (provider, node) = (vm.record.provider.clone(), node.id.clone());
                self.start(name, Effect::Destroy { provider, vm: Some(name.clone()), node });
                None
            }
        }
    }

    /// Removes a terminating record whose node is proven gone.
    pub(crate) fn vanish(&mut self, name: &VmName) {
        let Some(vm) = self.vms.get(name) else { return };
        let pool = vm.record.pool.clone();
        if self.transit(name, Transition::Vanish, |_| {}) {
            self.event(EventKind::VmGone, |event| {
                event.pool = Some(pool);
                event.vm = Some(name.clone());
            });
        }
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
        self.transit(name, Transition::Terminate, |record| record.problem = Some(reason.to_owned()));
        self.advance(name);
    }

    pub(crate) fn terminate_by_verb(
        &mut self,
        name: &VmName,
        _only_if: Option<RecordState>,
        reason: &str,
    ) -> Answer {
        let Some(vm) = self.vms.get(name) else {
            return Answer::Refused(Refusal::UnknownVm { vm: name.clone() });
        };
        if let Some(lease) = vm.record.lease.as_ref().and_then(|lease| self.leases.get(lease)).cloned() {
            let detail = format!("the VM is terminated: {reason}");
            self.lease_event(EventKind::LeaseReleased, &lease, &detail);
            self.forget_lease(&lease, LeaseEnd::Terminated);
        }
        self.terminate(name, reason);
        Answer::Accepted
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
        }
        self.advance(name);
    }
}
