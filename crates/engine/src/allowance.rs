//! What owners may hold, as people want to see it.

use vmpool_model::{Owner, PoolName};

use crate::{Engine, owners::Allowance};

/// One limit of an owner, and what counts for it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct OwnerLimitView {
    /// Whose limit it is: the owner's, or that of the one above it.
    pub owner: Owner,
    /// The pool that it is about; `None` if it is about all.
    pub pool: Option<PoolName>,
    /// How many leases count for it.
    pub held: usize,
    /// How many may.
    pub max: u32,
}

impl Engine {
    /// Returns every limit that a further lease of an owner has to keep, in a pool if one is named.
    #[must_use]
    pub fn owner_limits(&self, owner: &Owner, pool: Option<&PoolName>) -> Vec<OwnerLimitView> {
        let view = |pool: Option<&PoolName>, Allowance { owner, held, max, .. }: Allowance| OwnerLimitView {
            owner,
            pool: pool.cloned(),
            held,
            max,
        };
        let in_pool = pool.and_then(|name| {
            let max = self.pools.get(name)?.config.max_per_owner;
            self.owners.limit_in(owner, name, max)
        });
        let over_all = self.owners.limits(owner, &self.spec.limits);
        over_all.map(|limit| view(None, limit)).chain(in_pool.map(|limit| view(pool, limit))).collect()
    }
}
