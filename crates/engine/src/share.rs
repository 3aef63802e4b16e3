//! A VM that is kept for its last user is not given to it again where others are entitled to its room.

use vmpool_model::{Owner, PoolName};

use crate::{
    Engine,
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
        let mut before = 0_usize;
        for (owner, lines) in pool.queue.owners() {
            before += self.entitled(name, owner, lines, waiter, &rank);
            if coming < before {
                return true;
            }
        }
        false
    }

    /// Returns how many VMs of a pool an owner is to have before a request of somebody else.
    fn entitled(&self, name: &PoolName, owner: &Owner, lines: &Lines, waiter: &Waiter, rank: &Rank) -> usize {
        let walk = Walk::default();
        let left = self.left(owner, &walk).min(self.left_in(name, owner, &walk));
        if left == 0 {
            return 0;
        }
        let is_same_top = self.owners.top(owner) == self.owners.top(waiter.owner());
        let (mut urgent, mut shared, mut behind) = (0_usize, 0_usize, 0);
        for (shape, places) in lines {
            let Some(first) = places.first().filter(|_| self.is_allowed_in(name, owner, shape, left)) else {
                continue;
            };
            let wanted = self.wanted_here(name, shape, places.len());
            let other = self.rank(owner, shape, *first);
            if other.urgency < rank.urgency {
                urgent = urgent.saturating_add(wanted);
            } else if other.urgency == rank.urgency {
                shared = shared.saturating_add(wanted);
                behind = match is_same_top {
                    true => other.sub.behind(rank.sub),
                    false => other.top.behind(rank.top),
                };
            }
        }
        urgent.saturating_add(shared.min(behind)).min(left)
    }

    fn is_allowed_in(&self, name: &PoolName, owner: &Owner, shape: &Shape, left: usize) -> bool {
        let index = shape.candidates.iter().position(|candidate| candidate.pool == *name);
        let is_used = index.is_some_and(|index| self.is_used(&shape.candidates, index));
        is_used && shape.count as usize <= left && self.is_allowed(owner, shape, &Walk::default())
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
        waiter.is_some_and(|waiter| !self.yields(name, pool, waiter))
    }
}
