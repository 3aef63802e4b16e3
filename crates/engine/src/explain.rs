//! Why a request waits: for each pool that may serve it, the limit that is in the way.

use std::collections::BTreeMap;

use vmpool_model::{PoolName, RequestId, RequestRecord, Timestamp};

use crate::{
    Engine, Limit, Refusal,
    begins::Ends,
    claim::{Before, Taken},
    owners::Allowance,
    pool::Pool,
    queue::{Waiter, place},
};

/// Why a request waits.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Explanation {
    /// The request.
    pub request: RequestId,
    /// Its place among all that wait, whatever they wait for, as of now: 1 is served first. `None` if it does not wait.
    pub position: Option<usize>,
    /// What is in the way in each pool that may serve it, the one that it likes best first; empty if it does not wait.
    pub obstacles: Vec<Obstacle>,
    /// When it is likely to be served, if that can be told: as long as VMs take to become ready, and leases last.
    pub likely_at: Option<Timestamp>,
}

/// What is in the way of a request in one pool.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Obstacle {
    /// The pool.
    pub pool: PoolName,
    /// What is in the way, and since when: since the request came, at the earliest.
    pub limit: Limit,
}

/// Those who come before a request.
#[derive(Debug, Default)]
struct Earlier<'a> {
    requests: usize,
    in_pools: BTreeMap<PoolName, Ahead>,
    /// When the leases of the pools are likely to end that were asked about.
    ends: BTreeMap<PoolName, Ends<'a>>,
}

/// Those who come before a request in one pool, apart from those that limits of their owners keep waiting.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Ahead {
    requests: usize,
    /// How many VMs they want.
    pub(crate) vms: usize,
}

impl Engine {
    /// Says why a request waits. It looks at all that wait, so it is for people, not for every request.
    ///
    /// # Errors
    ///
    /// [`Refusal::UnknownRequest`] if it is neither waiting nor remembered.
    pub fn explain(&self, id: &RequestId) -> Result<Explanation, Refusal> {
        let Some(request) = self.requests.get(id) else {
            return Err(Refusal::UnknownRequest { request: id.clone() });
        };
        let Some(waiter) = self.waiting.get(&place(request)) else {
            let (request, obstacles) = (id.clone(), Vec::new());
            return Ok(Explanation { request, position: None, obstacles, likely_at: None });
        };
        let rank = self.rank_of(waiter);
        let mut before = Earlier::default();
        for other in self.waiting.iter().filter(|other| self.rank_of(other) < rank) {
            self.add(&mut before, other);
        }
        Ok(self.explanation(waiter, &mut before))
    }

    /// Says why each request waits, that of the best rank first.
    #[must_use]
    pub fn explain_all(&self) -> Vec<Explanation> {
        let mut waiting: Vec<_> = self.waiting.iter().collect();
        waiting.sort_by_cached_key(|waiter| self.rank_of(waiter));
        let mut before = Earlier::default();
        let explained = waiting.into_iter().map(|waiter| {
            let explanation = self.explanation(waiter, &mut before);
            self.add(&mut before, waiter);
            explanation
        });
        explained.collect()
    }

    fn add(&self, before: &mut Earlier<'_>, waiter: &Waiter) {
        before.requests += 1;
        if !self.is_within_limits(waiter) {
            return;
        }
        for (index, candidate) in waiter.shape.candidates.iter().enumerate() {
            if self.is_used(&waiter.shape.candidates, index) {
                let ahead = before.in_pools.entry(candidate.pool.clone()).or_default();
                ahead.requests += 1;
                ahead.vms += waiter.shape.count as usize;
            }
        }
    }

    fn explanation<'a>(&'a self, waiter: &Waiter, before: &mut Earlier<'a>) -> Explanation {
        let Earlier { requests, in_pools, ends } = before;
        let ahead = |pool: &PoolName| in_pools.get(pool).copied().unwrap_or_default();
        let candidates = waiter.shape.candidates.iter().enumerate();
        let obstacles = candidates.map(|(index, candidate)| Obstacle {
            pool: candidate.pool.clone(),
            limit: self.obstacle(waiter, index, ahead(&candidate.pool)),
        });
        let obstacles: Vec<_> = obstacles.collect();
        let likely = obstacles.iter().filter_map(|Obstacle { pool, limit }| {
            let ends = ends.entry(pool.clone()).or_insert_with(|| self.lease_ends(pool));
            self.likely_at(waiter, pool, limit, ahead(pool), ends)
        });
        Explanation {
            request: waiter.id.clone(),
            position: Some(*requests + 1),
            likely_at: likely.min(),
            obstacles,
        }
    }

    /// Says what is in the way of a request in each pool, as if all others came before it: this looks at none of them.
    /// The demand of the pools counts `own` VMs for the request itself.
    pub(crate) fn obstacles(&self, request: &RequestRecord, own: u32) -> Vec<Obstacle> {
        let Some(waiter) = self.waiting.get(&place(request)) else { return Vec::new() };
        let candidates = waiter.shape.candidates.iter().enumerate();
        let obstacles = candidates.map(|(index, candidate)| {
            let others = self.pools.get(&candidate.pool).map(|pool| Ahead {
                requests: pool.queue.preferring().saturating_sub(usize::from(index == 0)),
                vms: pool.demand().saturating_sub(own as usize),
            });
            let limit = self.obstacle(waiter, index, others.unwrap_or_default());
            Obstacle { pool: candidate.pool.clone(), limit }
        });
        obstacles.collect()
    }

    fn obstacle(&self, waiter: &Waiter, index: usize, ahead: Ahead) -> Limit {
        let (submitted_at, _) = waiter.place;
        let limit = self.limit_of(waiter, index, ahead, submitted_at);
        limit.since_at_least(submitted_at)
    }

    fn limit_of(&self, waiter: &Waiter, index: usize, ahead: Ahead, since: Timestamp) -> Limit {
        let (candidates, count) = (&waiter.shape.candidates, waiter.shape.count);
        let Some((name, pool)) =
            candidates.get(index).and_then(|candidate| self.pools.get_key_value(&candidate.pool))
        else {
            return Limit::Retired { since };
        };
        if let Some(since) = self.short_since {
            return Limit::StoreFull { since };
        }
        if let Some(limit) = self.owner_limit(waiter, name, pool, since) {
            return limit;
        }
        if let Some(other) = candidates.get(index).and_then(|candidate| candidates.get(candidate.instead_of?))
            && !self.is_used(candidates, index)
        {
            return Limit::StandsBy { pool: other.pool.clone(), since };
        }
        let ready = pool.clean_count() + pool.kept_for(&waiter.tenant);
        let starting = pool.starting();
        let is_coming = starting != 0 && ahead.vms + count as usize <= ready + starting;
        match self.can_grow(name) {
            // What is ready would do, and is set aside for those who come before, whatever keeps the pool from more.
            _ if count as usize <= ready && ahead.requests != 0 => {
                Limit::Behind { requests: ahead.requests, since }
            }
            Err(limit) if !is_coming => limit,
            _ if ready != 0 && ahead.requests != 0 => Limit::Behind { requests: ahead.requests, since },
            // They are fewer than are wanted, or are checked first.
            _ if ready != 0 => Limit::TooFew { ready, wanted: count, since },
            _ => Limit::Starting { vms: starting, since },
        }
    }

    /// Returns how many VMs a request could be given of all pools but one, if those that cannot make any stay as they are.
    fn elsewhere(&self, waiter: &Waiter, but: &PoolName) -> usize {
        let candidates = &waiter.shape.candidates;
        let others = (0..candidates.len()).filter(|index| candidates[*index].pool != *but);
        let used = others.filter(|index| self.is_used(candidates, *index));
        let given = used.filter_map(|index| {
            let (name, pool) = self.pools.get_key_value(&candidates[index].pool)?;
            let there = match self.is_stuck(name) {
                true => pool.clean_count() + pool.kept_for(&waiter.tenant) + pool.starting(),
                false => usize::MAX,
            };
            Some(there.min(self.left_in(name, waiter.owner(), Before::default())))
        });
        given.fold(0, usize::saturating_add)
    }

    /// Returns the limit of its owner that keeps a request waiting.
    fn owner_limit(&self, waiter: &Waiter, name: &PoolName, pool: &Pool, since: Timestamp) -> Option<Limit> {
        let (owner, wanted) = (waiter.owner(), waiter.shape.count);
        let told = |limit: Allowance, pool: Option<PoolName>| {
            let Allowance { owner, held, max, since } = limit;
            Limit::OwnerLimit { owner, pool, held, max, wanted, since }
        };
        let over_all =
            self.owners.limits(owner, &self.spec.limits).filter(|limit| limit.left() < wanted as usize);
        if let Some(limit) = over_all.min_by_key(Allowance::left) {
            return Some(told(limit, None));
        }
        let in_pool = self.owners.limit_in(owner, name, pool.config.max_per_owner);
        let allows = |before| self.may_have(owner, &waiter.shape, before);
        let is_short =
            |limit: &Allowance| limit.left().saturating_add(self.elsewhere(waiter, name)) < wanted as usize;
        let binds = |limit: &Allowance| limit.left() == 0 || !allows(Before::default()) || is_short(limit);
        if let Some(limit) = in_pool.filter(binds) {
            return Some(told(limit, Some(name.clone())));
        }
        // What the limits leave is kept for requests of the same owner that come before and want several VMs.
        let taken = Taken::new();
        let before = self.before(owner, &self.rank_of(waiter), &taken);
        (!allows(before)).then(|| Limit::Behind { requests: before.len(), since })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{Input, sample};

    /// Returns how many leases are looked at to tell ten who wait for a pool all of which is leased when they are served.
    fn looked_at(vms: u32) -> usize {
        let records = (0..vms).map(|number| sample::ready(&format!("a-{number}"))).collect();
        let mut engine = sample::engine(sample::spec([("a", sample::on_demand(vms))]), records);
        for number in 0..vms {
            sample::want(&mut engine, &format!("has-{number}"), "ann", "a", 1);
            engine.now = engine.now + Duration::from_millis(1);
        }
        let lease = engine.leases().next().unwrap().id.clone();
        let _ = engine.step(engine.now + Duration::from_secs(60), Input::Release { lease, fence: None });
        (0..10).for_each(|number| drop(sample::want(&mut engine, &format!("waits-{number}"), "bob", "a", 1)));
        let mut before = Earlier::default();
        for waiter in engine.waiting.iter() {
            let likely = engine.explanation(waiter, &mut before).likely_at;
            assert!(likely.is_some(), "{}", waiter.id);
            engine.add(&mut before, waiter);
        }
        before.ends.values().map(Ends::looked_at).sum()
    }

    #[test]
    fn what_is_looked_at_to_explain_does_not_grow_with_the_leases() {
        let counts = [50, 500].map(looked_at);
        assert!(0 < counts[0] && counts[0] <= 10 && counts[0] == counts[1], "{counts:?}");
    }
}
