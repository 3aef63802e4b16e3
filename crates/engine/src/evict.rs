//! VMs that are kept for their last users, or that nobody needs, make room for those who wait; and what one pool has too much
//! of, for what another one is to keep.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

use vmpool_model::{PoolName, ProviderName, VmName, VmRecord, config::OfferConfig};

use crate::{
    Engine, Limit,
    pool::Pool,
    quota::{self, Usage},
    serve::Walk,
    worth::Site,
};

const OF_POOL: &str = "others wait, and its last user does not use it";
const OF_OFFER: &str = "others wait for another VM of its offer, and its last user does not use it";
const OF_PROVIDER: &str = "others wait for its room at the provider, and nobody uses it";
const OF_STOCK: &str = "another pool lacks its room at the provider, and this pool no longer needs it";

impl Engine {
    /// Destroys VMs that nobody uses where others wait and there is no room for them.
    pub(crate) fn evict(&mut self, name: &PoolName) {
        while let Some(pool) = self.pools.get(name)
            && pool.config.max_total() as usize <= pool.total()
            && pool.clean_count() + pool.coming() < pool.demand()
            && let Some(vm) = self.oldest_evictable(pool)
        {
            self.terminate(&vm, OF_POOL);
        }
        while let Some((vms, why)) = self.in_the_way(name) {
            vms.iter().for_each(|vm| self.terminate(vm, why));
        }
        // What makes room for a stock depends on how large that is to be, which is still to be decided.
        let is_for_somebody = self.pools.get(name).is_some_and(|pool| pool.missing() != 0);
        self.in_nobodys_way = is_for_somebody.then(|| (name.clone(), self.out.changes.len()));
    }

    /// Returns whether nothing changed since it was found that nothing can make room for the pool.
    pub(crate) fn is_known_in_vain(&self, name: &PoolName) -> bool {
        let is_it = |(pool, changes): &(PoolName, usize)| pool == name && *changes == self.out.changes.len();
        self.in_nobodys_way.as_ref().is_some_and(is_it)
    }

    /// Returns VMs that nobody uses, and whose end lets the pool have one more VM for those who wait or, if there are enough for
    /// them, of those that it is to keep.
    pub(crate) fn in_the_way(&self, name: &PoolName) -> Option<(Vec<VmName>, &'static str)> {
        let pool = self.pools.get(name)?;
        if pool.missing() == 0 {
            return self.in_the_way_of_stock(name, pool);
        }
        let limits = self.next_offer(pool).err()?;
        let mut offers: Vec<_> = pool.offers.iter().zip(&limits).collect();
        offers.sort_by_key(|(offer, _)| offer.config.preference);
        offers.into_iter().find_map(|(offer, limit)| match limit {
            Limit::OfferFull { .. } => {
                let mut dirty =
                    pool.dirty_vms().filter(|vm| self.is_evictable(vm)).filter_map(|vm| self.vms.get(vm));
                let oldest = dirty.find(|vm| offer.made(&vm.record))?;
                Some((vec![oldest.record.name.clone()], OF_OFFER))
            }
            Limit::Quota { .. } => Some((self.in_the_way_at(name, pool, &offer.config)?, OF_PROVIDER)),
            _ => None,
        })
    }

    /// Returns the VMs, of any pools, whose end gives room to one VM more of those that are missing: none if even the end
    /// of all would not, or if enough room comes without. What others keep ready is among them only where a request is
    /// given all that it wants thereby.
    fn in_the_way_at(&self, name: &PoolName, pool: &Pool, offer: &OfferConfig) -> Option<Vec<VmName>> {
        let provider = self.providers.get(&offer.provider)?;
        let quota = &provider.config.quota;
        let stays = provider.gate.taken().without(&provider.gate.leaving());
        let fit = (0..pool.missing()).find(|fit| stays.lack(quota, &offer.needs, fit + 1).is_some())?;
        let kept = provider.gate.dirty().filter(|name| self.is_evictable(name));
        let idle: Vec<_> = self.unneeded_at(&offer.provider).chain(kept).collect();
        let room = |vms: &[&VmName]| make_room(self, stays.clone(), quota, &offer.needs, fit + 1, vms);
        if let Some(found) = room(&idle) {
            return Some(found);
        }
        let stock: Vec<_> = self.stock_at(&offer.provider).collect();
        let late = self.set_aside_late(name, &offer.provider, fit);
        let all = [&idle[..], &stock, &late].concat();
        let found = room(&all);
        if stock.is_empty() {
            return found;
        }
        let mut freed = stays.clone();
        let each: BTreeSet<_> = all.iter().copied().collect();
        each.into_iter().filter_map(|vm| self.vms.get(vm)).for_each(|vm| freed.remove(&vm.record));
        match fit < self.worth(Site { pool: name, provider: &offer.provider, freed: &freed }, pool) {
            true => found,
            false => room(&[&idle[..], &late].concat()),
        }
    }

    /// Returns VMs that other pools have too many of, and whose end gives room to one VM more of those that the pool is to keep.
    ///
    /// A pool that gives some up has as many as it wants, and makes none instead: no two pools take from each other in turns.
    fn in_the_way_of_stock(&self, name: &PoolName, pool: &Pool) -> Option<(Vec<VmName>, &'static str)> {
        let wanted = if pool.is_open() { pool.desired().saturating_sub(pool.live()) } else { 0 };
        if wanted == 0 {
            return None;
        }
        let limits = self.next_offer_in_turn(name, pool).err()?;
        let mut offers: Vec<_> = pool.offers.iter().zip(&limits).collect();
        offers.sort_by_key(|(offer, _)| offer.config.preference);
        let full = offers.into_iter().filter(|(_, limit)| matches!(limit, Limit::Quota { .. }));
        let found = full.map(|(offer, _)| &offer.config).find_map(|offer| {
            let provider = self.providers.get(&offer.provider)?;
            let (quota, needs) = (&provider.config.quota, &offer.needs);
            let stays = self.taken_by_others(name, &offer.provider)?.without(&provider.gate.leaving());
            let fit = (0..wanted).find(|fit| stays.lack(quota, needs, fit + 1).is_some())?;
            let unneeded: Vec<_> = self.unneeded_at(&offer.provider).collect();
            make_room(self, stays, quota, needs, fit + 1, &unneeded)
        });
        Some((found?, OF_STOCK))
    }

    /// Returns the VMs at a provider that their pools have too many of, although not for long enough to give them up.
    fn unneeded_at(&self, provider: &ProviderName) -> impl Iterator<Item = &VmName> {
        let is_there = |name: &&VmName| self.vms.get(*name).is_some_and(|vm| vm.record.provider == *provider);
        self.pools.values().flat_map(move |pool| pool.dearest().take(pool.unneeded()).filter(is_there))
    }

    /// Returns the VMs at a provider that pools keep ready and nobody waits for, first those of the pools that have the most of
    /// them: who waits comes before who may come.
    fn stock_at<'a>(&'a self, provider: &'a ProviderName) -> impl Iterator<Item = &'a VmName> {
        let mut stock = Vec::new();
        for (name, pool) in &self.pools {
            let spare = self.unwanted(name, pool);
            let vms = self.ready_at(pool, provider).take(spare).enumerate();
            stock.extend(vms.map(|(index, vm)| (spare - index, vm)));
        }
        stock.sort_by_key(|(left, _)| Reverse(*left));
        stock.into_iter().map(|(_, vm)| vm)
    }

    /// Returns how many ready VMs of a pool nobody waits for.
    pub(crate) fn unwanted(&self, name: &PoolName, pool: &Pool) -> usize {
        let set_aside = self.set_aside.clean_of(name);
        pool.by_price.len().saturating_sub(pool.demand().max(set_aside))
    }

    /// Returns the ready VMs of a pool at a provider that nobody used yet, the dearest first.
    pub(crate) fn ready_at<'a>(
        &'a self,
        pool: &'a Pool,
        provider: &'a ProviderName,
    ) -> impl Iterator<Item = &'a VmName> {
        pool.dearest().filter(|name| self.vms.get(*name).is_some_and(|vm| vm.record.provider == *provider))
    }

    /// Returns the VMs at a provider that other pools' requests for several VMs wait with, although one of this pool comes before
    /// them and needs more than `fit` VMs: else each could keep from the other what it lacks.
    fn set_aside_late<'a>(
        &'a self,
        name: &PoolName,
        provider: &'a ProviderName,
        fit: usize,
    ) -> Vec<&'a VmName> {
        let Some(of) = self.pools.get(name) else { return Vec::new() };
        let walk = Walk::default();
        let owners = of.queue.owners();
        let firsts = owners.filter_map(|(owner, lines)| self.first_of(name, owner, lines, &walk));
        let first = firsts.min().and_then(|(rank, place)| Some((rank, self.waiting.get(&place)?)));
        let Some((rank, _)) = first.filter(|(_, waiter)| fit < waiter.shape.count as usize) else {
            return Vec::new();
        };
        let is_late = |place| self.waiting.get(&place).is_some_and(|waiter| rank < self.rank_of(waiter));
        let late = self.set_aside.clean_for(is_late).into_iter().filter(|(pool, _)| *pool != name);
        let vms = late.filter_map(|(name, count)| {
            let pool = self.pools.get(name)?;
            Some(self.ready_at(pool, provider).skip(self.unwanted(name, pool)).take(count))
        });
        vms.flatten().collect()
    }

    fn oldest_evictable(&self, pool: &Pool) -> Option<VmName> {
        pool.dirty_vms().find(|vm| self.is_evictable(vm)).cloned()
    }

    /// Returns whether a VM that is kept for its last user can go: that user does not wait, may have no more, or others
    /// come first.
    pub(crate) fn is_evictable(&self, name: &VmName) -> bool {
        let Some(VmRecord { pool, owner, sandbox, .. }) = self.vms.get(name).map(|vm| &vm.record) else {
            return false;
        };
        let (Some(of), Some(owner)) = (self.pools.get(pool), owner) else { return true };
        let tenant = (owner.clone(), sandbox.clone());
        let waits = of.expected.contains(&tenant) || of.stale_expected.contains(&tenant);
        !waits || !self.is_claimed(pool, of, &tenant)
    }
}

/// Returns the first of these VMs whose end, beside what stays, leaves room for as many VMs with these needs; `None` if even the
/// end of all does not.
fn make_room(
    engine: &Engine,
    mut stays: Usage,
    quota: &BTreeMap<String, u64>,
    needs: &BTreeMap<String, u64>,
    wanted: usize,
    vms: &[&VmName],
) -> Option<Vec<VmName>> {
    let mut found = BTreeSet::new();
    for vm in vms.iter().filter_map(|name| engine.vms.get(*name)) {
        let Some(lack) = stays.lack(quota, needs, wanted) else { break };
        if quota::need(&lack.resource, &vm.record.needs) != 0 && found.insert(vm.record.name.clone()) {
            stays.remove(&vm.record);
        }
    }
    stays.lack(quota, needs, wanted).is_none().then(|| found.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{engine, on_demand, pool, provider, ready, spec, used, want};

    fn names(vms: Vec<&VmName>) -> Vec<&str> {
        vms.into_iter().map(VmName::as_str).collect()
    }

    #[test]
    fn what_a_pool_has_too_much_of_goes_before_what_is_kept_for_its_user() {
        let mut spec = spec([("a", on_demand(9)), ("b", on_demand(9)), ("c", on_demand(9))]);
        spec.providers.values_mut().for_each(|config| config.quota = [("vms".to_owned(), 2)].into());
        let mut engine = engine(spec, vec![ready("b-1"), used("c-1", "cat")]);
        assert_eq!(names(engine.unneeded_at(&provider()).collect()), ["b-1"]);
        want(&mut engine, "r1", "ann", "a", 1);
        let stays: Vec<_> = engine.vms().filter(|vm| vm.state.to_string() == "ready").collect();
        assert_eq!(stays.iter().map(|vm| vm.name.as_str()).collect::<Vec<_>>(), ["c-1"]);
    }

    #[test]
    fn who_comes_first_takes_what_is_set_aside_for_later_ones_in_other_pools_and_keeps_its_own() {
        let pools = ["a", "b", "c"].map(|pool| (pool, on_demand(9)));
        let mut spec = spec(pools);
        spec.providers.values_mut().for_each(|config| config.quota = [("vms".to_owned(), 5)].into());
        let vms = ["a-1", "a-2", "b-1", "b-2", "c-1"].map(ready);
        let mut engine = engine(spec, vms.into());
        want(&mut engine, "r1", "ann", "a c", 4);
        want(&mut engine, "r2", "bob", "b", 3);
        let provider = provider();
        let late = |name: &str, fit| names(engine.set_aside_late(&pool(name), &provider, fit));
        assert_eq!([late("a", 0), late("a", 3)], [["b-2"], ["b-2"]]);
        assert_eq!(late("a", 4), [""; 0], "there is room for all that it wants");
        assert_eq!(late("b", 0), [""; 0], "who has VMs set aside comes first");
    }
}
