//! Who is served: free VMs go to the requests that wait, all that a request wants at once or none.

use std::collections::{BTreeMap, BTreeSet};

use vmpool_model::{Owner, PoolName, RecordState, RequestId, VmName};

use crate::{
    Engine,
    candidate::Candidates,
    claim::{Before, Taken},
    pool::Pool,
    queue::{Lines, Place, Shape, Tenant, Waiter},
    rank::Rank,
};

/// What a walk down the ranks has set aside for requests that need more VMs than are free: who comes after them gets only
/// what is beyond. It is made anew of the records each time.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Walk {
    seen: BTreeSet<Place>,
    clean: BTreeMap<PoolName, usize>,
    /// For which of these requests how many VMs are set aside that nobody used yet.
    clean_for: BTreeMap<(Place, PoolName), usize>,
    kept: BTreeMap<(PoolName, Tenant), usize>,
    /// What these requests take of what their owners may have in single pools.
    pub(crate) taken: Taken,
    /// How many VMs that are kept for their last users are set aside for requests of these pools.
    kept_for: BTreeMap<Candidates, usize>,
}

impl Walk {
    /// Returns the requests that VMs are set aside for.
    pub(crate) fn seen(&self) -> impl Iterator<Item = Place> {
        self.seen.iter().copied()
    }

    /// Returns whether VMs are set aside for a request.
    pub(crate) fn has(&self, place: Place) -> bool {
        self.seen.contains(&place)
    }

    /// Returns how many VMs of a pool are set aside that nobody used yet.
    pub(crate) fn clean_of(&self, pool: &PoolName) -> usize {
        self.clean.get(pool).copied().unwrap_or_default()
    }

    /// Returns how many VMs that nobody used yet are set aside of each pool, for the requests for which `is_late` holds.
    pub(crate) fn clean_for(&self, is_late: impl Fn(Place) -> bool) -> BTreeMap<&PoolName, usize> {
        let mut vms = BTreeMap::new();
        for ((_, pool), count) in self.clean_for.iter().filter(|((place, _), _)| is_late(*place)) {
            *vms.entry(pool).or_default() += count;
        }
        vms
    }
}

/// What a request would be given of one pool.
#[derive(Debug)]
struct Part {
    pool: PoolName,
    /// VMs that its tenant used before.
    kept: usize,
    /// VMs that nobody used yet.
    clean: usize,
}

impl Engine {
    /// Gives free VMs to waiting requests until there is none that could be served.
    pub(crate) fn serve(&mut self) {
        self.unserved = false;
        loop {
            self.count_wants();
            self.rank_due();
            let mut walk = Walk::default();
            if self.waiting.is_empty() {
                self.set_aside = walk;
                return;
            }
            let Some((id, vms)) = self.next_served(&mut walk) else {
                self.set_aside = walk;
                return;
            };
            if !self.decide(id, &vms) {
                return;
            }
        }
    }

    /// Serves whoever can be served now, if time or anything else changed since that was done.
    pub(crate) fn serve_if_due(&mut self) {
        if !self.is_at_rest() {
            self.serve();
        }
    }

    /// Serves one request if it is its turn or if nobody before it could be served in its place, and nobody else unless it is.
    pub(crate) fn serve_at_once(&mut self, id: &RequestId) {
        self.count_wants();
        self.rank_due();
        let Some((id, vms)) = self.next_of(&mut Walk::default(), |waiter| waiter.id == *id) else { return };
        if self.decide(id, &vms) {
            self.serve();
        }
    }

    /// Gives a request its VMs.
    fn decide(&mut self, id: RequestId, vms: &[VmName]) -> bool {
        let Some(request) = self.requests.get(&id).cloned() else { return false };
        let Some(grants) = self.grant(request, vms) else { return false };
        self.out.decided.push((id, Ok(grants)));
        true
    }

    /// Returns how many VMs are set aside, of those that are kept for their last users, for requests of these pools.
    pub(crate) fn kept_for(&self, pools: &Candidates) -> usize {
        self.set_aside.kept_for.get(pools).copied().unwrap_or_default()
    }

    /// Returns who of those that wait is to be served next, and with which VMs.
    pub(crate) fn next_served(&self, walk: &mut Walk) -> Option<(RequestId, Vec<VmName>)> {
        self.next_of(walk, |_| true)
    }

    /// Returns who of those that count is to be served next, and with which VMs; for others what they can have is set aside.
    fn next_of(&self, walk: &mut Walk, counts: impl Fn(&Waiter) -> bool) -> Option<(RequestId, Vec<VmName>)> {
        // A lease is one more record.
        if self.is_short() {
            return None;
        }
        while let Some(waiter) = self.best(walk) {
            let parts = self.parts(waiter, walk);
            let found: usize = parts.iter().map(|part| part.kept + part.clean).sum();
            if found == waiter.shape.count as usize && counts(waiter) {
                return Some((waiter.id.clone(), self.vms_in(waiter, &parts)));
            }
            self.reserve(waiter, parts, walk);
        }
        None
    }

    /// Returns the request of the best rank that no limit of its owner keeps waiting, and that a free VM is there for.
    fn best(&self, walk: &Walk) -> Option<&Waiter> {
        let contested = self.pools.iter().filter(|(_, pool)| pool.is_contested());
        let best = contested.filter_map(|(name, pool)| self.best_in(name, pool, walk)).min()?;
        self.waiting.get(&best.1)
    }

    fn best_in(&self, name: &PoolName, pool: &Pool, walk: &Walk) -> Option<(Rank, Place)> {
        let set_aside = walk.clean.get(name).copied().unwrap_or_default();
        let has_clean = set_aside < pool.clean.len();
        let of_owners = has_clean.then(|| self.first_in(name, pool, walk)).flatten();
        let tenants = pool.expected.iter().filter(|tenant| {
            let set_aside = walk.kept.get(&(name.clone(), (*tenant).clone())).copied().unwrap_or_default();
            set_aside < pool.kept_for(tenant)
        });
        let of_tenants = tenants.filter_map(|tenant| {
            let lines = pool.queue.tenant(tenant)?;
            let first = self.first_of(name, &tenant.0, lines, walk)?;
            let waiter = self.waiting.get(&first.1)?;
            (!self.yields(name, pool, waiter)).then_some(first)
        });
        of_owners.into_iter().chain(of_tenants).min()
    }

    /// Returns which request of an owner comes first in a pool, of those that its limits allow.
    pub(crate) fn first_of(
        &self,
        pool: &PoolName,
        owner: &Owner,
        lines: &Lines,
        walk: &Walk,
    ) -> Option<(Rank, Place)> {
        if self.left(owner, Before::default()) == 0 {
            return None;
        }
        let allowed = lines.iter().filter_map(|(shape, places)| {
            let index = shape.candidates.iter().position(|candidate| candidate.pool == *pool)?;
            let place = *places.iter().find(|place| !walk.seen.contains(place))?;
            let rank = self.rank(owner, shape, place);
            let is_allowed =
                self.is_used(&shape.candidates, index) && self.is_allowed(pool, owner, shape, &rank, walk);
            is_allowed.then_some((rank, place))
        });
        allowed.min()
    }

    /// Returns whether the limits of its owner let a request be given all that it wants, some of it of this pool.
    pub(crate) fn is_allowed(
        &self,
        pool: &PoolName,
        owner: &Owner,
        shape: &Shape,
        rank: &Rank,
        walk: &Walk,
    ) -> bool {
        let before = self.before(owner, rank, &walk.taken);
        self.left_in(pool, owner, before) != 0
            && match shape.count {
                1 => self.left(owner, before) != 0,
                _ => self.may_have(owner, shape, before),
            }
    }

    /// Returns whether the limits of its owner let a request be served now.
    pub(crate) fn is_within_limits(&self, waiter: &Waiter) -> bool {
        let taken = Taken::new();
        let before = self.before(waiter.owner(), &self.rank_of(waiter), &taken);
        self.may_have(waiter.owner(), &waiter.shape, before)
    }

    /// Returns whether a candidate is used now: one that stands in for another is, while that one can make nothing itself.
    pub(crate) fn is_used(&self, candidates: &Candidates, index: usize) -> bool {
        let Some(candidate) = candidates.get(index) else { return false };
        match candidate.instead_of {
            None => true,
            Some(other) if other < index => {
                self.is_used(candidates, other) && self.makes_nothing(&candidates[other].pool)
            }
            Some(_) => false,
        }
    }

    /// Returns whether a pool can make nothing for some of those who wait for it.
    fn makes_nothing(&self, name: &PoolName) -> bool {
        // VMs that start are for some of them, and so are those that are ready and set aside for who wants several.
        let made = self.pools.get(name).map_or(0, |pool| pool.starting() + pool.clean_count());
        self.is_stuck(name) && self.wanted_of(name).is_none_or(|wanted| made < wanted)
    }

    /// Returns whether a pool cannot make VMs, apart from those that start.
    pub(crate) fn is_stuck(&self, name: &PoolName) -> bool {
        let Some(pool) = self.pools.get(name) else { return true };
        // It may make them at its own pace.
        self.first_limit(pool).is_some_and(|limit| !limit.is_pace())
    }

    /// Returns what a request would be given of each pool: in each, what its tenant used before comes first.
    fn parts(&self, waiter: &Waiter, walk: &Walk) -> Vec<Part> {
        let Shape { candidates, count, .. } = &*waiter.shape;
        let mut needs = *count as usize;
        let mut parts = Vec::new();
        let before = self.before(waiter.owner(), &self.rank_of(waiter), &walk.taken);
        for (index, candidate) in candidates.iter().enumerate() {
            let Some(pool) = self.pools.get(&candidate.pool) else { continue };
            if needs == 0 || !self.is_used(candidates, index) {
                continue;
            }
            let name = candidate.pool.clone();
            let most = needs.min(self.left_in(&name, waiter.owner(), before));
            let key = (name.clone(), waiter.tenant.clone());
            let kept = pool.kept_for(&waiter.tenant) - walk.kept.get(&key).copied().unwrap_or_default();
            let kept = kept.min(most);
            let clean = pool.clean.len() - walk.clean.get(&name).copied().unwrap_or_default();
            let clean = clean.min(most - kept);
            needs -= kept + clean;
            if kept + clean != 0 {
                parts.push(Part { pool: name, kept, clean });
            }
        }
        parts
    }

    fn vms_in(&self, waiter: &Waiter, parts: &[Part]) -> Vec<VmName> {
        let vms = parts.iter().filter_map(|part| {
            let pool = self.pools.get(&part.pool)?;
            let kept = pool.dirty.get(&waiter.tenant).into_iter().flatten().take(part.kept);
            Some(kept.chain(pool.clean.iter().take(part.clean)))
        });
        vms.flatten().map(|(_, vm)| vm.clone()).collect()
    }

    /// Sets aside what a request could be given so far, so that those after it cannot take it for ever.
    fn reserve(&self, waiter: &Waiter, parts: Vec<Part>, walk: &mut Walk) {
        walk.seen.insert(waiter.place);
        let mut taken: BTreeMap<_, _> =
            parts.iter().map(|part| (part.pool.clone(), part.kept + part.clean)).collect();
        let mut rest = (waiter.shape.count as usize).saturating_sub(taken.values().sum());
        let before = self.before(waiter.owner(), &self.rank_of(waiter), &walk.taken);
        for candidate in waiter.shape.candidates.iter() {
            let taken = taken.entry(candidate.pool.clone()).or_default();
            let more = self.left_in(&candidate.pool, waiter.owner(), before).saturating_sub(*taken).min(rest);
            *taken += more;
            rest -= more;
        }
        walk.taken.insert(waiter.place, taken);
        for Part { pool, kept, clean } in parts {
            *walk.clean.entry(pool.clone()).or_default() += clean;
            walk.clean_for.insert((waiter.place, pool.clone()), clean);
            *walk.kept.entry((pool, waiter.tenant.clone())).or_default() += kept;
            *walk.kept_for.entry(waiter.shape.candidates.clone()).or_default() += kept;
        }
    }
}

impl Pool {
    /// Returns whether somebody waits whom a free VM may be there for.
    pub(crate) fn is_contested(&self) -> bool {
        !self.expected.is_empty() || !self.clean.is_empty() && !self.queue.is_empty()
    }

    /// Returns how many ready VMs are kept for a tenant.
    pub(crate) fn kept_for(&self, tenant: &Tenant) -> usize {
        self.dirty.get(tenant).map_or(0, BTreeSet::len)
    }

    /// Returns how many VMs start or are checked.
    pub(crate) fn starting(&self) -> usize {
        use RecordState as S;
        [S::Spawning, S::GotIp, S::CheckHealth, S::CheckHealthFailed]
            .map(|state| self.count(state))
            .iter()
            .sum()
    }
}

#[cfg(test)]
mod tests {
    use vmpool_model::{Acquire, VmRecord};

    use super::*;
    use crate::sample::{engine, on_demand, owner, pool, ready, spec, used, want};
    use crate::{Answer, Input};

    fn place(engine: &Engine, request: &str) -> Place {
        engine.waiting.iter().find(|waiter| waiter.id.as_str() == request).unwrap().place
    }

    #[test]
    fn what_is_set_aside_is_the_sum_of_what_each_request_is_given_so_far() {
        let mut scarce = on_demand(9);
        scarce.max_per_owner = Some(2);
        let pools = [("a", scarce), ("b", on_demand(9)), ("c", on_demand(9))];
        let vms = ["a-1", "a-2", "a-3", "a-4"].map(ready);
        let mut engine = engine(spec(pools), vms.into());
        want(&mut engine, "r1", "ann", "a b c", 3);
        want(&mut engine, "r2", "bob", "a b", 3);
        want(&mut engine, "r3", "cat", "a b", 3);
        let walk = &engine.set_aside;
        assert_eq!(["r1", "r2", "r3"].map(|request| walk.has(place(&engine, request))), [true, true, false]);
        assert_eq!((walk.clean_of(&pool("a")), walk.clean_of(&pool("b"))), (4, 0));
        assert_eq!(walk.clean_for(|_| true), BTreeMap::from([(&pool("a"), 4)]));
        assert_eq!(walk.clean_for(|one| one == place(&engine, "r2")), BTreeMap::from([(&pool("a"), 2)]));
        let taken = |request| {
            let taken = walk.taken.get(&place(&engine, request)).unwrap();
            taken.iter().map(|(pool, vms)| format!("{pool}:{vms}")).collect::<Vec<_>>()
        };
        assert_eq!(taken("r1"), ["a:2", "b:1", "c:0"]);
        assert_eq!(taken("r2"), ["a:2", "b:1"]);
    }

    #[test]
    fn what_is_there_counts_before_what_is_made() {
        let mut engine = engine(spec([("a", on_demand(9)), ("b", on_demand(9))]), vec![ready("b-1")]);
        want(&mut engine, "r1", "ann", "a b", 3);
        let taken = engine.set_aside.taken.get(&place(&engine, "r1")).unwrap();
        assert_eq!(*taken, BTreeMap::from([(pool("a"), 2), (pool("b"), 1)]));
    }

    #[test]
    fn what_its_tenant_used_before_is_set_aside_for_a_request_too() {
        let mut engine = engine(spec([("a", on_demand(9))]), vec![used("a-1", "ann"), ready("a-2")]);
        want(&mut engine, "r1", "ann", "a", 3);
        let candidates = &engine.waiting.iter().next().unwrap().shape.candidates;
        assert_eq!((engine.kept_for(candidates), engine.set_aside.clean_of(&pool("a"))), (1, 1));
        assert_eq!(engine.set_aside.kept, BTreeMap::from([((pool("a"), (owner("ann"), None)), 1)]));
    }

    #[test]
    fn no_more_is_given_than_is_wanted_beside_what_was_used_before() {
        let vms = vec![used("a-1", "ann"), ready("a-2"), ready("a-3")];
        let mut engine = engine(spec([("a", on_demand(9))]), vms);
        want(&mut engine, "r1", "ann", "a", 2);
        let given: Vec<_> = engine.leases().map(|lease| lease.vm.as_str()).collect();
        assert_eq!((given.len(), given.contains(&"a-1")), (2, true));
    }

    #[test]
    fn what_is_set_aside_for_one_request_of_a_tenant_is_not_given_to_its_next_one() {
        let pools = [("a", on_demand(9)), ("b", on_demand(9))];
        let mut engine = engine(spec(pools), vec![used("a-1", "ann"), ready("b-1")]);
        want(&mut engine, "r1", "ann", "a", 3);
        want(&mut engine, "r2", "ann", "a b", 1);
        let given: Vec<_> = engine.leases().map(|lease| lease.vm.as_str()).collect();
        assert_eq!(given, ["b-1"]);
    }

    /// Lets somebody wait for each of these VMs, all of which are doubted, and are so no more.
    fn cleared<const N: usize>(vms: [&str; N]) -> Engine {
        let doubted = |name| VmRecord { suspect: Some("slow".to_owned()), ..ready(name) };
        let mut engine = engine(spec([("a", on_demand(2))]), vms.map(doubted).into());
        vms.iter()
            .enumerate()
            .for_each(|(index, _)| drop(want(&mut engine, &format!("r{index}"), "bob", "a", 1)));
        for name in vms {
            engine.edit(&VmName::new(name).unwrap(), |record| record.suspect = None);
        }
        engine
    }

    #[test]
    fn whoever_can_be_served_is_served_in_one_go() {
        let mut engine = cleared(["a-1", "a-2"]);
        engine.serve();
        assert_eq!(engine.leases().count(), 2);
    }

    #[test]
    fn what_came_free_before_a_request_that_does_not_wait_is_for_those_who_did() {
        let mut engine = cleared(["a-1"]);
        let urgent =
            Acquire::new(RequestId::new("urgent").unwrap(), pool("a"), owner("ann")).with_priority(9);
        let step = engine.step(engine.now, Input::Acquire(Box::new(urgent)));
        assert!(matches!(step.answer, Answer::Refused(_)), "{:?}", step.answer);
        let served: Vec<_> = engine.leases().map(|lease| lease.request.as_str()).collect();
        assert_eq!(served, ["r0"]);
    }

    #[test]
    fn a_pool_is_contested_while_somebody_waits_for_what_it_has() {
        let mut engine = engine(spec([("a", on_demand(9))]), vec![ready("a-1")]);
        let is_contested = |engine: &Engine| engine.pools.get(&pool("a")).unwrap().is_contested();
        assert!(!is_contested(&engine), "nobody waits");
        want(&mut engine, "r1", "ann", "a", 2);
        assert!(is_contested(&engine));
        engine.pools.get_mut(&pool("a")).unwrap().clean.clear();
        assert!(!is_contested(&engine), "nothing is there");
    }
}
