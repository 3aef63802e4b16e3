//! Pools as people want to see them.

use vmpool_model::{PoolName, RecordState, Timestamp};

use crate::Engine;

/// A pool as people want to see it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PoolView {
    /// The pool.
    pub name: PoolName,
    /// How many VM records are in each state, in the order of `RecordState::ALL`.
    pub counts: [usize; RecordState::ALL.len()],
    /// How many requests wait.
    pub waiting: usize,
    /// Whether the pool left the configuration: what there is of it is kept, nothing is added.
    pub retired: bool,
    /// Until when spawning pauses after failures.
    pub paused_until: Option<Timestamp>,
    /// The last thing that went wrong with spawning; `None` once a VM became ready and no pause is left.
    pub problem: Option<String>,
}

impl Engine {
    /// Returns the pools, by name; those of records whose pool left the configuration, too.
    #[must_use]
    pub fn pools(&self) -> Vec<PoolView> {
        self.pools.iter().map(|(name, pool)| pool.view(name, self.now)).collect()
    }
}
