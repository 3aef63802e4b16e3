//! For which requests it is worth that others lose VMs: for those that could be given all that they want thereby.

use std::collections::{BTreeMap, BTreeSet};

use vmpool_model::{Owner, PoolName, ProviderName};

use crate::{
    Engine, Limit,
    candidate::Candidate,
    claim::Before,
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
#[derive(Debug, Clone)]
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
    /// not be given all that they want, whatever makes room.
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
        for (_, waiter) in self.ranked(pool) {
            if let Some(vms) = self.take(&mut reach, site, waiter) {
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

    /// Takes all that a request wants, and returns how many VMs these are beside those that its tenant used before; takes
    /// nothing if there is too little.
    fn take(&self, reach: &mut Reach, site: Site<'_>, waiter: &Waiter) -> Option<usize> {
        let (owner, candidates) = (waiter.owner(), &waiter.shape.candidates);
        let count = waiter.shape.count as usize;
        let given = reach.given.get(owner).copied().unwrap_or_default();
        if self.left(owner, Before::default()).saturating_sub(given) < count {
            return None;
        }
        let used = (0..candidates.len()).filter(|index| self.is_used(candidates, *index));
        // Where others make room comes last.
        let (here, elsewhere): (Vec<&Candidate>, Vec<_>) =
            used.map(|index| &candidates[index]).partition(|candidate| candidate.pool == *site.pool);
        let mut next = reach.clone();
        let (mut rest, mut again) = (count, 0);
        for Candidate { pool: name, .. } in elsewhere.into_iter().chain(here) {
            let Some(pool) = self.pools.get(name).filter(|pool| pool.is_open()) else { continue };
            let most = rest.min(self.left_in(name, owner, Before::default()));
            let used = next.kept.entry((name.clone(), waiter.tenant.clone())).or_default();
            let kept = most.min(pool.kept_or_stale(&waiter.tenant).saturating_sub(*used));
            *used += kept;
            let supply = next.pools.entry(name.clone()).or_insert_with(|| self.supply(pool));
            let there = supply.there.min(most - kept);
            supply.there -= there;
            let made = self.make(&mut next, site, (name, pool), most - kept - there);
            rest -= kept + there + made;
            again += kept;
        }
        if rest != 0 {
            return None;
        }
        *next.given.entry(owner.clone()).or_default() += count;
        *reach = next;
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
                .or_insert_with(|| provider.gate.taken().without(&provider.gate.leaving));
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
    fn can_make(&self, offer: &Offer) -> bool {
        self.offer_limit(offer)
            .is_none_or(|limit| matches!(limit, Limit::Quota { .. } | Limit::CreateWindow { .. }))
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
