//! A VM that can be leased: when it is checked again, and when it is given up.

use vmpool_model::{
    Owner, PoolName, RecordState, Sandbox, Timestamp, VmName,
    config::{CheckConfig, CheckMode},
};

use crate::{Engine, pool::Pool, vm::Vm};

impl Engine {
    pub(crate) fn advance_ready(&mut self, name: &VmName) -> Option<Timestamp> {
        let Vm { record, config, spared_until, .. } = self.vms.get(name)?;
        let kept_since = record.dirty_since.or(record.last_release).unwrap_or(record.since);
        let leaves_at = (!record.is_clean()).then(|| (kept_since + config.dirty_timeout).max(*spared_until));
        if leaves_at.is_some_and(|at| at <= self.now) {
            self.terminate(name, "its last user did not come back");
            return None;
        }
        let old_at = config.max_age.map(|age| (record.created_at + age).max(*spared_until));
        if old_at.is_some_and(|at| at <= self.now) {
            self.terminate(name, "it is older than max_age");
            return None;
        }
        let check_at = self.check_at(name);
        if check_at.is_some_and(|at| at <= self.now) {
            return self.start_check(name);
        }
        leaves_at.into_iter().chain(old_at).chain(check_at).chain(self.stale_at(name)).min()
    }

    /// Returns when a ready VM is to be checked whoever wants it.
    fn check_at(&self, name: &VmName) -> Option<Timestamp> {
        let Vm { record, config, .. } = self.vms.get(name)?;
        match config.check_mode {
            _ if config.check == CheckConfig::None => None,
            CheckMode::Lazy => None,
            CheckMode::Strict if self.vms.get(name)?.needs_check(self.now) => Some(self.now),
            // From the end of the last check on: one that takes longer than the interval would never let the VM be ready.
            CheckMode::Periodic | CheckMode::Strict => {
                (!config.check_interval.is_zero()).then(|| record.since + config.check_interval)
            }
        }
    }

    /// Keeps apart who must be checked before somebody gets it; returns when that becomes so by time alone.
    fn stale_at(&mut self, name: &VmName) -> Option<Timestamp> {
        let vm = self.vms.get(name)?;
        let stale = vm.needs_check(self.now);
        let may_become = !stale
            && vm.config.check_mode == CheckMode::Lazy
            && vm.needs_check(Timestamp::from_millis(i64::MAX));
        let at = vm.passed_at.filter(|_| may_become).map(|at| at + vm.config.check_interval);
        self.set_stale(name, stale);
        at
    }

    /// Begins checks of ready VMs that nobody gets without one: as many as those who wait want, those under way included.
    pub(crate) fn probe(&mut self, name: &PoolName) {
        while let Some(pool) = self.pools.get(name)
            && pool.is_open()
            && pool.count(RecordState::CheckHealth) < pool.demand()
            && let Some(vm) = pool.next_probed()
        {
            self.start_check(&vm);
        }
    }

    /// Begins the check of a ready VM that this tenant could be given after it, unless one is under way already; for who
    /// does not wait, so that a later request is served.
    pub(crate) fn probe_for_acquire(&mut self, name: &PoolName, owner: &Owner, sandbox: Option<&Sandbox>) {
        let Some(pool) = self.pools.get(name).filter(|pool| pool.is_open()) else { return };
        let own = pool.stale_dirty.get(&(owner.clone(), sandbox.cloned()));
        let vm = own.and_then(|vms| vms.first()).or(pool.stale_clean.first());
        if let Some((_, vm)) = vm.cloned().filter(|_| pool.count(RecordState::CheckHealth) <= pool.demand()) {
            self.start_check(&vm);
        }
    }
}

impl Pool {
    /// Returns the VM whose check lets somebody who waits be served.
    fn next_probed(&self) -> Option<VmName> {
        let own = self
            .queue
            .first_of(&self.stale_dirty)
            .and_then(|(tenant, _)| self.stale_dirty.get(tenant)?.first());
        own.or(self.stale_clean.first()).map(|(_, vm)| vm.clone())
    }
}
