//! What an owner may still have is kept for those of its requests that want several VMs and come first.
//!
//! A request for several VMs waits until its owner's limits leave room for all of them at once. If smaller requests of the same
//! owner could take that room as it becomes free, the big one would wait for as long as they come; and if the room was
//! counted for one of them while VMs are set aside for the other, both would wait for ever. So both demand and service
//! go by the same claims: in the order of ranks, each request for several VMs claims what limits leave, and who comes after
//! it gets what is beyond.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use vmpool_model::{Owner, PoolName, Timestamp};

use crate::{
    Engine, Limit,
    candidate::Candidates,
    owners::Allowance,
    queue::{Place, Shape},
    rank::Rank,
};

/// What is kept, of what its owner may still have, for a request that wants several VMs.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Claim {
    pub(crate) rank: Rank,
    pub(crate) owner: Owner,
    pub(crate) shape: Arc<Shape>,
    /// Whether limits let it have all that it wants now.
    pub(crate) fits: bool,
    /// Of what its owner may have, if that has a limit of its own below another owner.
    of_sub: usize,
    /// Of what the owner may have that counts in the end.
    of_top: usize,
    /// Of what that owner may have in single pools.
    in_pools: BTreeMap<PoolName, usize>,
}

/// The claims on what each owner may still have, by the owner that counts in the end, each in the order of ranks.
pub(crate) type Claims = BTreeMap<Owner, Vec<Claim>>;

/// What requests whose VMs are set aside take of single pools, instead of what they claimed there.
pub(crate) type Taken = BTreeMap<Place, BTreeMap<PoolName, usize>>;

/// The claims that come before a request.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Before<'a> {
    claims: &'a [Claim],
    taken: Option<&'a Taken>,
}

impl Before<'_> {
    /// Returns how many requests claim something.
    pub(crate) fn len(&self) -> usize {
        self.claims.len()
    }

    fn of_top(&self) -> usize {
        self.claims.iter().map(|claim| claim.of_top).sum()
    }

    fn of_sub(&self, owner: &Owner) -> usize {
        let its = self.claims.iter().filter(|claim| claim.owner == *owner);
        its.map(|claim| claim.of_sub).sum()
    }

    fn in_pool(&self, pool: &PoolName) -> usize {
        let of = |claim: &Claim| {
            let taken = self.taken.and_then(|taken| taken.get(&claim.rank.place()));
            taken.unwrap_or(&claim.in_pools).get(pool).copied().unwrap_or_default()
        };
        self.claims.iter().map(of).sum()
    }
}

impl Engine {
    /// Returns the claims on what an owner may have that come before a rank.
    pub(crate) fn before<'a>(&'a self, owner: &Owner, rank: &Rank, taken: &'a Taken) -> Before<'a> {
        let claims = match self.demand.claims.is_empty() {
            true => &[],
            false => self.demand.claims.get(&self.owners.top(owner)).map_or(&[][..], Vec::as_slice),
        };
        let end = claims.partition_point(|claim| claim.rank < *rank);
        Before { claims: &claims[..end], taken: Some(taken) }
    }

    /// Returns how many more VMs an owner may have, beside what is claimed before.
    pub(crate) fn left(&self, owner: &Owner, before: Before<'_>) -> usize {
        self.left_beside(owner, before, |_| 0)
    }

    /// Returns how many more VMs an owner may have, beside what is claimed before, and promised to it or the one above it.
    pub(crate) fn left_beside(
        &self,
        owner: &Owner,
        before: Before<'_>,
        promised_to: impl Fn(&Owner) -> usize,
    ) -> usize {
        let limits = self.owners.limits(owner, &self.spec.limits).map(|limit| {
            let claimed = if is_sub(owner, &limit) { before.of_sub(owner) } else { before.of_top() };
            limit.left().saturating_sub(claimed + promised_to(&limit.owner))
        });
        limits.min().unwrap_or(usize::MAX)
    }

    /// Returns how many more VMs of one pool an owner may have, beside what is claimed before.
    pub(crate) fn left_in(&self, pool: &PoolName, owner: &Owner, before: Before<'_>) -> usize {
        let max = self.pools.get(pool).and_then(|pool| pool.config.max_per_owner);
        let limit = self.owners.limit_in(owner, pool, max);
        limit.map_or(usize::MAX, |limit| limit.left().saturating_sub(before.in_pool(pool)))
    }

    /// Returns whether the limits of its owner, beside what is claimed before, let all that a request wants be given.
    pub(crate) fn may_have(&self, owner: &Owner, shape: &Shape, before: Before<'_>) -> bool {
        let used = (0..shape.candidates.len()).filter(|index| self.is_used(&shape.candidates, *index));
        let left = used.map(|index| self.left_in(&shape.candidates[index].pool, owner, before));
        let left = left.fold(0, usize::saturating_add);
        shape.count as usize <= left.min(self.left(owner, before))
    }

    /// Returns all claims, after a look at all who want several VMs at once.
    pub(crate) fn all_claims(&self) -> Claims {
        let bound = self.waiting.want_several().filter(|top| self.is_bound(top));
        let claims = bound.map(|top| (top.clone(), self.claims_of(top).0));
        claims.filter(|(_, claims)| !claims.is_empty()).collect()
    }

    /// Returns the claims of an owner that is [bound](Self::is_bound), and until when they are these, and come before the same
    /// requests, if nothing else changes.
    pub(crate) fn claims_of(&self, top: &Owner) -> (Vec<Claim>, Option<Timestamp>) {
        let mut until: Option<Timestamp> = None;
        let mut head = |owner: &Owner, shape: &Shape, place: Place| {
            until = until.into_iter().chain(self.ages_at(top, place)).min();
            self.rank(owner, shape, place)
        };
        let lines = self.waiting.wants(top).filter(|(_, shape, _)| 1 < shape.count);
        let mut lines: Vec<_> = lines.map(|(owner, shape, places)| (owner, shape, places.iter())).collect();
        let mut heads = BTreeSet::new();
        for (index, (owner, shape, places)) in lines.iter_mut().enumerate() {
            heads.extend(places.next().map(|place| (head(owner, shape, *place), index)));
        }
        let mut claims = Vec::new();
        while let Some((rank, index)) = heads.pop_first() {
            let (owner, shape, places) = &mut lines[index];
            // Those after it in its line have nothing to claim either.
            let Some(claim) = self.claim(&claims, rank, owner, shape) else { continue };
            claims.push(claim);
            heads.extend(places.next().map(|place| (head(owner, shape, *place), index)));
        }
        // Who wants one VM may come before what is claimed by time alone.
        let singles = self.waiting.wants(top).filter(|(_, shape, _)| shape.count <= 1);
        let ages = singles.filter_map(|(_, _, places)| self.ages_at(top, *places.first()?));
        let until = until.into_iter().chain(ages).min();
        (claims, until)
    }

    /// Returns what claims go by of each pool: whether it is [down](Self::is_down), and whether another one may stand in for it.
    pub(crate) fn conditions(&self) -> BTreeMap<PoolName, (bool, bool)> {
        let conditions =
            self.pools.keys().map(|name| (name.clone(), (self.is_down(name), self.is_stuck(name))));
        conditions.collect()
    }

    /// Returns whether an owner or a sub-owner wants several VMs in one request, and some limit keeps them from having at once
    /// all that they want.
    pub(crate) fn is_bound(&self, top: &Owner) -> bool {
        if !self.waiting.wants_several(top) {
            return false;
        }
        let mut wants = BTreeMap::<&Owner, usize>::new();
        let mut wants_in = BTreeMap::<&PoolName, usize>::new();
        for (owner, shape, places) in self.waiting.wants(top) {
            let vms = places.len().saturating_mul(shape.count as usize);
            for owner in BTreeSet::from([owner, top]) {
                *wants.entry(owner).or_default() += vms;
            }
            for candidate in shape.candidates.iter() {
                *wants_in.entry(&candidate.pool).or_default() += vms;
            }
        }
        let none = Before::default();
        let over_all = wants.into_iter().any(|(owner, vms)| self.left(owner, none) < vms);
        over_all || wants_in.into_iter().any(|(pool, vms)| self.left_in(pool, top, none) < vms)
    }

    /// Returns what a request claims, if anything: it claims nothing that a closer limit keeps it from having anyhow, and
    /// nothing while no pool could serve it, or a broken cloud would keep its owner from using others.
    fn claim(&self, claims: &[Claim], rank: Rank, owner: &Owner, shape: &Arc<Shape>) -> Option<Claim> {
        let before = Before { claims, taken: None };
        let count = shape.count as usize;
        let used: Vec<_> = (0..shape.candidates.len())
            .filter(|index| self.may_be_used(&shape.candidates, *index))
            .map(|index| &shape.candidates[index].pool)
            .collect();
        if used.iter().all(|pool| self.is_down(pool)) {
            return None;
        }
        let (mut left_of_sub, mut left_of_top) = (usize::MAX, usize::MAX);
        for limit in self.owners.limits(owner, &self.spec.limits) {
            match is_sub(owner, &limit) {
                true => left_of_sub = limit.left().saturating_sub(before.of_sub(owner)),
                false => left_of_top = limit.left().saturating_sub(before.of_top()),
            }
        }
        let mut rest = count;
        let mut in_pools = BTreeMap::new();
        for pool in used {
            let left = self.left_in(pool, owner, before);
            let taken = left.min(rest);
            rest -= taken;
            if left != usize::MAX && taken != 0 {
                in_pools.insert(pool.clone(), taken);
            }
        }
        let is_limited = left_of_sub.min(left_of_top) != usize::MAX;
        let (of_sub, of_top) = match rest {
            0 if left_of_sub < count => {
                // Others of the owner above it may have what it cannot.
                in_pools.clear();
                (left_of_sub, 0)
            }
            0 if left_of_top < count => (0, left_of_top),
            0 if is_limited => (count, count),
            _ => (0, 0),
        };
        let fits = rest == 0 && count <= left_of_sub.min(left_of_top);
        let is_nothing = of_sub == 0 && of_top == 0 && in_pools.is_empty();
        let (owner, shape) = (owner.clone(), Arc::clone(shape));
        (!is_nothing).then_some(Claim { rank, owner, shape, fits, of_sub, of_top, in_pools })
    }

    /// Returns whether a candidate is used, or would be if enough were wanted of the one that it stands in for: what is wanted is
    /// counted by the claims, so that these cannot go by that.
    fn may_be_used(&self, candidates: &Candidates, index: usize) -> bool {
        match candidates.get(index).map(|candidate| candidate.instead_of) {
            None => false,
            Some(None) => true,
            Some(Some(other)) => {
                other < index && self.may_be_used(candidates, other) && self.is_stuck(&candidates[other].pool)
            }
        }
    }

    /// Returns whether a pool has nothing free and makes nothing for a while, because it failed or comes to its end.
    fn is_down(&self, name: &PoolName) -> bool {
        let Some(pool) = self.pools.get(name) else { return true };
        if pool.clean_count() + pool.dirty() + pool.starting() != 0 {
            return false;
        }
        matches!(
            self.first_limit(pool),
            Some(
                Limit::OfferPaused { .. }
                    | Limit::BreakerOpen { .. }
                    | Limit::Probing { .. }
                    | Limit::ProviderPaused { .. }
                    | Limit::ProviderUnknown { .. }
                    | Limit::ProviderRetired { .. }
                    | Limit::Stranded { .. }
                    | Limit::Draining { .. }
                    | Limit::Retired { .. }
            )
        )
    }
}

/// Returns whether a limit is that of a sub-owner, not that of the owner above it.
fn is_sub(owner: &Owner, limit: &Allowance) -> bool {
    limit.owner == *owner && owner.as_str().contains('/')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{engine, on_demand, owner, ready, refuse, spec, urge, used, want};

    /// What is claimed: by whom, how much of a sub-owner's limit, of that of the owner that counts, and of which pools.
    fn claims(engine: &Engine) -> Vec<String> {
        let told = |claim: &Claim| {
            let pools: String = claim.in_pools.iter().map(|(pool, vms)| format!(" {pool}:{vms}")).collect();
            let fits = if claim.fits { " fits" } else { "" };
            format!("{} {}+{}{pools}{fits}", claim.owner, claim.of_sub, claim.of_top)
        };
        assert_eq!(engine.check(), Ok(()));
        engine.demand.claims.values().flatten().map(told).collect()
    }

    fn limited(max: u32) -> crate::Spec {
        let mut spec = spec([("a", on_demand(9))]);
        spec.limits.max_per_owner = Some(max);
        spec
    }

    #[test]
    fn what_a_limit_leaves_is_claimed_in_the_order_of_ranks() {
        let mut engine = engine(limited(4), Vec::new());
        for (request, count) in [("r1", 3), ("r2", 2), ("r3", 1)] {
            want(&mut engine, request, "ann", "a", count);
        }
        assert_eq!(claims(&engine), ["ann 3+3 fits", "ann 0+1"], "one VM is no claim");
        let last = engine.waiting.iter().last().unwrap();
        let (rank, taken) = (engine.rank_of(last), Taken::new());
        assert_eq!(engine.before(last.owner(), &rank, &taken).len(), 2);
        assert_eq!(engine.before(&owner("bob"), &rank, &taken).len(), 0);
    }

    #[test]
    fn a_request_for_all_that_a_limit_leaves_claims_all_of_it() {
        let mut engine = engine(limited(4), Vec::new());
        want(&mut engine, "r1", "ann", "a", 4);
        assert_eq!(claims(&engine), [""; 0], "nobody else wants any of it");
        want(&mut engine, "r2", "ann", "a", 1);
        assert_eq!(claims(&engine), ["ann 4+4 fits"]);
    }

    #[test]
    fn what_a_pool_may_give_to_one_owner_is_claimed_there() {
        let mut scarce = on_demand(9);
        scarce.max_per_owner = Some(2);
        let mut engine = engine(spec([("a", scarce)]), Vec::new());
        want(&mut engine, "r1", "ann", "a", 2);
        assert_eq!(claims(&engine), [""; 0], "nobody else wants any of it");
        want(&mut engine, "r2", "ann", "a", 2);
        assert_eq!(claims(&engine), ["ann 0+0 a:2 fits"], "nothing is left to claim");
    }

    #[test]
    fn who_may_have_no_more_itself_claims_nothing_of_what_its_team_may_have() {
        let team = |max: u32| {
            let mut pool = on_demand(9);
            pool.max_per_owner = Some(9);
            let mut spec = spec([("a", pool)]);
            (spec.limits.max_per_owner, spec.limits.max_per_sub_owner) = (Some(6), Some(max));
            let mut engine = engine(spec, Vec::new());
            for (request, count) in [("r1", 2), ("r2", 2), ("r3", 1)] {
                want(&mut engine, request, "team/x", "a", count);
            }
            claims(&engine)
        };
        assert_eq!(team(3), ["team/x 2+2 a:2 fits", "team/x 1+0"]);
        assert_eq!(team(4), ["team/x 2+2 a:2 fits", "team/x 2+2 a:2 fits"]);
    }

    #[test]
    fn a_pool_that_stands_in_for_another_is_claimed_of_once_that_one_makes_nothing() {
        let (mut first, mut second) = (on_demand(9), on_demand(9));
        (first.max_per_owner, second.max_per_owner) = (Some(3), Some(9));
        first.fallback = Some(crate::sample::pool("b"));
        let mut engine = engine(spec([("a", first), ("b", second)]), Vec::new());
        let creates = want(&mut engine, "r1", "ann", "a", 2);
        want(&mut engine, "r2", "ann", "a", 2);
        assert_eq!(claims(&engine), ["ann 0+0 a:2 fits", "ann 0+0 a:1"]);
        refuse(&mut engine, &creates[1..]);
        assert_eq!(claims(&engine), ["ann 0+0 a:2 fits", "ann 0+0 a:1 b:1 fits"]);
    }

    #[test]
    fn nothing_is_claimed_of_a_pool_that_failed_and_has_nothing() {
        // What is there already, and how many creates do not fail.
        let claimed = |vms, unanswered: usize| {
            let mut engine = engine(limited(2), vms);
            let creates = want(&mut engine, "r1", "ann", "a", 2);
            want(&mut engine, "r2", "ann", "a", 2);
            refuse(&mut engine, &creates[unanswered..]);
            claims(&engine)
        };
        assert_eq!(claimed(Vec::new(), 0), [""; 0]);
        assert_eq!(claimed(Vec::new(), 1), ["ann 2+2 fits"], "one starts");
        assert_eq!(claimed(vec![ready("a-1")], 0), ["ann 2+2 fits"], "one is ready");
        assert_eq!(claimed(vec![used("a-1", "bob")], 0), ["ann 2+2 fits"], "one is kept for its last user");
    }

    #[test]
    fn what_others_use_now_is_waited_for_and_so_is_claimed() {
        let mut spec = limited(2);
        spec.pools.values_mut().for_each(|pool| pool.max_total = Some(2));
        let mut engine = engine(spec, vec![ready("a-1"), ready("a-2")]);
        want(&mut engine, "r0", "bob", "a", 2);
        want(&mut engine, "r1", "ann", "a", 2);
        want(&mut engine, "r2", "ann", "a", 2);
        assert_eq!(claims(&engine), ["ann 2+2 fits"]);
    }

    #[test]
    fn claims_change_when_time_alone_changes_who_comes_first() {
        let mut spec = limited(4);
        spec.limits.priority_aging = std::time::Duration::from_secs(60);
        let mut engine = engine(spec, Vec::new());
        want(&mut engine, "r1", "ann", "a", 3);
        urge(&mut engine, "r2", "ann", "a", 2, 1);
        let due = Timestamp::from_millis(60_000);
        assert_eq!((engine.claims_change_at(), engine.order_changes_at()), (Some(due), Some(due)));
        let _ = engine.step(Timestamp::from_millis(59_999), crate::Input::Tick);
        assert_eq!(claims(&engine), ["ann 2+2 fits", "ann 0+2"]);
        let _ = engine.step(due, crate::Input::Tick);
        assert_eq!(claims(&engine), ["ann 3+3 fits", "ann 0+1"], "both are of one class, and one came first");
    }

    #[test]
    fn who_wants_one_vm_claims_nothing_although_it_came_first() {
        let mut engine = engine(limited(4), Vec::new());
        for (request, count) in [("r1", 1), ("r2", 3), ("r3", 2)] {
            want(&mut engine, request, "ann", "a", count);
        }
        assert_eq!(claims(&engine), ["ann 3+3 fits", "ann 0+1"]);
    }
}
