//! Health checks: begun, passed, failed, repeated, overdue.

use std::sync::Arc;

use vmpool_model::{
    EventKind, RecordState, Timestamp, Transition, VmName,
    config::{CheckConfig, HookKind},
};

use crate::{CheckReport, Effect, Engine, backoff, vm::Doing};

impl Engine {
    /// Goes on from the address to the first check, by the hook `after_boot` if there is one.
    pub(crate) fn advance_got_ip(&mut self, name: &VmName) -> Option<Timestamp> {
        let vm = self.vms.get(name)?;
        if vm.record.prepared || vm.config.hooks.after_boot.is_none() {
            return self.start_check(name);
        }
        let start_by = self.start_deadline(name);
        if start_by.is_some_and(|at| at <= self.now) {
            self.start_failed(name, "it took longer than start_timeout to pass a check");
            return None;
        }
        self.run_hook(name, HookKind::AfterBoot).into_iter().chain(start_by).min()
    }

    /// Starts the check of a VM whose node can be used and that nobody uses.
    pub(crate) fn start_check(&mut self, name: &VmName) -> Option<Timestamp> {
        // Who passes for want of a check was not checked.
        let is_checked = self.vms.get(name).is_some_and(|vm| vm.config.check != CheckConfig::None);
        let begun = is_checked.then_some(self.now);
        if self
            .transit(name, Transition::StartCheck, |record| record.last_check = begun.or(record.last_check))
        {
            self.advance(name);
        }
        None
    }

    pub(crate) fn advance_check(&mut self, name: &VmName) -> Option<Timestamp> {
        let vm = self.vms.get(name)?;
        if vm.config.check == CheckConfig::None {
            self.check_passed(name, &CheckReport::default());
            return None;
        }
        let start_by = self.start_deadline(name);
        let is_late = start_by.is_some_and(|at| at <= self.now);
        if is_late && vm.record.hold.is_none() {
            self.start_failed(name, "it took longer than start_timeout to pass a check");
            return None;
        }
        let start_by = start_by.filter(|_| !is_late);
        let Some(overdue_at) = self.ask_for_check(name) else { return start_by };
        if overdue_at <= self.now {
            self.forget_check(name);
            self.check_failed(name, "the check had no outcome within check_max_time", false);
            return None;
        }
        start_by.into_iter().chain([overdue_at]).min()
    }

    /// Asks for the check of a VM unless that is under way, and not while it waits for something else; returns when an
    /// outcome is overdue.
    pub(crate) fn ask_for_check(&mut self, name: &VmName) -> Option<Timestamp> {
        let vm = self.vms.get(name)?;
        let max_time = vm.config.check_max_time;
        if vm.is_doing(Doing::Check) {
            return Some(vm.started_at + max_time);
        }
        if vm.effect.is_some() {
            return None;
        }
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
        Some(self.now + max_time)
    }

    /// Returns until when a VM that never was ready must pass a check, if there is such a time.
    fn start_deadline(&self, name: &VmName) -> Option<Timestamp> {
        let vm = self.vms.get(name)?;
        let deadline = vm.record.starting_since? + vm.config.start_timeout?;
        // Nobody looked before a restart: one check must be possible.
        Some(deadline.max(vm.spared_until + vm.config.check_timeout))
    }

    /// Gives up a VM that never was ready, which tells of a bad template: the next one will do no better.
    pub(crate) fn start_failed(&mut self, name: &VmName, why: &str) {
        self.spawn_trouble(name, why, None);
        self.terminate(name, why);
    }

    /// A check was answered; if the VM is no longer checked, that changes nothing.
    pub(crate) fn checked(&mut self, name: &VmName, result: Result<CheckReport, String>) {
        match (self.vms.get(name).map(|vm| vm.record.state), result) {
            (Some(RecordState::CheckHealth), Ok(report)) => self.check_passed(name, &report),
            (Some(RecordState::CheckHealth), Err(why)) => self.check_failed(name, &why, true),
            (Some(RecordState::InUse), Ok(report)) => self.check_passed_in_use(name, &report),
            (Some(RecordState::InUse), Err(why)) => self.check_failed_in_use(name, &why),
            _ => {}
        }
    }

    fn check_passed(&mut self, name: &VmName, report: &CheckReport) {
        if let Some(why) = self.mistaken_for(name) {
            return self.check_failed(name, &why, false);
        }
        let now = self.now;
        let Some(vm) = self.vms.get_mut(name) else { return };
        vm.passed_at = Some(now);
        let pool = vm.record.pool.clone();
        let is_first = vm.record.starting_since.is_some();
        let is_news = is_first || vm.record.check_fails != 0;
        if is_first {
            self.spawn_success(name);
        }
        let passed = self.transit(name, Transition::PassCheck, |record| {
            record.starting_since = None;
            record.prepared = true;
            record.check_fails = 0;
            record.problem = None;
            record.host_key = record.host_key.take().or_else(|| report.host_key.clone());
        });
        if passed && is_news {
            self.event(EventKind::VmReady, |event| {
                event.pool = Some(pool);
                event.vm = Some(name.clone());
            });
        }
        self.keep_or_advance(name);
    }

    /// Says which other VM there is with the address that was checked, and may be used: addresses come back, so that the node
    /// of one of the two is gone. Until that is known, nobody is told the address a second time.
    ///
    /// A command of the operator may know how to tell VMs apart that share an address, such as those of isolated networks.
    fn mistaken_for(&self, name: &VmName) -> Option<String> {
        let is_by_address =
            |check: &CheckConfig| !matches!(check, CheckConfig::None | CheckConfig::Exec { .. });
        let vm = self.vms.get(name).filter(|vm| is_by_address(&vm.config.check))?;
        let address = vm.record.node.as_ref()?.addresses.first()?;
        let is_usable = |state| {
            matches!(
                state,
                RecordState::Ready | RecordState::InUse | RecordState::Releasing | RecordState::Held
            )
        };
        let mut others = self.vms_with_address(*address).filter(|other| {
            other.name != *name && other.provider == vm.record.provider && is_usable(other.state)
        });
        let other = others.next()?;
        Some(format!("its address {address} is that of VM {}, too, which is {}", other.name, other.state))
    }

    /// The check of a VM failed that nobody uses; one that was only overdue says nothing of the VM, and does not count.
    fn check_failed(&mut self, name: &VmName, why: &str, counts: bool) {
        let Some(vm) = self.vms.get(name) else { return };
        let config = Arc::clone(&vm.config);
        let is_starting = vm.record.starting_since.is_some();
        let fails = vm.record.check_fails.saturating_add(u32::from(counts));
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
        self.check_failed_event(name, why);
        // Where there is a deadline for the start, as many checks may fail until then as will.
        let has_time = is_starting && config.start_timeout.is_some();
        let is_to_be_held = self.vms.get(name).is_some_and(|vm| vm.record.hold.is_some());
        if fails <= config.max_check_fails || has_time || is_to_be_held {
            return self.keep_or_advance(name);
        }
        let why = format!("{fails} health checks in a row failed: {why}");
        match is_starting {
            true => self.start_failed(name, &why),
            false => self.terminate(name, &why),
        }
    }

    pub(crate) fn advance_failed(&mut self, name: &VmName) -> Option<Timestamp> {
        let start_by = self.start_deadline(name);
        if start_by.is_some_and(|at| at <= self.now) {
            self.start_failed(name, "it took longer than start_timeout to pass a check");
            return None;
        }
        let vm = self.vms.get(name)?;
        if let Some(why) = self.used_up(vm) {
            self.terminate(name, why);
            return None;
        }
        match vm.record.retry_at {
            Some(retry_at) if self.now < retry_at => start_by.into_iter().chain([retry_at]).min(),
            _ => self.start_check(name),
        }
    }

    pub(crate) fn check_failed_event(&mut self, name: &VmName, why: &str) {
        let Some(vm) = self.vms.get(name) else { return };
        let (pool, lease) = (vm.record.pool.clone(), vm.record.lease.clone());
        self.event(EventKind::CheckFailed, |event| {
            event.pool = Some(pool);
            event.vm = Some(name.clone());
            event.lease = lease;
            event.detail = why.to_owned();
        });
    }
}
