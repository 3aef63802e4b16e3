//! When a request is likely to be served: as long as VMs took to become ready, and as leases lasted.

use std::time::Duration;

use vmpool_model::{Lease, PoolName, RecordState, Timestamp, config::OnRelease};

use crate::{Engine, Limit, explain::Ahead, pool::Pool, queue::Waiter};

impl Engine {
    /// Measures how long a lease lasted that ends.
    pub(crate) fn measure_lease(&mut self, lease: &Lease) {
        let now = self.now;
        if let Some(pool) = self.pools.get_mut(&lease.pool) {
            let (lasted, half_life) = (now.since(lease.acquired_at), pool.half_life());
            pool.lease_time.add(lasted.as_secs_f64(), now, half_life);
        }
    }

    /// Returns when a pool is likely to have what a request wants, after all those that come before it had theirs.
    pub(crate) fn likely_at(
        &self,
        waiter: &Waiter,
        name: &PoolName,
        limit: &Limit,
        ahead: Ahead,
    ) -> Option<Timestamp> {
        let pool = self.pools.get(name)?;
        let ready = pool.clean_count() + pool.kept_for(&waiter.tenant);
        let needed = (ahead.vms + waiter.shape.count as usize).saturating_sub(ready);
        let missing = needed.saturating_sub(pool.starting());
        if let Limit::OwnerLimit { .. } | Limit::StandsBy { .. } = limit {
            return None;
        }
        let boot = self.boot_time(name);
        if missing != 0
            && let Err(Limit::PoolFull { .. } | Limit::OfferFull { .. } | Limit::Quota { .. }) =
                self.can_grow(name)
        {
            return Some(self.now + pool.freed_after(missing, boot)?);
        }
        let boot = boot?;
        if missing == 0 {
            let started = pool.last_spawn.unwrap_or(self.now);
            return Some((started + boot).max(self.now));
        }
        let rounds = u32::try_from(missing.div_ceil(pool.config.max_starting as usize)).unwrap_or(u32::MAX);
        let under_way = boot.saturating_mul(u32::from(pool.starting() != 0));
        match self.can_grow(name) {
            Ok(())
            | Err(Limit::MaxStarting { .. } | Limit::SpawnInterval { .. } | Limit::CreateWindow { .. }) => {
                Some(self.now + under_way + boot.saturating_mul(rounds))
            }
            Err(limit) => Some(limit.until()? + boot.saturating_mul(rounds)),
        }
    }
}

impl Pool {
    /// Returns after how long this many VMs are likely to be given back, and used again or replaced.
    fn freed_after(&self, vms: usize, boot: Option<Duration>) -> Option<Duration> {
        let leased = self.count(RecordState::InUse);
        if leased == 0 {
            return None;
        }
        let replaced = match self.config.on_release {
            OnRelease::Destroy => boot?,
            OnRelease::Clean | OnRelease::Reuse => Duration::ZERO,
        };
        let seconds = self.lease_time.get()? * vms as f64 / leased as f64;
        Some(Duration::try_from_secs_f64(seconds).ok()? + replaced)
    }
}
