//! One VM of the engine, and what it needs next: derived from its record, again and again.

use std::{sync::Arc, time::Duration};

use vmpool_model::{
    Change, EventKind, RecordState, Timestamp, Transition, VmName, VmRecord,
    config::{CheckConfig, CheckMode, PoolConfig},
};

use crate::{Effect, EffectId, Engine, life::Expiry, missing::Absence, moment::Moment, pool, timers::Timer};

/// A VM: its record, and what only this process knows. Whatever is not in the record can be lost.
#[derive(Debug)]
pub(crate) struct Vm {
    pub(crate) record: VmRecord,
    /// Its pool's configuration.
    pub(crate) config: Arc<PoolConfig>,
    /// The effect under way.
    pub(crate) effect: Option<EffectId>,
    /// What that effect, or the last one, is.
    pub(crate) doing: Doing,
    /// When that effect, or the last one, was asked for.
    pub(crate) started_at: Timestamp,
    /// The node may exist although the record has none: it must be looked for before it is created.
    pub(crate) may_exist: bool,
    /// When the node was last asked for, or became known: until some time later it may be invisible.
    pub(crate) asked_at: Moment,
    /// Until when no time that is over ends the VM: nobody looked before a restart.
    pub(crate) spared_until: Timestamp,
    /// What is under way to tell the cloud when the node ends.
    pub(crate) expiry: Expiry,
    /// Since when the node is neither running nor dead nor off.
    pub(crate) odd_since: Option<Timestamp>,
    /// Until when the hook that was asked for last must have ended.
    pub(crate) hook_by: Timestamp,
    /// When the VM is next reported to be destroyed for too long.
    pub(crate) stuck_at: Option<Timestamp>,
    /// How often the provider accepted to destroy the node.
    pub(crate) destroys: u32,
    /// When the VM passed a check, since the engine's start.
    pub(crate) passed_at: Option<Timestamp>,
    /// The VM must pass a check before somebody gets it.
    pub(crate) stale: bool,
    /// When the provider accepted to destroy the node.
    pub(crate) destroyed_at: Option<Moment>,
    /// The last listing that showed the node.
    pub(crate) seen_in: Option<EffectId>,
    /// That complete listings lack the node.
    pub(crate) absent: Option<Absence>,
    /// The last listing showed the node's id on a node that is not this VM's.
    pub(crate) usurped: bool,
}

/// What an effect is that a VM waits for, as far as it matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Doing {
    Check,
    Hook,
    Destroy,
    Other,
}

impl Vm {
    pub(crate) fn intended(record: VmRecord, config: Arc<PoolConfig>, now: Moment) -> Self {
        let created_at = record.created_at;
        Self {
            record,
            config,
            effect: None,
            doing: Doing::Other,
            started_at: created_at,
            may_exist: false,
            asked_at: now,
            spared_until: created_at,
            expiry: Expiry::default(),
            odd_since: None,
            hook_by: created_at,
            stuck_at: None,
            destroys: 0,
            passed_at: None,
            stale: false,
            destroyed_at: None,
            seen_in: None,
            absent: None,
            usurped: false,
        }
    }

    /// After a restart nobody knows whether the node was asked for, nor whether it came up meanwhile.
    pub(crate) fn recovered(record: VmRecord, config: Arc<PoolConfig>, now: Moment, grace: Duration) -> Self {
        let vm = Self::intended(record, config, now);
        Self {
            may_exist: true,
            spared_until: now.at + grace,
            stale: vm.needs_check(now.at),
            odd_since: (!pool::is_running(&vm.record)).then_some(now.at),
            ..vm
        }
    }

    /// Returns whether the VM waits for an effect of this kind.
    pub(crate) fn is_doing(&self, doing: Doing) -> bool {
        self.effect.is_some() && self.doing == doing
    }

    /// Returns whether the VM must pass a check before somebody gets it.
    ///
    /// What was checked before the engine's start does not count; that no point in time says, since clocks can jump while
    /// nobody looks.
    pub(crate) fn needs_check(&self, now: Timestamp) -> bool {
        let PoolConfig { check, check_mode, check_interval, .. } = &*self.config;
        match check_mode {
            _ if *check == CheckConfig::None => false,
            CheckMode::Periodic => false,
            CheckMode::Strict => self.passed_at.is_none(),
            CheckMode::Lazy => {
                let is_old = |at| !check_interval.is_zero() && at + *check_interval <= now;
                self.passed_at.is_none_or(is_old)
            }
        }
    }

    /// Returns whether somebody uses the VM or wants it kept: whatever is found, it is doubted at most.
    pub(crate) fn is_kept(&self) -> bool {
        matches!(self.record.state, RecordState::InUse | RecordState::Held) || self.record.hold.is_some()
    }

    /// Returns whether the VM can be given now.
    pub(crate) fn is_free(&self) -> bool {
        pool::is_free(&self.record) && !self.stale
    }
}

impl Engine {
    /// Changes a record and keeps every index true.
    pub(crate) fn edit(&mut self, name: &VmName, change: impl FnOnce(&mut VmRecord)) {
        self.keep_vm(name);
        let Some(vm) = self.vms.get_mut(name) else { return };
        let before = vm.record.node.as_ref().map(|node| node.id.clone());
        let suspect = vm.record.suspect.clone();
        let mut provider = self.providers.get_mut(&vm.record.provider);
        let counted = |record: &VmRecord| (record.node.is_some(), pool::is_gone(record));
        let counted_before = counted(&vm.record);
        let stock_before = pool::Counted::of(&vm.record);
        if let Some(pool) = self.pools.get_mut(&vm.record.pool) {
            pool.count_out(&vm.record, vm.stale);
            provider.iter_mut().for_each(|provider| provider.gate.count_out(&vm.record));
            change(&mut vm.record);
            provider.iter_mut().for_each(|provider| provider.gate.count_in(&vm.record));
            pool.count_in(&vm.record, vm.stale);
        }
        if stock_before != pool::Counted::of(&vm.record) {
            self.touched.insert(vm.record.pool.clone());
        }
        if let Some(provider) = provider.as_mut().filter(|_| counted_before != counted(&vm.record)) {
            self.growing.append(&mut provider.gate.waiting);
            // Who makes nothing for want of creates is stood in for, even if none of its own waits.
            self.unserved = true;
        }
        let is_doubted = vm.record.suspect.is_some() || vm.record.state == RecordState::Terminating;
        if let (Some(provider), Some(node)) = (&mut provider, vm.record.node.as_ref().filter(|_| is_doubted))
        {
            provider.look_again(&node.id);
        }
        let after = vm.record.node.as_ref().map(|node| node.id.clone());
        if before != after
            && let Some(provider) = provider
        {
            if let Some(before) = before {
                provider.unbind(&before, name);
            }
            if let Some(after) = after {
                provider.orphans.remove(&after);
                if provider.gate.unrecorded.remove(&after) {
                    self.growing.append(&mut provider.gate.waiting);
                    self.unserved = true;
                }
                provider.bind(&after, name);
            }
        }
        self.out.changes.push(Change::PutVm(Box::new(vm.record.clone())));
        let now_suspect = vm.record.suspect.clone();
        if suspect != now_suspect {
            self.suspicion_changed(name, suspect, now_suspect);
        }
    }

    /// Tells the holder of a VM of what it is suspected, and everybody that it is of nothing any more.
    fn suspicion_changed(&mut self, name: &VmName, before: Option<String>, now: Option<String>) {
        let Some(VmRecord { pool, lease, owner, .. }) = self.vms.get(name).map(|vm| &vm.record) else {
            return;
        };
        let (pool, lease, owner) = (pool.clone(), lease.clone(), owner.clone());
        if let (Some(before), None) = (before, &now) {
            self.event(EventKind::VmTrusted, |event| {
                event.pool = Some(pool);
                event.vm = Some(name.clone());
                event.lease.clone_from(&lease);
                event.owner = owner;
                event.detail = format!("it was doubted because {before}");
            });
        }
        if let Some(lease) = lease {
            self.tell_holder(&lease, now);
        }
    }

    /// Notes whether a VM must pass a check before somebody gets it.
    pub(crate) fn set_stale(&mut self, name: &VmName, stale: bool) {
        let Some(vm) = self.vms.get_mut(name).filter(|vm| vm.stale != stale) else { return };
        if let Some(pool) = self.pools.get_mut(&vm.record.pool) {
            pool.count_out(&vm.record, vm.stale);
            pool.count_in(&vm.record, stale);
        }
        vm.stale = stale;
        self.touched.insert(vm.record.pool.clone());
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
    pub(crate) fn remove(&mut self, name: &VmName) {
        self.keep_vm(name);
        self.readdress(name, &[]);
        let Some(vm) = self.vms.remove(name) else { return };
        for id in vm.effects() {
            self.awaited.remove(&id);
        }
        // What was asked for it in this very step is in vain, and a node that is made for it would be an orphan.
        let (vain, effects): (Vec<_>, _) = std::mem::take(&mut self.out.effects)
            .into_iter()
            .partition(|(_, effect)| effect.vm() == Some(name));
        self.out.effects = effects;
        let creates = vain.into_iter().filter(|(_, effect)| matches!(effect, Effect::Create { .. }));
        creates.for_each(|(id, _)| self.create_not_sent(id));
        self.timers.set(Timer::Expiry(name.clone()), None);
        if let Some(pool) = self.pools.get_mut(&vm.record.pool) {
            pool.count_out(&vm.record, vm.stale);
        }
        self.drop_pool(&vm.record.pool);
        if let Some(provider) = self.providers.get_mut(&vm.record.provider) {
            if let Some(node) = &vm.record.node {
                provider.unbind(&node.id, name);
            }
            provider.gate.count_out(&vm.record);
            self.growing.append(&mut provider.gate.waiting);
        }
        self.drop_provider(&vm.record.provider);
        self.touched.insert(vm.record.pool.clone());
        self.timers.set(Timer::Vm(name.clone()), None);
        self.out.changes.push(Change::RemoveVm(name.clone()));
    }

    /// Does what the VM needs now, and sets when to look again.
    pub(crate) fn advance(&mut self, name: &VmName) {
        self.look(name);
        self.guard(name);
        if self.leave(name) {
            return;
        }
        let is_adrift = self.is_adrift(name);
        if is_adrift {
            self.doubt_adrift(name);
        }
        let Some(vm) = self.vms.get(name) else { return };
        let state = vm.record.state;
        let is_stranded =
            is_adrift && self.pools.get(&vm.record.pool).is_some_and(|pool| pool.is_stranded(&vm.record));
        let due = match state {
            _ if is_stranded => self.advance_stranded(name),
            RecordState::Spawning => self.advance_spawning(name),
            RecordState::GotIp => self.advance_got_ip(name),
            RecordState::CheckHealth => self.advance_check(name),
            RecordState::CheckHealthFailed => self.advance_failed(name),
            RecordState::Ready => self.advance_ready(name),
            RecordState::InUse => self.advance_in_use(name),
            RecordState::Releasing => self.advance_releasing(name),
            RecordState::Held => self.advance_held(name),
            RecordState::Terminating => self.advance_terminating(name),
        };
        // A transition on the way has advanced the VM itself, and set its own time.
        if self.vms.get(name).is_some_and(|vm| vm.record.state == state) {
            self.timers
                .set(Timer::Vm(name.clone()), due.map(|due| due.max(self.now + Duration::from_millis(1))));
        }
    }

    pub(crate) fn start(&mut self, name: &VmName, effect: Effect) {
        let doing = match effect {
            Effect::Check { .. } => Doing::Check,
            Effect::Hook(_) => Doing::Hook,
            Effect::Destroy { .. } => Doing::Destroy,
            _ => Doing::Other,
        };
        let id = self.effect(effect);
        self.awaited.insert(id, name.clone());
        let now = self.now;
        if let Some(vm) = self.vms.get_mut(name) {
            vm.effect = Some(id);
            vm.doing = doing;
            vm.started_at = now;
        }
    }

    /// Stops waiting for a check, if one is under way; its result will change nothing.
    pub(crate) fn forget_check(&mut self, name: &VmName) {
        if self.vms.get(name).is_some_and(|vm| vm.is_doing(Doing::Check)) {
            self.forget_effect(name);
        }
    }

    /// Stops waiting for the effect under way; its result will change nothing.
    pub(crate) fn forget_effect(&mut self, name: &VmName) {
        if let Some(id) = self.vms.get_mut(name).and_then(|vm| vm.effect.take()) {
            self.awaited.remove(&id);
        }
    }
}
