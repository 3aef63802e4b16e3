//! One VM of the engine, and what it needs next: derived from its record, again and again.

use std::{sync::Arc, time::Duration};

use vmpool_model::{Change, RecordState, Timestamp, Transition, VmName, VmRecord, config::PoolConfig};

use crate::{Effect, EffectId, Engine, missing::Absence, moment::Moment, timers::Timer};

/// A VM: its record, and what only this process knows. Whatever is not in the record can be lost.
#[derive(Debug)]
pub(crate) struct Vm {
    pub(crate) record: VmRecord,
    /// Its pool's configuration.
    pub(crate) config: Arc<PoolConfig>,
    /// The effect under way.
    pub(crate) effect: Option<EffectId>,
    /// When that effect, or the last one, was asked for.
    pub(crate) started_at: Timestamp,
    /// The node may exist although the record has none: it must be looked for before it is created.
    pub(crate) may_exist: bool,
    /// When the node was last asked for, or became known: until some time later it may be invisible.
    pub(crate) asked_at: Moment,
    /// Until when the VM is not given up for booting slowly, whatever its age: nobody looked before a restart.
    pub(crate) boot_grace: Timestamp,
    /// The VM was ready before: that it is so again after a check is no news.
    pub(crate) was_ready: bool,
    /// When the provider accepted to destroy the node.
    pub(crate) destroyed_at: Option<Moment>,
    /// The last listing that showed the node.
    pub(crate) seen_in: Option<EffectId>,
    /// That complete listings lack the node.
    pub(crate) absent: Option<Absence>,
    /// The last listing showed the node's id on a node that is not this VM's.
    pub(crate) usurped: bool,
}

impl Vm {
    pub(crate) fn intended(record: VmRecord, config: Arc<PoolConfig>, now: Moment) -> Self {
        let created_at = record.created_at;
        Self {
            record,
            config,
            effect: None,
            started_at: created_at,
            may_exist: false,
            asked_at: now,
            boot_grace: created_at,
            was_ready: false,
            destroyed_at: None,
            seen_in: None,
            absent: None,
            usurped: false,
        }
    }

    /// After a restart nobody knows whether the node was asked for, nor whether it came up meanwhile.
    pub(crate) fn recovered(record: VmRecord, config: Arc<PoolConfig>, now: Moment, grace: Duration) -> Self {
        Self {
            may_exist: true,
            boot_grace: now.at + grace,
            was_ready: record.state == RecordState::Ready,
            ..Self::intended(record, config, now)
        }
    }
}

impl Engine {
    /// Changes a record and keeps every index true.
    pub(crate) fn edit(&mut self, name: &VmName, change: impl FnOnce(&mut VmRecord)) {
        let Some(vm) = self.vms.get_mut(name) else { return };
        let before = vm.record.node.as_ref().map(|node| node.id.clone());
        let suspect = vm.record.suspect.clone();
        if let Some(pool) = self.pools.get_mut(&vm.record.pool) {
            pool.count_out(&vm.record);
            change(&mut vm.record);
            pool.count_in(&vm.record);
        }
        self.touched.insert(vm.record.pool.clone());
        let after = vm.record.node.as_ref().map(|node| node.id.clone());
        if before != after
            && let Some(provider) = self.providers.get_mut(&vm.record.provider)
        {
            if let Some(before) = before {
                provider.unbind(&before, name);
            }
            if let Some(after) = after {
                provider.orphans.remove(&after);
                provider.by_node.insert(after, name.clone());
            }
        }
        self.out.changes.push(Change::PutVm(Box::new(vm.record.clone())));
        if let Some(lease) = vm.record.lease.clone().filter(|_| suspect != vm.record.suspect) {
            let suspect = vm.record.suspect.clone();
            self.tell_holder(&lease, suspect);
        }
    }

    /// Makes a transition; an illegal one changes nothing and returns false.
    pub(crate) fn transit(
        &mut self,
        name: &VmName,
        transition: Transition,
        change: impl FnOnce(&mut VmRecord),
    ) -> bool {
        let Some(vm) = self.vms.get(name) else { return false };
        let now = self.now;
        match RecordState::next(Some(vm.record.state), transition) {
            Ok(Some(state)) => {
                self.edit(name, |record| {
                    record.state = state;
                    record.since = now;
                    record.attempts = 0;
                    record.retry_at = None;
                    change(record);
                });
                true
            }
            Ok(None) => {
                self.remove(name);
                true
            }
            Err(illegal) => {
                debug_assert!(false, "{name}: {illegal}");
                false
            }
        }
    }

    /// Removes a record whose node is proven not to exist.
    fn remove(&mut self, name: &VmName) {
        self.forget_effect(name);
        let Some(vm) = self.vms.remove(name) else { return };
        if let Some(pool) = self.pools.get_mut(&vm.record.pool) {
            pool.count_out(&vm.record);
            if pool.retired && pool.total() == 0 {
                self.pools.remove(&vm.record.pool);
            }
        }
        if let (Some(node), Some(provider)) = (&vm.record.node, self.providers.get_mut(&vm.record.provider)) {
            provider.unbind(&node.id, name);
        }
        self.touched.insert(vm.record.pool.clone());
        self.timers.set(Timer::Vm(name.clone()), None);
        self.out.changes.push(Change::RemoveVm(name.clone()));
    }

    /// Does what the VM needs now, and sets when to look again.
    pub(crate) fn advance(&mut self, name: &VmName) {
        self.look(name);
        let Some(vm) = self.vms.get(name) else { return };
        if !self.providers.contains_key(&vm.record.provider) {
            return;
        }
        let state = vm.record.state;
        let due = match state {
            RecordState::Spawning => self.advance_spawning(name),
            RecordState::GotIp => self.start_check(name),
            RecordState::CheckHealth => self.advance_check(name),
            RecordState::CheckHealthFailed => self.advance_failed(name),
            RecordState::Ready => self.advance_ready(name),
            RecordState::InUse => self.advance_in_use(name),
            RecordState::Held | RecordState::Releasing => None,
            RecordState::Terminating => self.advance_terminating(name),
        };
        // A transition on the way has advanced the VM itself, and set its own time.
        if self.vms.get(name).is_some_and(|vm| vm.record.state == state) {
            self.timers
                .set(Timer::Vm(name.clone()), due.map(|due| due.max(self.now + Duration::from_millis(1))));
        }
    }

    pub(crate) fn start(&mut self, name: &VmName, effect: Effect) {
        let id = self.effect(effect);
        self.awaited.insert(id, name.clone());
        let now = self.now;
        if let Some(vm) = self.vms.get_mut(name) {
            vm.effect = Some(id);
            vm.started_at = now;
        }
    }

    /// Stops waiting for the effect under way; its result will change nothing.
    pub(crate) fn forget_effect(&mut self, name: &VmName) {
        if let Some(id) = self.vms.get_mut(name).and_then(|vm| vm.effect.take()) {
            self.awaited.remove(&id);
        }
    }
}
