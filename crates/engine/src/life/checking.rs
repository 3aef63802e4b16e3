//! Health checks: begun, passed, failed, repeated.

use std::sync::Arc;

use vmpool_model::{EventKind, Timestamp, Transition, VmName};

use crate::{Effect, Engine, backoff, timers::Timer};

impl Engine {
    /// Starts the check of a VM whose node can be used.
    pub(crate) fn start_check(&mut self, name: &VmName) -> Option<Timestamp> {
        let now = self.now;
        let started = self.transit(name, Transition::StartCheck, |record| record.last_check = Some(now));
        if started {
            self.advance(name);
        }
        None
    }

    pub(crate) fn advance_check(&mut self, name: &VmName) -> Option<Timestamp> {
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

    pub(crate) fn advance_failed(&mut self, name: &VmName) -> Option<Timestamp> {
        match self.vms.get(name)?.record.retry_at {
            Some(retry_at) if self.now < retry_at => Some(retry_at),
            _ => self.start_check(name),
        }
    }

    pub(crate) fn check_passed(&mut self, name: &VmName) {
        let Some(vm) = self.vms.get_mut(name) else { return };
        let pool = vm.record.pool.clone();
        let is_first = !std::mem::replace(&mut vm.was_ready, true);
        let is_news = is_first || vm.record.check_fails != 0;
        if is_first {
            self.spawn_success(name);
        }
        let passed = self.transit(name, Transition::PassCheck, |record| {
            record.check_fails = 0;
            record.problem = None;
        });
        if passed && is_news {
            self.event(EventKind::VmReady, |event| {
                event.pool = Some(pool);
                event.vm = Some(name.clone());
            });
        }
        self.timers.set(Timer::Vm(name.clone()), None);
        self.advance(name);
    }
}
