//! Who waits for each pool, in the order of ranks: who comes first is found without a look at all who wait.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use vmpool_model::{Owner, PoolName, Timestamp};

use crate::{
    Engine,
    pool::Pool,
    queue::{Place, top},
    rank::Rank,
    serve::Walk,
};

/// Those who wait, by the owner that counts in the end and by the best rank of its requests in each pool.
///
/// Only the ranks of owners that want or hold something else than before change, and those of whom time alone changes the
/// rank; whether limits let a request be served is not looked at here.
#[derive(Debug, Default)]
pub(crate) struct Order {
    by_rank: BTreeMap<PoolName, BTreeSet<(Rank, Owner)>>,
    of_owners: BTreeMap<Owner, Ranks>,
    /// When time alone changes ranks, and whose.
    due: BTreeSet<(Timestamp, Owner)>,
    /// The highest priority that all this is true for.
    highest: Option<i32>,
}

/// The best ranks of one owner.
#[derive(Debug, Default, PartialEq)]
struct Ranks {
    in_pools: BTreeMap<PoolName, Rank>,
    /// When time alone changes one of them.
    until: Option<Timestamp>,
}

impl Order {
    fn put(&mut self, owner: &Owner, ranks: Ranks) {
        let before = self.of_owners.remove(owner).unwrap_or_default();
        if before.until != ranks.until {
            before.until.map(|until| self.due.remove(&(until, owner.clone())));
            ranks.until.map(|until| self.due.insert((until, owner.clone())));
        }
        for (pool, rank) in
            before.in_pools.iter().filter(|(pool, rank)| ranks.in_pools.get(*pool) != Some(rank))
        {
            if let Some(all) = self.by_rank.get_mut(pool) {
                all.remove(&(rank.clone(), owner.clone()));
                if all.is_empty() {
                    self.by_rank.remove(pool);
                }
            }
        }
        for (pool, rank) in
            ranks.in_pools.iter().filter(|(pool, rank)| before.in_pools.get(*pool) != Some(rank))
        {
            self.by_rank.entry(pool.clone()).or_default().insert((rank.clone(), owner.clone()));
        }
        if !ranks.in_pools.is_empty() {
            self.of_owners.insert(owner.clone(), ranks);
        }
    }
}

impl Engine {
    /// Ranks an owner anew that wants or holds something else than before.
    pub(crate) fn rank_anew(&mut self, owner: &Owner) {
        let ranks = self.ranks_of(owner);
        self.order.put(owner, ranks);
    }

    /// Ranks those anew whose rank changed by time alone, or all if the highest priority did.
    pub(crate) fn rank_due(&mut self) {
        let highest = self.waiting.highest_priority();
        if self.order.highest != highest {
            self.order.highest = highest;
            let all: Vec<_> = self.order.of_owners.keys().cloned().collect();
            all.iter().for_each(|owner| self.rank_anew(owner));
        }
        while let Some((_, owner)) = self.order.due.first().filter(|(at, _)| *at <= self.now).cloned() {
            self.rank_anew(&owner);
        }
    }

    /// Returns when time alone changes the rank of somebody who comes first in its line.
    pub(crate) fn order_changes_at(&self) -> Option<Timestamp> {
        self.order.due.first().map(|(at, _)| *at)
    }

    /// Returns whether all ranks are those of now.
    fn is_ranked(&self) -> bool {
        let is_due = self.order.due.first().is_some_and(|(at, _)| *at <= self.now);
        !is_due && self.order.highest == self.waiting.highest_priority() && !self.demand.is_stale()
    }

    fn ranks_of(&self, owner: &Owner) -> Ranks {
        let mut ranks = Ranks::default();
        for (of, shape, _) in self.waiting.wants(owner) {
            let mut queues = shape.candidates.iter().filter_map(|candidate| self.pools.get(&candidate.pool));
            let Some(place) = queues.find_map(|pool| pool.queue.first(of, shape)) else { continue };
            let rank = self.rank(of, shape, place);
            for candidate in shape.candidates.iter() {
                let best = ranks.in_pools.entry(candidate.pool.clone()).or_insert_with(|| rank.clone());
                if rank < *best {
                    *best = rank.clone();
                }
            }
            ranks.until = ranks.until.into_iter().chain(self.ages_at(owner, place)).min();
        }
        ranks
    }

    /// Returns when time alone changes the rank of a request next.
    pub(crate) fn ages_at(&self, owner: &Owner, (submitted_at, _): Place) -> Option<Timestamp> {
        let aging = self.spec.limits.priority_aging;
        if aging.as_millis() == 0 {
            return None;
        }
        let served_at = self.owners.get(owner).map(|account| account.served_at).unwrap_or_default();
        let next = |since: Timestamp| {
            let times = u64::try_from(self.aged(since)).unwrap_or_default().saturating_add(1);
            let aging = u64::try_from(aging.as_millis()).unwrap_or(u64::MAX);
            since + Duration::from_millis(aging.saturating_mul(times))
        };
        Some(next(submitted_at).min(next(submitted_at.max(served_at))))
    }

    /// Returns which request comes first of those that wait for a pool and may have what nobody used yet.
    pub(crate) fn first_in(&self, name: &PoolName, pool: &Pool, walk: &Walk) -> Option<(Rank, Place)> {
        if !self.is_ranked() {
            return self.first_of_all(name, pool, walk);
        }
        let mut first: Option<(Rank, Place)> = None;
        for (best, owner) in self.order.by_rank.get(name).into_iter().flatten() {
            if first.as_ref().is_some_and(|(rank, _)| rank < best) {
                break;
            }
            let mut last = None;
            for (of, ..) in self.waiting.wants(owner) {
                if last.replace(of) == Some(of) {
                    continue;
                }
                let its = pool.queue.owner(of).and_then(|lines| self.first_of(name, of, lines, walk));
                first = first.into_iter().chain(its).min();
            }
        }
        first
    }

    /// Returns the same after a look at all who wait.
    fn first_of_all(&self, name: &PoolName, pool: &Pool, walk: &Walk) -> Option<(Rank, Place)> {
        let owners = pool.queue.owners();
        owners.filter_map(|(owner, lines)| self.first_of(name, owner, lines, walk)).min()
    }

    /// Returns whether the order is what it would be if it were made anew.
    pub(crate) fn is_ordered_right(&self) -> bool {
        if !self.is_ranked() {
            return true;
        }
        let mut order = Order::default();
        let owners: BTreeSet<_> = self.waiting.iter().map(|waiter| top(waiter.owner())).collect();
        owners.iter().for_each(|owner| order.put(owner, self.ranks_of(owner)));
        let walk = Walk::default();
        let finds_first = |(name, pool): (&PoolName, &Pool)| {
            self.first_in(name, pool, &walk) == self.first_of_all(name, pool, &walk)
        };
        order.by_rank == self.order.by_rank
            && order.of_owners == self.order.of_owners
            && order.due == self.order.due
            && self.pools.iter().all(finds_first)
    }
}

#[cfg(test)]
mod tests {
    use vmpool_model::{
        Acquire, InstallationId, ProviderName, RequestId,
        config::{PoolConfig, ProviderConfig},
    };

    use super::*;
    use crate::{Input, Records, Spec};

    /// An engine with a pool that has no VM yet, and three owners who wait for one.
    fn engine() -> Engine {
        let (provider, pool) = (ProviderName::new("lab").unwrap(), PoolName::new("small").unwrap());
        let mut spec = Spec::new(InstallationId::new("test").unwrap(), 1, 7);
        spec.limits.priority_aging = Duration::from_secs(60);
        spec.providers.insert(provider.clone(), ProviderConfig::new("dummy"));
        spec.pools.insert(pool.clone(), PoolConfig::new(provider, "template", 1));
        let mut engine = Engine::recover(spec, Records::default(), Timestamp::default());
        for (number, owner) in (0..).zip(["cid/x", "bob", "ann", "cid"]) {
            let id = RequestId::new(format!("r{number}")).unwrap();
            let acquire = Acquire::new(id, pool.clone(), Owner::new(owner).unwrap());
            let acquire = acquire.with_wait(Duration::from_secs(600)).with_priority(number / 2);
            let _ = engine.step(Timestamp::from_millis(i64::from(number)), Input::Acquire(Box::new(acquire)));
        }
        engine
    }

    fn first(engine: &Engine) -> Option<Place> {
        let (name, pool) = engine.pools.first_key_value()?;
        Some(engine.first_in(name, pool, &Walk::default())?.1)
    }

    #[test]
    fn owners_are_in_the_order_of_their_best_ranks() {
        let engine = engine();
        let order: Vec<_> =
            engine.order.by_rank.values().flatten().map(|(_, owner)| owner.as_str()).collect();
        assert_eq!(order, ["ann", "cid", "bob"]);
        assert_eq!(
            first(&engine),
            Some((Timestamp::from_millis(2), engine.waiting.iter().nth(2).unwrap().place.1))
        );
    }

    #[test]
    fn time_alone_changes_the_order() {
        let mut engine = engine();
        let later = Timestamp::from_millis(60_000);
        engine.now = later;
        assert!(!engine.is_ranked(), "the first one is due");
        let unranked = first(&engine);
        assert_eq!(unranked.map(|(at, _)| at), Some(Timestamp::default()), "it waits for longest");
        engine.rank_due();
        assert!(engine.is_ranked());
        assert_eq!((first(&engine), engine.is_ordered_right()), (unranked, true));
        assert_eq!(engine.order.due.first().map(|(at, _)| *at), Some(later + Duration::from_millis(1)));
    }

    #[test]
    fn an_order_that_is_wrong_is_told() {
        let damages: [fn(&mut Order); 4] = [
            |order| order.by_rank.clear(),
            |order| drop(order.of_owners.pop_first()),
            |order| drop(order.due.pop_last()),
            |order| order.by_rank.values_mut().for_each(|ranks| drop(ranks.pop_first())),
        ];
        for damage in damages {
            let mut engine = engine();
            assert_eq!(engine.check(), Ok(()));
            damage(&mut engine.order);
            assert!(engine.check().is_err_and(|found| found.contains("not ordered right")));
        }
    }

    #[test]
    fn who_wants_something_else_than_was_counted_is_not_ranked() {
        let mut engine = engine();
        assert!(engine.is_ranked());
        engine.wants_change(&Owner::new("ann").unwrap());
        assert!(!engine.is_ranked());
        engine.count_wants();
        assert!(engine.is_ranked());
    }

    #[test]
    fn a_rank_tells_whose_it_is() {
        let engine = engine();
        assert!(engine.waiting.iter().all(|waiter| engine.rank_of(waiter).place() == waiter.place));
    }
}
