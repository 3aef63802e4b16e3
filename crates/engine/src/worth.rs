//! For which requests it is worth that others lose VMs: for those that could be given all that they want thereby.

use std::collections::{BTreeMap, BTreeSet};

use vmpool_model::{Owner, PoolName, ProviderName};

use crate::{
    Engine, Limit,
    candidate::Candidate,
    claim::{Before, Taken},
    offer::Offer,
    pool::Pool,
    queue::{Place, Tenant, Waiter},
    quota::Usage,
    rank::Rank,
};

/// Where room is made, and for which pool.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Site<'a> {
    pub(crate) pool: &'a PoolName,
    pub(crate) provider: &'a ProviderName,
    /// What is taken there once all that can make room has.
    pub(crate) freed: &'a Usage,
}

/// What there is for those who wait and what could be made for them, while one after the other takes of it.
#[derive(Debug)]
struct Reach {
    pools: BTreeMap<PoolName, Supply>,
    /// How many VMs more of each offer of a pool there are.
    made: BTreeMap<(PoolName, usize), usize>,
    taken: BTreeMap<ProviderName, Usage>,
    freed: Usage,
    /// VMs that their last users are given again.
    kept: BTreeMap<(PoolName, Tenant), usize>,
    given: BTreeMap<Owner, usize>,
}

/// What a pool could give to those who wait.
#[derive(Debug, Clone, Copy)]
struct Supply {
    /// VMs that nobody used yet, and those that start or are cleaned.
    there: usize,
    /// How many more there may be.
    room: usize,
}

impl Engine {
    /// Returns for how many of the VMs that a pool is missing it is worth to make room: not for those of requests that could
    /// not be given all that they want, whatever makes room, and not for those that would be set aside for such a request.
    pub(crate) fn worth(&self, site: Site<'_>, pool: &Pool) -> usize {
        let missing = pool.missing();
        let wants_several = |waiter: &Place| self.waiting.get(waiter).is_some_and(|one| 1 < one.shape.count);
        let mut firsts =
            pool.queue.owners().flat_map(|(_, lines)| lines.values()).filter_map(|line| line.first());
        if !firsts.any(wants_several) {
            return missing;
        }
        let mut reach = Reach {
            pools: BTreeMap::new(),
            made: BTreeMap::new(),
            taken: BTreeMap::new(),
            freed: site.freed.clone(),
            kept: BTreeMap::new(),
            given: BTreeMap::new(),
        };
        let mut complete = BTreeSet::new();
        let mut wanted = 0;
        for (rank, waiter) in self.ranked(pool) {
            if let Some(vms) = self.take(&mut reach, site, &rank, waiter) {
                complete.insert(waiter.place);
                wanted += vms;
            }
        }
        let kept_back = self.set_aside.clean_for(|place| !complete.contains(&place));
        let kept_back = kept_back.get(site.pool).copied().unwrap_or_default();
        let there = (pool.clean_count() + pool.coming()).saturating_sub(kept_back);
        missing.min(wanted.saturating_sub(there))
    }

    /// Returns those who wait for a pool, in the order of their ranks; of each line no more than could be served.
    fn ranked(&self, pool: &Pool) -> Vec<(Rank, &Waiter)> {
        let most = pool.config.max_total() as usize;
        let lines = pool.queue.owners().flat_map(|(_, lines)| lines.values());
        let waiters = lines.flat_map(|places| places.iter().take(most)).filter_map(|at| self.waiting.get(at));
        let mut ranked: Vec<_> = waiters.map(|waiter| (self.rank_of(waiter), waiter)).collect();
        ranked.sort_by(|(one, _), (other, _)| one.cmp(other));
        ranked
    }

    /// Takes all that a request wants, and returns how many VMs these are beside those that its tenant used before. If there is
    /// too little, it takes what there is, which would be set aside for it, and returns nothing.
    fn take(&self, reach: &mut Reach, site: Site<'_>, rank: &Rank, waiter: &Waiter) -> Option<usize> {
        let (owner, candidates) = (waiter.owner(), &waiter.shape.candidates);
        let count = waiter.shape.count as usize;
        let given = reach.given.get(owner).copied().unwrap_or_default();
        if self.left(owner, Before::default()).saturating_sub(given) < count {
            return None;
        }
        // What others of its owner claim that come before it, it is not given, whatever there is.
        let taken = Taken::new();
        if !self.may_have(owner, &waiter.shape, self.before(owner, rank, &taken)) {
            return None;
        }
        let used = (0..candidates.len()).filter(|index| self.is_used(candidates, *index));
        // Where others make room comes last.
        let (here, elsewhere): (Vec<&Candidate>, Vec<_>) =
            used.map(|index| &candidates[index]).partition(|candidate| candidate.pool == *site.pool);
        let (mut rest, mut again) = (count, 0);
        for Candidate { pool: name, .. } in elsewhere.into_iter().chain(here) {
            let Some(pool) = self.pools.get(name).filter(|pool| pool.is_open()) else { continue };
            let most = rest.min(self.left_in(name, owner, Before::default()));
            let used = reach.kept.entry((name.clone(), waiter.tenant.clone())).or_default();
            let kept = most.min(pool.kept_or_stale(&waiter.tenant).saturating_sub(*used));
            *used += kept;
            let supply = reach.pools.entry(name.clone()).or_insert_with(|| self.supply(pool));
            let there = supply.there.min(most - kept);
            supply.there -= there;
            let made = self.make(reach, site, (name, pool), most - kept - there);
            rest -= kept + there + made;
            again += kept;
        }
        if rest != 0 {
            return None;
        }
        *reach.given.entry(owner.clone()).or_default() += count;
        Some(count - again)
    }

    fn supply(&self, pool: &Pool) -> Supply {
        let leaving = pool.leaving();
        let dirty = pool.dirty_vms().filter(|vm| self.is_evictable(vm)).count();
        let most = pool.config.max_total() as usize + leaving + dirty;
        Supply {
            there: pool.clean_count() + pool.coming() - leaving,
            room: most.saturating_sub(pool.total()),
        }
    }

    /// Makes as many VMs of a pool as there is room for, up to so many; returns how many these are.
    fn make(
        &self,
        reach: &mut Reach,
        site: Site<'_>,
        (name, pool): (&PoolName, &Pool),
        most: usize,
    ) -> usize {
        let mut offers: Vec<_> =
            pool.offers.iter().enumerate().filter(|(_, offer)| self.can_make(offer)).collect();
        offers.sort_by_key(|(_, offer)| offer.config.preference);
        let mut made = 0;
        for (index, Offer { config, total, .. }) in offers {
            let Some(provider) = self.providers.get(&config.provider) else { continue };
            let is_here = config.provider == *site.provider;
            let of_offer = reach.made.entry((name.clone(), index)).or_default();
            let left = config.max_total.map_or(usize::MAX, |max| (max as usize).saturating_sub(*total));
            let Some(supply) = reach.pools.get_mut(name) else { return made };
            let taken = reach
                .taken
                .entry(config.provider.clone())
                .or_insert_with(|| provider.gate.taken().without(&provider.gate.leaving()));
            while made < most && supply.room != 0 && *of_offer < left {
                let room = if is_here && name == site.pool { &reach.freed } else { &*taken };
                if room.lack(&provider.config.quota, &config.needs, 1).is_some() {
                    break;
                }
                taken.add_vm(&config.needs);
                if is_here {
                    reach.freed.add_vm(&config.needs);
                }
                (made, supply.room, *of_offer) = (made + 1, supply.room - 1, *of_offer + 1);
            }
        }
        made
    }

    /// Returns whether nothing but a pace or a quota keeps an offer from being used.
    pub(crate) fn can_make(&self, offer: &Offer) -> bool {
        self.offer_limit(offer).is_none_or(|limit| matches!(limit, Limit::Quota { .. }) || limit.is_pace())
    }
}

impl Pool {
    /// Returns how many VMs are being destroyed that are not proven gone.
    fn leaving(&self) -> usize {
        self.count(vmpool_model::RecordState::Terminating) - self.gone
    }

    /// Returns how many ready VMs are kept for a tenant, those that must be checked before included.
    fn kept_or_stale(&self, tenant: &Tenant) -> usize {
        self.kept_for(tenant) + self.stale_dirty.get(tenant).map_or(0, BTreeSet::len)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use vmpool_model::{RecordState, Timestamp, VmRecord, config::PoolConfig};

    use super::*;
    use crate::{
        Spec,
        queue::Shape,
        sample::{engine, on_demand, owner, pool, provider, ready, refuse, spec, used, want},
    };

    /// A pool that may have so many VMs and makes none at present.
    fn resting(max_total: u32) -> PoolConfig {
        let mut config = on_demand(max_total);
        config.max_starting = 0;
        config
    }

    fn with_quota<const N: usize>(vms: u64, pools: [(&str, PoolConfig); N]) -> Spec {
        let mut spec = spec(pools);
        spec.providers.values_mut().for_each(|config| config.quota = [("vms".to_owned(), vms)].into());
        spec
    }

    fn untouched() -> Reach {
        Reach {
            pools: BTreeMap::new(),
            made: BTreeMap::new(),
            taken: BTreeMap::new(),
            freed: Usage::default(),
            kept: BTreeMap::new(),
            given: BTreeMap::new(),
        }
    }

    /// Lets a request take so many VMs, for which room is made in the pool `a`.
    fn take(engine: &Engine, reach: &mut Reach, request: &str, count: u32) -> Option<usize> {
        let waiter = engine.waiting.iter().find(|waiter| waiter.id.as_str() == request).unwrap();
        let shape = Arc::new(Shape { count, ..(*waiter.shape).clone() });
        let site = Site { pool: &pool("a"), provider: &provider(), freed: &Usage::default() };
        engine.take(reach, site, &engine.rank_of(waiter), &Waiter { shape, ..waiter.clone() })
    }

    fn ending(name: &str) -> VmRecord {
        VmRecord { state: RecordState::Terminating, ..ready(name) }
    }

    #[test]
    fn what_was_used_before_is_taken_first_then_what_is_there_then_what_can_be_made() {
        let vms = vec![used("a-1", "ann"), ready("a-2"), ready("a-3")];
        let mut engine = engine(spec([("a", resting(9))]), vms);
        want(&mut engine, "r1", "ann", "a", 9);
        let taken = |count| {
            let mut reach = untouched();
            let beside = take(&engine, &mut reach, "r1", count);
            let Supply { there, room } = reach.pools[&pool("a")];
            let kept = reach.kept[&(pool("a"), (owner("ann"), None))];
            (beside, kept, there, room, reach.given[&owner("ann")])
        };
        assert_eq!(taken(2), (Some(1), 1, 1, 6, 2));
        assert_eq!(taken(5), (Some(4), 1, 0, 4, 5));
    }

    #[test]
    fn what_can_be_had_elsewhere_is_taken_before_room_is_made() {
        let mut engine = engine(spec([("a", resting(9)), ("b", resting(2))]), Vec::new());
        want(&mut engine, "r1", "ann", "a b", 3);
        let mut reach = untouched();
        assert_eq!(take(&engine, &mut reach, "r1", 3), Some(3));
        assert_eq!(reach.made, BTreeMap::from([((pool("a"), 0), 1), ((pool("b"), 0), 2)]));
    }

    #[test]
    fn an_owner_takes_as_much_as_it_may_have_and_who_may_not_have_all_takes_nothing() {
        let mut limited = spec([("a", resting(9))]);
        limited.limits.max_per_owner = Some(3);
        let mut engine = engine(limited, Vec::new());
        want(&mut engine, "r1", "ann", "a", 2);
        let mut reach = untouched();
        let taken = [2, 2, 1].map(|count| take(&engine, &mut reach, "r1", count));
        assert_eq!((taken, reach.given[&owner("ann")]), ([Some(2), None, Some(1)], 3));
    }

    #[test]
    fn the_room_of_what_ends_and_of_what_can_go_is_room() {
        let vms = vec![used("a-1", "ann"), used("a-2", "bob"), ready("a-3"), ending("a-4")];
        let engine = engine(spec([("a", resting(5))]), vms);
        let Supply { there, room } = engine.supply(engine.pools.get(&pool("a")).unwrap());
        assert_eq!((there, room), (1, 4));
    }

    #[test]
    fn what_others_give_up_is_room_for_the_pool_that_it_is_for_and_for_no_other() {
        let engine = engine(with_quota(1, [("a", resting(9)), ("b", resting(9))]), vec![ready("b-1")]);
        let site = Site { pool: &pool("a"), provider: &provider(), freed: &Usage::default() };
        let made = ["b", "a"].map(|name| {
            let mut reach = untouched();
            reach.pools.insert(pool(name), Supply { there: 0, room: 2 });
            let of = engine.pools.get(&pool(name)).unwrap();
            (engine.make(&mut reach, site, (&pool(name), of), 5), reach.pools[&pool(name)].room)
        });
        assert_eq!(made, [(0, 2), (1, 1)]);
    }

    #[test]
    fn no_more_is_made_than_a_pool_has_room_for() {
        let engine = engine(spec([("a", resting(9))]), Vec::new());
        let site = Site { pool: &pool("a"), provider: &provider(), freed: &Usage::default() };
        let mut reach = untouched();
        reach.pools.insert(pool("a"), Supply { there: 0, room: 2 });
        let of = engine.pools.get(&pool("a")).unwrap();
        assert_eq!(engine.make(&mut reach, site, (&pool("a"), of), 5), 2);
    }

    #[test]
    fn an_offer_that_pauses_makes_nothing_and_one_that_waits_for_its_turn_does() {
        let mut engine = engine(spec([("a", on_demand(1))]), Vec::new());
        let can_make = |engine: &Engine| engine.can_make(&engine.pools.get(&pool("a")).unwrap().offers[0]);
        let creates = want(&mut engine, "r1", "ann", "a", 1);
        assert!(can_make(&engine));
        refuse(&mut engine, &creates);
        assert!(!can_make(&engine));
    }

    #[test]
    fn a_request_for_one_vm_is_worth_whatever_makes_room_for_it() {
        let mut engine = engine(with_quota(1, [("a", resting(9))]), Vec::new());
        want(&mut engine, "r1", "ann", "a", 1);
        let mut full = Usage::default();
        full.add_vms(&BTreeMap::new(), 9);
        let site = Site { pool: &pool("a"), provider: &provider(), freed: &full };
        assert_eq!(engine.worth(site, engine.pools.get(&pool("a")).unwrap()), 1);
    }

    #[test]
    fn what_is_proven_gone_leaves_no_more_and_what_must_be_checked_is_kept_too() {
        let mut pool = Pool::new(on_demand(9), false);
        let gone = VmRecord { gone_at: Some(Timestamp::default()), ..ending("a-1") };
        for record in [gone, ending("a-2"), used("a-3", "ann")] {
            pool.count_in(&record, false);
        }
        pool.count_in(&used("a-4", "ann"), true);
        assert_eq!((pool.leaving(), pool.kept_or_stale(&(owner("ann"), None))), (1, 2));
    }
}
