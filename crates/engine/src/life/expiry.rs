//! The time at which a cloud ends a node by itself: told as soon as there is a node, renewed while there is one.
//!
//! It guards against nodes that are forgotten together with vmpool, and is never a reason to do anything to a VM.

use std::time::Duration;

use vmpool_model::{Failure, FailureKind, RecordState, Timestamp, VmName};

use crate::{Effect, EffectId, Engine, backoff, timers::Timer, vm::Vm};

/// For how long a cloud is told to keep a node whose pool no longer says: it was told an end once, and keeps to it.
const WITHOUT_CONFIG: Duration = Duration::from_secs(86_400);

/// What is under way to tell a cloud when a node ends.
#[derive(Debug, Default)]
pub(crate) struct Expiry {
    pub(crate) effect: Option<EffectId>,
    /// The end that it tells.
    at: Timestamp,
    failures: u32,
    retry_at: Option<Timestamp>,
}

impl Vm {
    /// Returns all effects that the VM waits for.
    pub(crate) fn effects(&self) -> impl Iterator<Item = EffectId> {
        self.effect.into_iter().chain(self.expiry.effect)
    }

    /// Returns how long the cloud is to keep the node from when it is told, if it is to be told.
    fn kept_for(&self) -> Option<Duration> {
        let told_before = self.record.cloud_expiry.map(|_| WITHOUT_CONFIG);
        self.config.cloud_expiry.or(told_before)
    }
}

impl Engine {
    /// Tells the cloud of a VM when its node ends, once less than half of the time before is left.
    pub(crate) fn guard(&mut self, name: &VmName) {
        let due = self.tell_expiry(name);
        if due.is_some() || self.vms.get(name).is_some_and(|vm| vm.kept_for().is_some()) {
            self.timers.set(Timer::Expiry(name.clone()), due);
        }
    }

    /// Tells it now if that is due; returns when it is otherwise.
    fn tell_expiry(&mut self, name: &VmName) -> Option<Timestamp> {
        let vm = self.vms.get(name)?;
        let node = vm.record.node.as_ref()?;
        let time = vm.kept_for()?;
        let is_told = self.providers.get(&vm.record.provider).is_some_and(|provider| !provider.lacks_expiry);
        if vm.expiry.effect.is_some() || vm.record.state == RecordState::Terminating || !is_told {
            return None;
        }
        let left = vm.record.cloud_expiry.map(|at| at.since(self.now)).unwrap_or_default();
        let due = self.now + left.saturating_sub(time / 2);
        let due = due.max(vm.expiry.retry_at.unwrap_or(due));
        if self.now < due {
            return Some(due);
        }
        let at = self.now + time;
        let (provider, node) = (vm.record.provider.clone(), node.id.clone());
        let id = self.effect(Effect::SetExpiry { provider, vm: name.clone(), node, at });
        self.awaited.insert(id, name.clone());
        let vm = self.vms.get_mut(name)?;
        (vm.expiry.effect, vm.expiry.at) = (Some(id), at);
        None
    }

    /// The cloud answered when it was told the end of a node. A failure hurts nobody: it is told again after a pause.
    pub(crate) fn expiry_set(&mut self, name: &VmName, result: Result<(), Failure>) {
        let jitter = self.rng.f64();
        let now = self.now;
        let Some(vm) = self.vms.get_mut(name) else { return };
        match result {
            Ok(()) => {
                let at = vm.expiry.at;
                (vm.expiry.failures, vm.expiry.retry_at) = (0, None);
                self.edit(name, |record| record.cloud_expiry = Some(at));
            }
            Err(Failure { kind: FailureKind::Unsupported, .. }) => {
                if let Some(provider) = self.providers.get_mut(&vm.record.provider) {
                    provider.lacks_expiry = true;
                }
            }
            Err(failure) => {
                vm.expiry.failures = vm.expiry.failures.saturating_add(1);
                let (min, max) = (vm.config.retry_min, vm.config.retry_max);
                let pause = backoff::pause(min, max, vm.expiry.failures, failure.retry_after, jitter);
                vm.expiry.retry_at = Some(now + pause);
            }
        }
        self.guard(name);
    }
}
