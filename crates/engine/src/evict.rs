//! VMs that are kept for their last users, or that nobody needs, make room for those who wait; and what one pool has too much
//! of, for what another one is to keep.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, BinaryHeap},
};

use vmpool_model::{PoolName, ProviderName, VmName, VmRecord, config::OfferConfig};

use crate::{
    Engine, Limit,
    pool::Pool,
    quota::{self, Lack, Usage},
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
        #[cfg(test)]
        self.looks.set(self.looks.get() + 1);
        self.seen_in_the_way(name)
    }

    /// Returns the same for who only makes sure of it.
    pub(crate) fn seen_in_the_way(&self, name: &PoolName) -> Option<(Vec<VmName>, &'static str)> {
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
        // Who needs little room finds it soon, whatever there is besides; so each is looked at only when it is needed.
        let idle = || {
            let kept = provider.gate.dirty().filter(|name| self.is_evictable(name));
            self.unneeded_at(&offer.provider).chain(kept)
        };
        let wanted = Wanted { quota, needs: &offer.needs, vms: fit + 1 };
        if let Some(found) = make_room(self, stays.clone(), wanted, idle()) {
            return Some(found);
        }
        let stock = || self.stock_at(&offer.provider);
        let late = self.set_aside_late(name, &offer.provider, fit);
        // If not even the end of all makes room, that of some of them does not either.
        let found =
            make_room(self, stays.clone(), wanted, idle().chain(stock()).chain(late.iter().copied()))?;
        if stock().next().is_none() {
            return Some(found);
        }
        let mut freed = stays.clone();
        let each: BTreeSet<_> = idle().chain(stock()).chain(late.iter().copied()).collect();
        each.into_iter().filter_map(|vm| self.vms.get(vm)).for_each(|vm| freed.remove(&vm.record));
        match fit < self.worth(Site { pool: name, provider: &offer.provider, freed: &freed }, pool) {
            true => Some(found),
            false => make_room(self, stays, wanted, idle().chain(late.iter().copied())),
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
            let wanted = Wanted { quota, needs, vms: fit + 1 };
            make_room(self, stays, wanted, self.unneeded_at(&offer.provider))
        });
        Some((found?, OF_STOCK))
    }

    /// Returns the VMs at a provider that their pools have too many of, although not for long enough to give them up.
    fn unneeded_at<'a>(&'a self, provider: &'a ProviderName) -> impl Iterator<Item = &'a VmName> {
        let is_there =
            move |name: &&VmName| self.vms.get(*name).is_some_and(|vm| vm.record.provider == *provider);
        self.pools.values().flat_map(move |pool| pool.dearest().take(pool.unneeded()).filter(is_there))
    }

    /// Returns the VMs at a provider that pools keep ready and nobody waits for, first those of the pools that have the most of
    /// them: who waits comes before who may come.
    fn stock_at<'a>(&'a self, provider: &'a ProviderName) -> impl Iterator<Item = &'a VmName> {
        let mut pools = Vec::new();
        let mut most = BinaryHeap::new();
        for (name, pool) in &self.pools {
            let spare = self.unwanted(name, pool);
            if spare != 0 {
                most.push((spare, Reverse(pools.len())));
                pools.push(self.ready_at(pool, provider));
            }
        }
        std::iter::from_fn(move || {
            loop {
                let (spare, Reverse(pool)) = most.pop()?;
                let Some(vm) = pools.get_mut(pool)?.next() else { continue };
                if 1 < spare {
                    most.push((spare - 1, Reverse(pool)));
                }
                return Some(vm);
            }
        })
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

/// The room that is wanted in a quota.
#[derive(Debug, Clone, Copy)]
struct Wanted<'a> {
    quota: &'a BTreeMap<String, u64>,
    /// What each VM needs.
    needs: &'a BTreeMap<String, u64>,
    vms: usize,
}

/// Returns the first of these VMs whose end, beside what stays, leaves the room that is wanted; `None` if even the end of all does
/// not. It looks at no more of them than it needs.
fn make_room<'a>(
    engine: &Engine,
    mut stays: Usage,
    wanted: Wanted<'_>,
    vms: impl Iterator<Item = &'a VmName>,
) -> Option<Vec<VmName>> {
    let Wanted { quota, needs, vms: count } = wanted;
    let mut found = BTreeSet::new();
    let mut lack = stays.lack(quota, needs, count);
    for vm in vms.filter_map(|name| engine.vms.get(name)) {
        let Some(Lack { resource, .. }) = &lack else { break };
        if quota::need(resource, &vm.record.needs) != 0 && found.insert(vm.record.name.clone()) {
            stays.remove(&vm.record);
            lack = stays.lack(quota, needs, count);
        }
        if lack.is_none() {
            break;
        }
    }
    lack.is_none().then(|| found.into_iter().collect())
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

    #[test]
    fn no_more_vms_are_looked_at_than_make_the_room() {
        let vms: Vec<_> = (0..9).map(|number| ready(&format!("a-{number}"))).collect();
        let names: Vec<_> = vms.iter().map(|vm| vm.name.clone()).collect();
        let engine = engine(spec([("a", on_demand(9))]), vms);
        let (quota, needs) = ([("vms".to_owned(), 9)].into(), BTreeMap::new());
        let stays = engine.providers.get(&provider()).unwrap().gate.taken().into_owned();
        let mut looked_at = 0;
        let wanted = Wanted { quota: &quota, needs: &needs, vms: 2 };
        let found = make_room(&engine, stays, wanted, names.iter().inspect(|_| looked_at += 1));
        assert_eq!((found.unwrap().len(), looked_at), (2, 2));
    }

    /// The stock in the order in which it goes, found by looking at all of it.
    fn whole_stock(engine: &Engine) -> Vec<VmName> {
        let mut stock = Vec::new();
        for (name, pool) in &engine.pools {
            let spare = engine.unwanted(name, pool);
            let at = provider();
            let vms: Vec<_> = engine.ready_at(pool, &at).take(spare).cloned().collect();
            stock.extend(vms.into_iter().enumerate().map(|(index, vm)| (spare - index, vm)));
        }
        stock.sort_by_key(|(left, _)| Reverse(*left));
        stock.into_iter().map(|(_, vm)| vm).collect()
    }

    #[test]
    fn the_stock_goes_in_the_same_order_whether_it_is_looked_at_at_once_or_one_by_one() {
        let mut rng = fastrand::Rng::with_seed(7);
        for _ in 0..100 {
            let names = ["a", "b", "c", "d"];
            let vms = names
                .iter()
                .flat_map(|pool| (0..rng.u32(0..6)).map(move |number| format!("{pool}-{number}")));
            let mut vms: Vec<_> = vms.map(|name| ready(&name)).collect();
            for vm in vms.iter_mut().filter(|_| rng.u32(0..4) == 0) {
                vm.provider = ProviderName::new("far").unwrap();
            }
            let mut spec = spec(names.map(|name| (name, on_demand(9))));
            let far = spec.providers[&provider()].clone();
            spec.providers.insert(ProviderName::new("far").unwrap(), far);
            spec.pools.values_mut().for_each(|config| config.size = rng.u32(0..6));
            let mut engine = engine(spec, vms);
            (0..rng.u32(0..4)).for_each(|number| {
                want(&mut engine, &format!("r{number}"), "ann", names[number as usize], rng.u32(1..9));
            });
            let at = provider();
            let one_by_one: Vec<_> = engine.stock_at(&at).cloned().collect();
            assert_eq!(one_by_one, whole_stock(&engine));
        }
    }

    #[test]
    fn what_can_make_room_is_asked_for_once_in_a_step_by_a_pool_for_which_nothing_can() {
        let mut spec = spec([("a", on_demand(9)), ("b", on_demand(9))]);
        spec.providers.values_mut().for_each(|config| config.quota = [("vms".to_owned(), 1)].into());
        let mut engine = engine(spec, vec![ready("b-1")]);
        want(&mut engine, "r1", "bob", "b", 1);
        engine.looks.set(0);
        want(&mut engine, "r2", "ann", "a", 1);
        assert_eq!(engine.looks.get(), 1);
    }
}
