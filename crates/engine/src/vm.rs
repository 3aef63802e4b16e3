//! One VM of the engine, and what it needs next: derived from its record, again and again.

use std::{sync::Arc, time::Duration};

use vmpool_model::{
    Change, EventKind, RecordState, Timestamp, Transition, VmName, VmRecord,
    config::{CheckConfig, OfferConfig, PoolConfig},
    states::NodeState,
};

use crate::{Answer, Effect, EffectId, Engine, Refusal, backoff, moment::Moment, timers::Timer};

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
    /// Since when, and in how many complete listings, the node is absent.
    pub(crate) absent: Option<(Timestamp, u32)>,
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

/// How long a destroyed node may stay in listings before it is destroyed again.
const DESTROY_PATIENCE: Duration = Duration::from_secs(60);

impl Engine {
    /// Changes a record and keeps every index true.
    pub(crate) fn edit(&mut self, name: &VmName, change: impl FnOnce(&mut VmRecord)) {
        let Some(vm) = self.vms.get_mut(name) else { return };
        let before = vm.record.node.as_ref().map(|node| node.id.clone());
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

    fn advance_spawning(&mut self, name: &VmName) -> Option<Timestamp> {
        let vm = self.vms.get(name)?;
        let deadline = (vm.record.created_at + vm.config.boot_timeout).max(vm.boot_grace);
        if deadline <= self.now {
            let why = "it took longer than boot_timeout to start";
            self.spawn_trouble(name, why, None);
            self.terminate(name, why);
            return None;
        }
        if vm.record.node.is_some() || vm.effect.is_some() {
            return Some(deadline);
        }
        match vm.record.retry_at {
            Some(retry_at) if self.now < retry_at => return Some(retry_at.min(deadline)),
            _ => {}
        }
        // After a change of the configuration, the template may be gone, or another provider's.
        let pool = self.pools.get(&vm.record.pool);
        let is_wanted = pool.is_some_and(|pool| {
            let is_its = |offer: &OfferConfig| {
                offer.provider == vm.record.provider && offer.template == vm.record.template
            };
            !pool.retired && pool.offers.iter().any(is_its)
        });
        match vm.may_exist {
            true => self.find(name),
            false if is_wanted => self.create(name),
            false => {
                self.terminate(name, "its pool no longer makes such VMs");
                return None;
            }
        }
        Some(deadline)
    }

    fn create(&mut self, name: &VmName) {
        let Some(vm) = self.vms.get(name) else { return };
        let effect = Effect::Create {
            provider: vm.record.provider.clone(),
            vm: name.clone(),
            token: vm.record.token(&self.spec.installation),
            template: vm.record.template.clone(),
        };
        self.start(name, effect);
        let now = self.moment();
        if let Some(vm) = self.vms.get_mut(name) {
            // From here on only a look-up can tell that there is no node.
            vm.may_exist = true;
            vm.asked_at = now;
        }
    }

    fn find(&mut self, name: &VmName) {
        let Some(vm) = self.vms.get(name) else { return };
        let effect = Effect::Find {
            provider: vm.record.provider.clone(),
            vm: name.clone(),
            token: vm.record.token(&self.spec.installation),
        };
        self.start(name, effect);
    }

    /// Starts the check of a VM whose node can be used.
    fn start_check(&mut self, name: &VmName) -> Option<Timestamp> {
        let now = self.now;
        let started = self.transit(name, Transition::StartCheck, |record| record.last_check = Some(now));
        if started {
            self.advance(name);
        }
        None
    }

    fn advance_check(&mut self, name: &VmName) -> Option<Timestamp> {
        let vm = self.vms.get(name)?;
        // Whoever carries the check out ends it in its time; how long it waits for its turn says nothing of the VM.
        if vm.effect.is_none() {
            let effect = Effect::Check {
                vm: name.clone(),
                pool: vm.record.pool.clone(),
                node: vm.record.node.clone()?,
                check: vm.config.check.clone(),
                host_key: vm.record.host_key.clone(),
                max_checks: vm.config.max_checks,
                timeout: vm.config.check_timeout,
            };
            self.start(name, effect);
        }
        None
    }

    pub(crate) fn check_failed(&mut self, name: &VmName, why: &str) {
        let Some(vm) = self.vms.get(name) else { return };
        let config = Arc::clone(&vm.config);
        let fails = vm.record.check_fails + 1;
        let pause = backoff::pause(config.retry_min, config.retry_max, fails, None, self.rng.f64());
        let retry_at = self.now + pause;
        let failed = self.transit(name, Transition::FailCheck, |record| {
            record.check_fails = fails;
            record.retry_at = Some(retry_at);
            record.problem = Some(why.to_owned());
        });
        if !failed {
            return;
        }
        let pool = self.vms.get(name).map(|vm| vm.record.pool.clone());
        self.event(EventKind::CheckFailed, |event| {
            event.pool = pool;
            event.vm = Some(name.clone());
            event.detail = why.to_owned();
        });
        if fails <= config.max_check_fails {
            return self.timers.set(Timer::Vm(name.clone()), Some(retry_at));
        }
        let why = format!("{fails} health checks in a row failed: {why}");
        // Whoever never was ready tells of a bad template: the next one will do no better.
        if self.vms.get(name).is_some_and(|vm| !vm.was_ready) {
            self.spawn_trouble(name, &why, None);
        }
        self.terminate(name, &why);
    }

    fn advance_failed(&mut self, name: &VmName) -> Option<Timestamp> {
        match self.vms.get(name)?.record.retry_at {
            Some(retry_at) if self.now < retry_at => Some(retry_at),
            _ => self.start_check(name),
        }
    }

    fn advance_ready(&mut self, name: &VmName) -> Option<Timestamp> {
        let Vm { record, config, .. } = self.vms.get(name)?;
        let leaves_at = (!record.is_clean()).then(|| record.since + config.dirty_timeout);
        if leaves_at.is_some_and(|at| at <= self.now) {
            self.terminate(name, "its last user did not come back");
            return None;
        }
        let checked =
            config.check != CheckConfig::None && !config.check_interval.is_zero() && record.is_clean();
        // From the end of the last check on: one that takes longer than the interval would never let the VM be ready.
        let check_at = checked.then(|| record.since + config.check_interval);
        if check_at.is_some_and(|at| at <= self.now) {
            return self.start_check(name);
        }
        leaves_at.into_iter().chain(check_at).min()
    }

    /// Gives up a VM whose lease is not recorded; an atomic store never shows one.
    fn advance_in_use(&mut self, name: &VmName) -> Option<Timestamp> {
        let lease = self.vms.get(name)?.record.lease.as_ref().and_then(|lease| self.leases.get(lease));
        if lease.is_none_or(|lease| lease.vm != *name) {
            self.edit(name, |record| record.lease = None);
            self.terminate(name, "its lease is not recorded");
        }
        None
    }

    fn advance_terminating(&mut self, name: &VmName) -> Option<Timestamp> {
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
            self.event(EventKind::LeaseReleased, |event| {
                event.pool = Some(lease.pool.clone());
                event.vm = Some(lease.vm.clone());
                event.lease = Some(lease.id.clone());
                event.owner = Some(lease.owner.clone());
                event.detail = format!("the VM is terminated: {reason}");
            });
            self.forget_lease(&lease);
        }
        self.terminate(name, reason);
        Answer::Accepted
    }

    fn start(&mut self, name: &VmName, effect: Effect) {
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
