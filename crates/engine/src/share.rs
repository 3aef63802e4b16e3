//! A VM that is kept for its last user is not given to it again where others are entitled to its room.

use vmpool_model::{Owner, PoolName};

use crate::{
    Engine,
    claim::Before,
    pool::Pool,
    queue::{Lines, Place, Shape, Tenant, Waiter},
    rank::Rank,
    serve::Walk,
};

impl Engine {
    /// Returns whether a request that could have a VM again that is kept for its tenant leaves it: the pool is full, and those who come before this request want more than are on their way. Otherwise whoever had a pool's
    /// VMs first would keep them for as long as it has work.
    ///
    /// Who only was served longer ago does not count, or equals would take each other's VMs again and again.
    pub(crate) fn yields(&self, name: &PoolName, pool: &Pool, waiter: &Waiter) -> bool {
        let coming = pool.clean_count() + pool.coming();
        // Of a pool that is not full for another reason, the end of this VM might help nobody.
        if pool.demand() <= coming || pool.total() < pool.config.max_total() as usize {
            return false;
        }
        let rank = self.rank_of(waiter);
        self.is_behind(name, pool, waiter, coming, |other| other.urgency < rank.urgency)
    }

    /// Returns whether a request whose VMs are set aside, because it wants more than are free, has to leave one that is kept for
    /// its tenant: the pool is full, and those who come first want more than are on their way. Who cannot be served
    /// yet uses nothing again, so here even who only was served longer ago comes first, or both would wait.
    fn is_passed(&self, name: &PoolName, pool: &Pool, waiter: &Waiter) -> bool {
        let coming = pool.clean_count() + pool.coming();
        if !self.set_aside.has(waiter.place) || pool.total() < pool.config.max_total() as usize {
            return false;
        }
        let rank = self.rank_of(waiter);
        self.is_behind(name, pool, waiter, coming, |other| *other < rank)
    }

    /// Returns whether requests that come before one want more VMs of a pool than are on their way.
    fn is_behind(
        &self,
        name: &PoolName,
        pool: &Pool,
        waiter: &Waiter,
        coming: usize,
        is_first: impl Fn(&Rank) -> bool,
    ) -> bool {
        let rank = self.rank_of(waiter);
        let mut before = 0_usize;
        for (owner, lines) in pool.queue.owners() {
            before += self.entitled(name, owner, lines, waiter, &rank, &is_first);
            if coming < before {
                return true;
            }
        }
        false
    }

    /// Returns how many VMs of a pool an owner is to have before a request of somebody else.
    fn entitled(
        &self,
        name: &PoolName,
        owner: &Owner,
        lines: &Lines,
        waiter: &Waiter,
        rank: &Rank,
        is_first: impl Fn(&Rank) -> bool,
    ) -> usize {
        let walk = Walk::default();
        let is_same_top = self.owners.top(owner) == self.owners.top(waiter.owner());
        let (mut urgent, mut shared, mut behind) = (0_usize, 0_usize, 0);
        for (shape, places) in lines {
            let Some(first) = places.first() else { continue };
            let other = self.rank(owner, shape, *first);
            if !self.is_allowed_in(name, owner, shape, &other, &walk) {
                continue;
            }
            let wanted = self.wanted_here(name, shape, places.len());
            if is_first(&other) {
                urgent = urgent.saturating_add(wanted);
            } else if other.urgency == rank.urgency {
                shared = shared.saturating_add(wanted);
                behind = match is_same_top {
                    true => other.sub.behind(rank.sub),
                    false => other.top.behind(rank.top),
                };
            }
        }
        let none = Before::default();
        let left = self.left(owner, none).min(self.left_in(name, owner, none));
        urgent.saturating_add(shared.min(behind)).min(left)
    }

    fn is_allowed_in(&self, name: &PoolName, owner: &Owner, shape: &Shape, rank: &Rank, walk: &Walk) -> bool {
        let index = shape.candidates.iter().position(|candidate| candidate.pool == *name);
        let is_used = index.is_some_and(|index| self.is_used(&shape.candidates, index));
        is_used && self.is_allowed(name, owner, shape, rank, walk)
    }

    /// Returns how many VMs requests of a shape can only have of this pool.
    fn wanted_here(&self, name: &PoolName, shape: &Shape, requests: usize) -> usize {
        let candidates = shape.candidates.iter().enumerate();
        let others = candidates
            .filter(|(index, other)| other.pool != *name && self.is_used(&shape.candidates, *index));
        let mut elsewhere = 0_usize;
        for (_, other) in others {
            match self.pools.get(&other.pool) {
                Some(_) if !self.is_stuck(&other.pool) => return 0,
                Some(pool) => elsewhere += pool.clean_count() + pool.coming(),
                None => {}
            }
        }
        requests.saturating_mul(shape.count as usize).saturating_sub(elsewhere)
    }

    /// Returns whether a tenant waits who is to have a VM again that is kept for it.
    pub(crate) fn is_claimed(&self, name: &PoolName, pool: &Pool, tenant: &Tenant) -> bool {
        let Some(lines) = pool.queue.tenant(tenant) else { return false };
        let first: Option<(Rank, Place)> = self.first_of(name, &tenant.0, lines, &Walk::default());
        let waiter = first.and_then(|(_, place)| self.waiting.get(&place));
        waiter.is_some_and(|waiter| !self.yields(name, pool, waiter) && !self.is_passed(name, pool, waiter))
    }
}

#[cfg(test)]
mod tests {
    use vmpool_model::config::PoolConfig;

    use super::*;
    use crate::sample::{engine, on_demand, owner, pool, ready, spec, urge, used, want};

    fn waiter<'a>(engine: &'a Engine, request: &str) -> &'a Waiter {
        engine.waiting.iter().find(|waiter| waiter.id.as_str() == request).unwrap()
    }

    /// Whether a request leaves a VM of the pool that is kept for it: to those in need, and because it cannot be served yet.
    fn leaves(engine: &Engine, request: &str) -> [bool; 2] {
        let (name, waiter) = (pool("a"), waiter(engine, request));
        let pool = engine.pools.get(&name).unwrap();
        [engine.yields(&name, pool, waiter), engine.is_passed(&name, pool, waiter)]
    }

    /// A pool that has room for more VMs and makes none at present.
    fn resting() -> PoolConfig {
        let mut config = on_demand(9);
        config.max_starting = 0;
        config
    }

    #[test]
    fn in_a_pool_that_is_not_full_nobody_leaves_what_is_kept_for_it() {
        let mut engine = engine(spec([("a", resting())]), vec![used("a-1", "ann"), ready("a-2")]);
        urge(&mut engine, "r1", "bob", "a", 3, 9);
        want(&mut engine, "r2", "ann", "a", 3);
        assert!(engine.set_aside.has(waiter(&engine, "r2").place));
        assert_eq!(leaves(&engine, "r2"), [false, false]);
    }

    #[test]
    fn what_is_ready_and_what_starts_is_for_those_who_come_first() {
        let mut engine = engine(spec([("a", on_demand(3))]), vec![used("a-1", "ann"), ready("a-2")]);
        want(&mut engine, "r1", "bob", "a", 2);
        want(&mut engine, "r2", "ann", "a", 3);
        assert!(engine.set_aside.has(waiter(&engine, "r2").place));
        assert_eq!(leaves(&engine, "r2"), [false, false], "one is ready for bob and one starts");
    }

    #[test]
    fn who_is_less_urgent_is_entitled_to_nothing_although_it_holds_less() {
        let vms = vec![used("a-1", "ann"), ready("a-2"), ready("b-1"), ready("b-2")];
        let mut engine = engine(spec([("a", on_demand(2)), ("b", on_demand(2))]), vms);
        want(&mut engine, "r1", "ann", "b", 2);
        want(&mut engine, "r2", "cat", "a", 1);
        want(&mut engine, "r3", "bob", "a", 1);
        urge(&mut engine, "r4", "ann", "a", 2, 9);
        assert!(!leaves(&engine, "r4")[0]);
    }

    #[test]
    fn who_can_be_served_from_another_pool_wants_nothing_of_this_one() {
        let mut engine = engine(spec([("a", resting()), ("b", resting())]), Vec::new());
        want(&mut engine, "r1", "ann", "a b", 1);
        let shape = &waiter(&engine, "r1").shape;
        assert_eq!(engine.wanted_here(&pool("a"), shape, 1), 0);
    }

    #[test]
    fn sub_owners_are_compared_by_what_they_hold_and_others_by_what_their_owner_does() {
        let vms = vec![ready("b-1"), ready("b-2"), ready("b-3")];
        let mut engine = engine(spec([("a", resting()), ("b", on_demand(3))]), vms);
        want(&mut engine, "r1", "team/x", "b", 2);
        want(&mut engine, "r2", "team/z", "b", 1);
        for (request, of) in [("r3", "team/x"), ("r4", "team/y"), ("r5", "cat")] {
            want(&mut engine, request, of, "a", 9);
        }
        let (waiter, name) = (waiter(&engine, "r3"), pool("a"));
        let (rank, pool) = (engine.rank_of(waiter), engine.pools.get(&name).unwrap());
        let entitled = |of: &str| {
            let of = owner(of);
            engine.entitled(&name, &of, pool.queue.owner(&of).unwrap(), waiter, &rank, |_| false)
        };
        assert_eq!([entitled("team/y"), entitled("cat")], [2, 3], "team/x holds two, and the team three");
    }
}
