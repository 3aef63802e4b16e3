//! A pool stands in for another one only while that one can make nothing itself.

use std::{collections::BTreeSet, time::Duration};

use tokio::time::Instant;
use vmpool_manager::{
    model::{EventKind, Lease, PoolName, VmRecord},
    store::Batch,
};

use super::Ledger;
use crate::reload::Config;

/// How long ago the last trouble must be: a breaker pauses for ten minutes at most.
const QUIET: Duration = Duration::from_secs(700);

impl Ledger {
    /// Nothing goes wrong any more.
    pub(crate) fn calm(&mut self) {
        self.calm_since = Some(Instant::now());
    }

    /// Notes what may keep pools from making VMs.
    pub(super) fn note_trouble(&mut self, batch: &Batch) {
        let is_trouble = |kind: &EventKind| {
            matches!(kind, EventKind::OfferPaused | EventKind::BreakerOpened | EventKind::SpawnFailed)
        };
        if self.calm_since.is_some() && batch.events.iter().any(|event| is_trouble(&event.kind)) {
            self.calm();
        }
    }

    /// Returns the pools that can make a VM, as far as that is certain: only when nothing went wrong for a while.
    pub(super) fn able(&self) -> BTreeSet<PoolName> {
        let [config] = self.configs.as_slice() else { return BTreeSet::new() };
        if self.calm_since.is_none_or(|since| since.elapsed() < QUIET) {
            return BTreeSet::new();
        }
        config.pools.keys().filter(|name| self.is_able(config, name)).cloned().collect()
    }

    fn is_able(&self, config: &Config, name: &PoolName) -> bool {
        let Some(pool) = config.pools.get(name).filter(|_| !self.is_drained(name)) else { return false };
        let there = || self.rows.vms.values().filter(|vm| !vm.is_gone());
        let mut offers = pool.offers().into_iter().filter(|offer| {
            let Some(provider) = config.providers.get(&offer.provider) else { return false };
            if self.may_have_unknown(&offer.provider) && !provider.quota.is_empty() {
                return false;
            }
            let made = there().filter(|vm| vm.pool == *name && vm.provider == offer.provider).count();
            let has_room = |(resource, most): (&String, &u64)| {
                let need = |needs: &std::collections::BTreeMap<String, u64>| match resource.as_str() {
                    "vms" => 1,
                    _ => needs.get(resource).copied().unwrap_or_default(),
                };
                let here = there().filter(|vm| vm.provider == offer.provider);
                let taken: u64 = here.map(|vm: &VmRecord| need(&vm.needs)).sum();
                need(&offer.needs) == 0 || taken + need(&offer.needs) <= *most
            };
            offer.max_total.is_none_or(|most| made < most as usize) && provider.quota.iter().all(has_room)
        });
        self.rows.count(name).all < pool.max_total() as usize && offers.next().is_some()
    }

    /// What stands in for a pool that can make VMs is not used.
    pub(super) fn check_stand_in(
        &self,
        config: &Config,
        able: &BTreeSet<PoolName>,
        lease: &Lease,
    ) -> Result<(), String> {
        let Some(request) = self.rows.requests.get(&lease.request) else { return Ok(()) };
        let has_labels = |name: &PoolName| {
            config.pools.get(name).is_some_and(|pool| request.labels.is_subset(&pool.labels))
        };
        let named: Vec<_> = match request.pools.is_empty() {
            true => config.pools.keys().cloned().collect(),
            false => request.pools.clone(),
        };
        let meant: Vec<_> = named.into_iter().filter(has_labels).collect();
        let mut seen: BTreeSet<_> = meant.iter().cloned().collect();
        if seen.contains(&lease.pool) {
            return Ok(());
        }
        for first in &meant {
            let (mut pool, mut instead_of) = (first, first);
            while let Some(next) = config.pools.get(pool).and_then(|pool| pool.fallback.as_ref()) {
                if !seen.insert(next.clone()) {
                    break;
                }
                ensure!(
                    *next != lease.pool || !able.contains(instead_of) || !self.able().contains(instead_of),
                    "{} is of {}, which stands in for {instead_of}, and that can make VMs",
                    lease.id,
                    lease.pool
                );
                if has_labels(next) && !self.is_drained(next) {
                    instead_of = next;
                }
                pool = next;
            }
        }
        Ok(())
    }
}
