//! When a request is likely to be served: as long as VMs took to become ready, and as leases lasted.

use std::time::Duration;

use vmpool_model::{Lease, PoolName, Timestamp, config::OnRelease};

use crate::{Engine, Limit, begins::Ends, explain::Ahead, pool::Pool, queue::Waiter};

impl Engine {
    /// Measures how long a lease lasted that ends.
    pub(crate) fn measure_lease(&mut self, lease: &Lease) {
        let now = self.now;
        if let Some(pool) = self.pools.get_mut(&lease.pool) {
            let (lasted, half_life) = (now.since(lease.acquired_at), pool.half_life());
            pool.lease_time.add(lasted.as_secs_f64(), now, half_life);
        }
    }

    /// Returns when the leases of a pool are likely to end, the soonest first: as long after they began as leases last.
    ///
    /// Of those that last longer than that already nothing is known, and nothing is told.
    pub(crate) fn lease_ends(&self, name: &PoolName) -> Ends<'_> {
        match self.pools.get(name).and_then(Pool::lasting) {
            Some(lasting) => self.begins.ends(name, lasting, self.now),
            None => Ends::default(),
        }
    }

    /// Returns when a pool is likely to have what a request wants, after all those that come before it had theirs.
    pub(crate) fn likely_at(
        &self,
        waiter: &Waiter,
        name: &PoolName,
        limit: &Limit,
        ahead: Ahead,
        ends: &mut Ends<'_>,
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
            return pool.freed_at(missing, boot, ends);
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
    /// Returns how long leases last on the average, if one ever ended.
    fn lasting(&self) -> Option<Duration> {
        Duration::try_from_secs_f64(self.lease_time.get()?).ok()
    }

    /// Returns when this many VMs are likely to have been given back, and used again or replaced: at the likely ends of the
    /// leases, and if these are too few, of those that follow them.
    fn freed_at(&self, vms: usize, boot: Option<Duration>, ends: &mut Ends<'_>) -> Option<Timestamp> {
        let replaced = match self.config.on_release {
            OnRelease::Destroy => boot?,
            OnRelease::Clean | OnRelease::Reuse => Duration::ZERO,
        };
        let before = vms.checked_sub(1)?;
        let (end, rounds) = match ends.get(before) {
            Some(end) => (end, 0),
            None => (ends.get(before.checked_rem(ends.known())?)?, before.checked_div(ends.known())?),
        };
        let rounds = u32::try_from(rounds).unwrap_or(u32::MAX);
        Some(end + replaced + self.lasting()?.saturating_add(replaced).saturating_mul(rounds))
    }
}
