//! How many VMs those who wait want of each pool.

use std::{
    collections::{BTreeMap, BTreeSet},
    mem::take,
    sync::Arc,
};

use vmpool_model::{Owner, PoolName, Timestamp};

use crate::{
    Engine,
    candidate::{Candidate, Candidates},
    claim::{Claims, Taken},
    headroom::Headroom,
    order::Order,
    pool::Pool,
    queue::Shape,
    timers::Timer,
};

/// How many VMs are wanted by those who may be served from the same pools, as far as the limits of owners allow.
#[derive(Debug, Default)]
pub(crate) struct Demand {
    by_pools: Wants,
    of_owners: BTreeMap<Owner, Wants>,
    /// What requests for several VMs claim of what their owners may have.
    pub(crate) claims: Claims,
    /// Those whose requests want several VMs at once, and whose limits keep them from having all that they want; and until
    /// when they claim the same if nothing else changes.
    bound: BTreeMap<Owner, Option<Timestamp>>,
    /// What else they go by: the condition of each pool, and the highest priority.
    conditions: BTreeMap<PoolName, (bool, bool)>,
    highest: Option<i32>,
    /// Owners whose requests or leases changed.
    stale: BTreeSet<Owner>,
    /// Whether some pool is told to have more than it would have of itself.
    is_spread: bool,
}

/// What is wanted of the same pools, by these pools.
type Wants = BTreeMap<Candidates, Want>;

/// How many VMs are wanted of some pools, and how many of these each pool may give at most, for the sake of the limits that
/// owners have there.
#[derive(Debug, Clone, Default, PartialEq)]
struct Want {
    vms: usize,
    /// By the place of the pool among the candidates.
    at_most: Vec<usize>,
}

/// What is left of a pool while demand is spread over the pools.
#[derive(Debug, Default)]
struct Room {
    /// Ready VMs that nobody used yet, and those that start.
    made: usize,
    /// How many more can be made.
    growth: usize,
    /// How many can be made once VMs that are kept for their last users are destroyed.
    evictable: usize,
}

/// Which room of a pool is given, and whether that is the room for VMs that are still to be made.
type Choice = (fn(&mut Room) -> &mut usize, bool);

impl Want {
    /// Adds VMs of which a pool may give no more than limits leave there.
    fn add(&mut self, vms: usize, left_in: impl IntoIterator<Item = usize>) {
        self.vms += vms;
        for (index, left) in left_in.into_iter().enumerate() {
            if self.at_most.len() <= index {
                self.at_most.resize(index + 1, 0);
            }
            self.at_most[index] += left.min(vms);
        }
    }

    fn remove(&mut self, other: &Self) {
        self.vms -= other.vms;
        for (all, its) in self.at_most.iter_mut().zip(&other.at_most) {
            *all -= its;
        }
    }
}

impl Demand {
    /// Returns whether somebody waits for whom a pool may stand in, which depends on more than is told of.
    pub(crate) fn has_stand_ins(&self) -> bool {
        let candidates = self.by_pools.keys().flat_map(|pools| pools.iter());
        candidates.into_iter().any(|candidate| candidate.instead_of.is_some())
    }

    /// Returns whether some owner's requests or leases changed since it was counted.
    pub(crate) fn is_stale(&self) -> bool {
        !self.stale.is_empty()
    }
}

impl Engine {
    /// Notes that an owner wants or holds something else than before.
    pub(crate) fn wants_change(&mut self, owner: &Owner) {
        let top = self.owners.top(owner);
        self.demand.stale.insert(top);
        self.unserved = true;
    }

    /// Notes that what everybody wants is to be counted anew.
    pub(crate) fn forget_wants(&mut self) {
        // What pools are told by now is still to be taken back.
        self.demand = Demand { is_spread: self.demand.is_spread, ..Demand::default() };
        self.order = Order::default();
        self.unserved = true;
    }

    /// Counts what those owners want whose requests or leases changed, or whose claims did.
    pub(crate) fn count_wants(&mut self) {
        self.count_claims();
        for owner in take(&mut self.demand.stale) {
            let wants = self.wants_of(&owner);
            let before = match wants.is_empty() {
                true => self.demand.of_owners.remove(&owner),
                false => self.demand.of_owners.insert(owner.clone(), wants.clone()),
            };
            for (pools, want) in wants {
                self.demand.by_pools.entry(pools).or_default().add(want.vms, want.at_most);
            }
            for (pools, want) in before.into_iter().flatten() {
                if let Some(all) = self.demand.by_pools.get_mut(&pools) {
                    all.remove(&want);
                    if all.vms == 0 {
                        self.demand.by_pools.remove(&pools);
                    }
                }
            }
            self.rank_anew(&owner);
        }
    }

    /// Finds out what those owners claim whose requests or leases changed, and all if something changed that all go by; who
    /// claims something else than before is to be counted.
    fn count_claims(&mut self) {
        let mut changed: BTreeSet<_> = self.demand.stale.clone();
        for owner in &self.demand.stale {
            match self.is_bound(owner) {
                true => drop(self.demand.bound.insert(owner.clone(), None)),
                false => drop(self.demand.bound.remove(owner)),
            }
        }
        let bound = &self.demand.bound;
        if !bound.is_empty() {
            let (conditions, highest) = (self.conditions(), self.waiting.highest_priority());
            let is_same = self.demand.conditions == conditions && self.demand.highest == highest;
            let is_due = |until: &Option<Timestamp>| until.is_some_and(|until| until <= self.now);
            let due = bound.iter().filter(|(_, until)| !is_same || is_due(until));
            changed.extend(due.map(|(owner, _)| owner.clone()));
            (self.demand.conditions, self.demand.highest) = (conditions, highest);
        }
        for owner in changed {
            let (claims, until) = match self.demand.bound.contains_key(&owner) {
                true => self.claims_of(&owner),
                false => (Vec::new(), None),
            };
            self.demand.bound.entry(owner.clone()).and_modify(|before| *before = until);
            let before = match claims.is_empty() {
                true => self.demand.claims.remove(&owner),
                false => self.demand.claims.insert(owner.clone(), claims),
            };
            // What comes before them may be something else, too.
            let claims = self.demand.claims.get(&owner);
            if before.as_ref() != claims || claims.is_some() {
                self.demand.stale.insert(owner);
            }
        }
    }

    /// Returns when time alone may change what somebody claims.
    pub(crate) fn claims_change_at(&self) -> Option<Timestamp> {
        self.demand.bound.values().filter_map(|until| *until).min()
    }

    /// Returns what an owner and its sub-owners want, as far as limits allow: a request that its owner's limits keep waiting
    /// needs no VM, and neither does one that comes after requests for several VMs that take all that the limits leave.
    fn wants_of(&self, top: &Owner) -> Wants {
        let mut wants = Wants::new();
        let mut promised = BTreeMap::<Owner, usize>::new();
        let mut promised_in = BTreeMap::<PoolName, usize>::new();
        let mut claimed = BTreeMap::<(&Owner, &Arc<Shape>), usize>::new();
        let taken = Taken::new();
        for claim in self.demand.claims.get(top).into_iter().flatten() {
            *claimed.entry((&claim.owner, &claim.shape)).or_default() += 1;
            if claim.fits {
                let candidates = &claim.shape.candidates;
                let before = self.before(&claim.owner, &claim.rank, &taken);
                let left_in =
                    candidates.iter().map(|candidate| self.left_in(&candidate.pool, &claim.owner, before));
                wants.entry(candidates.clone()).or_default().add(claim.shape.count as usize, left_in);
            }
        }
        for (owner, shape, places) in self.waiting.wants(top) {
            let claimed = claimed.get(&(owner, shape)).copied().unwrap_or_default();
            let Some(first) = places.iter().nth(claimed) else { continue };
            let rank = self.rank(owner, shape, *first);
            let before = self.before(owner, &rank, &taken);
            let promised_to = |owner: &Owner| promised.get(owner).copied().unwrap_or_default();
            let left = self.left_beside(owner, before, promised_to);
            let left_in = |pool: &PoolName| {
                let promised = promised_in.get(pool).copied().unwrap_or_default();
                match self.left_in(pool, owner, before) {
                    usize::MAX => usize::MAX,
                    left => left.saturating_sub(promised),
                }
            };
            let left_in: Vec<_> = shape.candidates.iter().map(|candidate| left_in(&candidate.pool)).collect();
            let in_pools = left_in.iter().fold(0, |all: usize, left| all.saturating_add(*left));
            let count = shape.count as usize;
            let vms = left.min(in_pools) / count.max(1) * count;
            let vms = vms.min((places.len() - claimed).saturating_mul(count));
            if vms == 0 {
                continue;
            }
            wants.entry(shape.candidates.clone()).or_default().add(vms, left_in.iter().copied());
            let mut rest = vms;
            for (candidate, left) in shape.candidates.iter().zip(left_in) {
                let taken = left.min(rest);
                rest -= taken;
                *promised_in.entry(candidate.pool.clone()).or_default() += taken;
            }
            for owner in BTreeSet::from([owner, top]) {
                *promised.entry(owner.clone()).or_default() += vms;
            }
        }
        wants
    }

    /// Returns how many VMs are wanted by all who may be served from a pool; `None` if their owners' limits let it give them
    /// fewer than that.
    pub(crate) fn wanted_of(&self, pool: &PoolName) -> Option<usize> {
        let wants = self.demand.by_pools.iter().filter_map(|(pools, want)| {
            let index = pools.iter().position(|candidate| candidate.pool == *pool)?;
            Some((want.vms <= want.at_most[index]).then_some(want.vms))
        });
        wants.sum()
    }

    /// Spreads what is wanted over the pools, each VM at one pool: where one is ready or starts, else at the first pool that
    /// can make one, else where one that is kept for its last user can make room, else at the pool that is liked best.
    pub(crate) fn spread(&mut self) {
        self.count_wants();
        if self.demand.by_pools.is_empty() && !self.demand.is_spread {
            return;
        }
        let (demand, until) = (self.demand_of_pools(), self.stood_in_until());
        self.timers.set(Timer::Queue, until);
        self.demand.is_spread = !demand.is_empty();
        for (name, pool) in &mut self.pools {
            let vms = demand.get(name).copied().unwrap_or_default();
            if pool.demand != vms {
                pool.demand = vms;
                self.touched.insert(name.clone());
            }
        }
    }

    fn demand_of_pools(&self) -> BTreeMap<PoolName, usize> {
        let all = &self.demand.by_pools;
        let shared = all.keys().filter(|pools| 1 < pools.len()).flat_map(|pools| pools.iter());
        let shared: BTreeSet<_> = shared.map(|candidate| &candidate.pool).collect();
        let mut demand = BTreeMap::<PoolName, usize>::new();
        let mut wanted = Vec::new();
        for (pools, want) in all {
            // VMs that are kept for their last users are there already.
            let vms = want.vms.saturating_sub(self.kept_for(pools));
            match &**pools {
                // There is nothing to choose, for anybody.
                [Candidate { pool, .. }] if !shared.contains(pool) => {
                    if vms != 0 {
                        demand.insert(pool.clone(), vms);
                    }
                }
                _ => wanted.push((pools, vms, want.at_most.clone())),
            }
        }
        // Who has the fewest pools to choose from chooses first.
        wanted.sort_by_key(|(pools, ..)| pools.len());
        let mut rooms = BTreeMap::<PoolName, Room>::new();
        let mut headroom = Headroom::default();
        let choices: [Choice; 3] = [
            (|room| &mut room.made, false),
            (|room| &mut room.growth, true),
            (|room| &mut room.evictable, false),
        ];
        for (choice, is_growth) in choices {
            for (pools, vms, at_most) in &mut wanted {
                for (index, Candidate { pool, .. }) in pools.iter().enumerate() {
                    if *vms == 0 {
                        break;
                    }
                    let room = rooms.entry(pool.clone()).or_insert_with(|| self.room(pool));
                    let room = choice(room);
                    if *room == 0 || at_most[index] == 0 || !self.is_used(pools, index) {
                        continue;
                    }
                    let mut placed = (*vms).min(*room).min(at_most[index]);
                    if let Some(of) = self.pools.get(pool).filter(|_| is_growth) {
                        placed = placed.min(self.headroom(&headroom, of));
                        self.take_headroom(&mut headroom, of, placed);
                    }
                    if placed == 0 {
                        continue;
                    }
                    *vms -= placed;
                    *room -= placed;
                    at_most[index] -= placed;
                    *demand.entry(pool.clone()).or_default() += placed;
                }
            }
        }
        for (pools, vms, at_most) in wanted.into_iter().filter(|(_, vms, _)| *vms != 0) {
            // Where limits leave something only in a pool that would stand in, nothing is wanted for now.
            let first = (0..pools.len()).find(|index| at_most[*index] != 0 && self.is_used(pools, *index));
            if let Some(liked) = first.map(|index| &pools[index].pool) {
                *demand.entry(liked.clone()).or_default() += vms;
            }
        }
        demand
    }

    /// Returns when the first pool may make VMs again that another one stands in for.
    fn stood_in_until(&self) -> Option<Timestamp> {
        let pools = self.demand.by_pools.keys().flat_map(|pools| {
            pools.iter().filter_map(|candidate| Some(&pools.get(candidate.instead_of?)?.pool))
        });
        pools.filter_map(|pool| self.can_grow(pool).err()?.until()).min()
    }

    fn room(&self, name: &PoolName) -> Room {
        let Some(pool) = self.pools.get(name) else { return Room::default() };
        let growth = (pool.config.max_total() as usize).saturating_sub(pool.total());
        let growth = if growth == 0 || self.is_stuck(name) { 0 } else { growth };
        let made = pool.clean_count() + pool.starting();
        Room { made, growth, evictable: pool.dirty() }
    }

    /// Returns whether what everybody wants is counted right.
    pub(crate) fn counts_wants_right(&self) -> bool {
        let tops: BTreeSet<_> = self.waiting.iter().map(|waiter| self.owners.top(waiter.owner())).collect();
        let wants = tops.into_iter().map(|top| (top.clone(), self.wants_of(&top)));
        let wants: BTreeMap<_, _> = wants.filter(|(_, wants)| !wants.is_empty()).collect();
        let mut all = Wants::new();
        for (pools, want) in wants.values().flatten() {
            all.entry(pools.clone()).or_default().add(want.vms, want.at_most.iter().copied());
        }
        let demand = self.demand_of_pools();
        let is_spread =
            |(name, pool): (&PoolName, &Pool)| pool.demand == demand.get(name).copied().unwrap_or_default();
        self.pools.iter().all(is_spread)
            && self.demand.claims == self.all_claims()
            && self.demand.stale.is_empty()
            && self.demand.of_owners == wants
            && self.demand.by_pools == all
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{engine, on_demand, pool, ready, refuse, spec, want};

    fn demand(engine: &Engine) -> Vec<String> {
        engine.demand_of_pools().iter().map(|(pool, vms)| format!("{pool}:{vms}")).collect()
    }

    #[test]
    fn what_a_pool_has_room_for_is_counted_once() {
        let mut engine = engine(spec([("a", on_demand(1)), ("b", on_demand(1))]), Vec::new());
        want(&mut engine, "r1", "ann", "a b", 1);
        want(&mut engine, "r2", "bob", "a", 1);
        assert_eq!(demand(&engine), ["a:1", "b:1"]);
    }

    #[test]
    fn what_no_pool_has_room_for_is_wanted_of_the_one_that_is_liked_best() {
        let mut engine = engine(spec([("a", on_demand(1)), ("b", on_demand(1))]), Vec::new());
        for request in ["r1", "r2", "r3", "r4"] {
            want(&mut engine, request, request, "b a", 1);
        }
        assert_eq!(demand(&engine), ["a:1", "b:3"]);
    }

    #[test]
    fn who_stands_in_is_looked_at_anew_when_the_other_one_may_make_vms_again() {
        let mut first = on_demand(1);
        first.fallback = Some(pool("b"));
        let mut engine = engine(spec([("a", first), ("b", on_demand(1))]), Vec::new());
        let creates = want(&mut engine, "r1", "ann", "a", 1);
        assert_eq!((demand(&engine), engine.stood_in_until()), (vec!["a:1".to_owned()], None));
        refuse(&mut engine, &creates);
        let until = engine.can_grow(&pool("a")).unwrap_err().until();
        assert_eq!((demand(&engine), engine.stood_in_until()), (vec!["b:1".to_owned()], until));
        assert!(until.is_some() && engine.timers.get(&Timer::Queue) == until);
        assert_eq!(engine.pauses_end_at(), until);
    }

    #[test]
    fn nothing_is_wanted_of_a_pool_that_does_not_stand_in_at_present() {
        let mut first = on_demand(3);
        (first.fallback, first.max_per_owner) = (Some(pool("b")), Some(1));
        let mut engine = engine(spec([("a", first), ("b", on_demand(3))]), vec![ready("a-1")]);
        want(&mut engine, "r1", "ann", "a", 1);
        want(&mut engine, "r2", "ann", "a", 1);
        assert_eq!(demand(&engine), [""; 0]);
    }

    #[test]
    fn what_can_only_be_had_of_one_pool_is_wanted_there() {
        let mut engine = engine(spec(["a", "b", "c"].map(|name| (name, on_demand(1)))), Vec::new());
        for (request, pools) in [("r1", "a"), ("r2", "a"), ("r3", "c")] {
            want(&mut engine, request, request, pools, 1);
        }
        assert_eq!(demand(&engine), ["a:2", "c:1"]);
    }

    #[test]
    fn who_can_choose_chooses_after_those_who_cannot() {
        let mut engine = engine(spec(["a", "b", "c"].map(|name| (name, on_demand(1)))), Vec::new());
        for (request, pools) in [("r1", "a b"), ("r2", "a"), ("r3", "c"), ("r4", "c")] {
            want(&mut engine, request, request, pools, 1);
        }
        assert_eq!(demand(&engine), ["a:1", "b:1", "c:2"]);
    }

    #[test]
    fn claims_are_counted_anew_when_somebody_comes_of_a_higher_priority() {
        let minute = std::time::Duration::from_secs(60);
        let mut spec = spec([("a", on_demand(4))]);
        (spec.limits.priority_aging, spec.limits.max_per_owner) = (minute, Some(3));
        let mut engine = engine(spec, Vec::new());
        for request in ["r1", "r2"] {
            want(&mut engine, request, "ann", "a", 2);
        }
        let later = engine.now + minute;
        let urgent = vmpool_model::RequestId::new("r3").unwrap();
        let urgent = vmpool_model::Acquire::new(urgent, pool("a"), crate::sample::owner("bob"));
        let urgent = urgent.with_priority(5).with_wait(minute);
        let _ = engine.step(later, crate::Input::Tick);
        let before = engine.demand.claims.clone();
        let _ = engine.step(later + minute / 60, crate::Input::Acquire(Box::new(urgent)));
        assert_ne!(engine.demand.claims, before, "who waits for a minute has a higher class now");
        assert_eq!(engine.check(), Ok(()));
    }

    #[test]
    fn what_a_pool_has_and_what_it_makes_are_together_no_more_than_a_limit_lets_it_give() {
        let mut scarce = on_demand(9);
        scarce.max_per_owner = Some(2);
        let mut engine = engine(spec([("a", scarce), ("b", on_demand(9))]), vec![ready("a-1")]);
        want(&mut engine, "r1", "ann", "a b", 3);
        assert_eq!(demand(&engine), ["a:2", "b:1"]);
    }
}
