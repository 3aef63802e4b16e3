//! The invariants of what VMs are made from: every count is a recount, and no pool forgets that it wants VMs.

use vmpool_model::PoolName;

use crate::{Engine, check::ensure, gate::Gate, pool::Pool, timers::Timer};

impl Engine {
    pub(crate) fn check_supply(&self) -> Result<(), String> {
        for (name, provider) in &self.providers {
            let mut recount = Gate::new(&provider.config);
            let records = self.vms.values().map(|vm| &vm.record);
            records.filter(|record| record.provider == *name).for_each(|record| recount.count_in(record));
            ensure(provider.gate.has_same_counts(&recount), || {
                format!("{name}: a recount gives {recount:#?} instead of {:#?}", provider.gate)
            })?;
        }
        self.pools.iter().try_for_each(|(name, pool)| self.check_growth(name, pool))
    }

    /// Whoever wants VMs has what it may have, and looks again when it may have more.
    fn check_growth(&self, name: &PoolName, pool: &Pool) -> Result<(), String> {
        if !pool.is_open() || pool.desired() <= pool.live() {
            return Ok(());
        }
        let is_kept_back = self.next_offer(pool).is_err() && !pool.limits.is_empty();
        ensure(is_kept_back, || format!("pool {name} wants more VMs, may have them, and has them not"))?;
        let wakes_at = self.timers.get(&Timer::Pool(name.clone()));
        // Another pool's turn may have put more in the way by now; who looks again will see.
        for limit in &pool.limits {
            let is_in_time = |until| wakes_at.is_some_and(|at| at <= until);
            ensure(limit.until().is_none_or(is_in_time), || {
                format!("pool {name} looks again at {wakes_at:?}, which is too late: {limit}")
            })?;
            let waits = |provider| {
                self.providers.get(provider).is_some_and(|provider| provider.gate.waiting.contains(name))
            };
            ensure(limit.ends_at().is_none_or(waits), || {
                format!("pool {name} is not told when this ends: {limit}")
            })?;
        }
        Ok(())
    }
}
