//! A VM that can be leased: when it is checked again, and when it is given up.

use std::{collections::BTreeSet, time::Duration};

use vmpool_model::{
    PoolName, RecordState, RequestRecord, Timestamp, VmName,
    config::{CheckConfig, CheckMode},
};

use crate::{
    Engine,
    pool::Pool,
    queue::{self, Tenant},
    vm::Vm,
};

/// How long a check that somebody waits for may take to begin and to be told of, beside its own time.
const CHECK_TURN: Duration = Duration::from_secs(5);

impl Engine {
    pub(crate) fn advance_ready(&mut self, name: &VmName) -> Option<Timestamp> {
        let vm = self.vms.get(name)?;
        let Vm { record, config, spared_until, .. } = vm;
        if let Some(why) = self.used_up(vm) {
            self.terminate(name, why);
            return None;
        }
        let kept_since = record.dirty_since.or(record.last_release).unwrap_or(record.since);
        let leaves_at = (!record.is_clean()).then(|| (kept_since + config.dirty_timeout).max(*spared_until));
        if leaves_at.is_some_and(|at| at <= self.now) {
            self.terminate(name, "its last user did not come back");
            return None;
        }
        let odd_at = vm.odd_since.filter(|_| record.suspect.is_none()).map(|at| at + config.boot_timeout);
        if odd_at.is_some_and(|at| at <= self.now) {
            let state = record.node.as_ref().map(|node| node.state.to_string()).unwrap_or_default();
            self.suspect(name, &format!("its node is {state} for longer than boot_timeout"));
            return self.advance_ready(name);
        }
        let old_at = config.max_age.map(|age| (record.created_at + age).max(*spared_until));
        let check_at = self.check_at(name);
        if check_at.is_some_and(|at| at <= self.now) {
            return self.start_check(name);
        }
        leaves_at.into_iter().chain(odd_at).chain(old_at).chain(check_at).chain(self.stale_at(name)).min()
    }

    /// Returns when a ready VM is to be checked whoever wants it.
    fn check_at(&self, name: &VmName) -> Option<Timestamp> {
        let Vm { record, config, .. } = self.vms.get(name)?;
        match config.check_mode {
            _ if config.check == CheckConfig::None => None,
            CheckMode::Lazy => None,
            // It became ready while its pool had no check.
            _ if record.last_check.is_none() => Some(self.now),
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

    /// Returns by when a request that waits is served or will not be, if ready VMs are there for it that must be checked first.
    pub(crate) fn checked_by(&self, request: &RequestRecord) -> Option<Timestamp> {
        let waiter = self.waiting.get(&queue::place(request))?;
        let candidates = &waiter.shape.candidates;
        let used = (0..candidates.len()).filter(|index| self.is_used(candidates, *index));
        let pools: Vec<_> = used.filter_map(|index| self.pools.get(&candidates[index].pool)).collect();
        // Others who wait get theirs first.
        let at_hand = pools.iter().map(|pool| pool.at_hand(&waiter.tenant).saturating_sub(pool.demand()));
        if at_hand.sum::<usize>() < request.count as usize || !self.is_within_limits(waiter) {
            return None;
        }
        let longest = pools.iter().map(|pool| pool.config.check_timeout).max()?;
        Some(self.now + longest + CHECK_TURN)
    }
}

impl Pool {
    /// Returns how many ready VMs a tenant could have, those that must be checked before included.
    pub(crate) fn at_hand(&self, tenant: &Tenant) -> usize {
        let stale = self.stale_dirty.get(tenant).map_or(0, BTreeSet::len);
        self.clean_count() + self.kept_for(tenant) + stale
    }

    /// Returns the VM whose check lets somebody who waits be served.
    fn next_probed(&self) -> Option<VmName> {
        let own = self.stale_expected.first().and_then(|tenant| self.stale_dirty.get(tenant)?.first());
        own.or(self.stale_clean.first()).map(|(_, vm)| vm.clone())
    }
}
