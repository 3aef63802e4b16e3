//! What the daemon tells about one pool.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// One pool.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pool {
    /// The pool's name.
    pub name: String,
    /// The provider that its VMs are made at.
    pub provider: String,
    /// What its VMs are made from.
    pub template: String,
    /// How many VMs are in each state, such as `ready`; a state without VMs is absent.
    pub counts: BTreeMap<String, u32>,
    /// How many VMs, leased ones included, the pool keeps.
    pub size: u32,
    /// How many VMs may exist at once, those being destroyed included.
    pub max_total: u32,
    /// How many VMs the pool keeps beyond the leased ones.
    pub min_ready: u32,
    /// Whether the pool left the configuration: what there is of it is kept, nothing is added, and what only the
    /// configuration knows is empty here.
    #[serde(default)]
    pub retired: bool,
    /// How many requests wait for a VM.
    #[serde(default)]
    pub waiting: u32,
    /// What keeps the pool from making VMs at present, if something does.
    #[serde(default)]
    pub problem: Option<String>,
    /// When the pool tries again, if something keeps it from making VMs.
    #[serde(default)]
    pub retry_at: Option<Timestamp>,
}

impl Pool {
    /// Returns how many VMs are in a state.
    #[must_use]
    pub fn count(&self, state: &str) -> u32 {
        self.counts.get(state).copied().unwrap_or(0)
    }

    /// Returns how many VMs there are, those being destroyed included.
    #[must_use]
    pub fn total(&self) -> u32 {
        self.counts.values().sum()
    }
}

/// All pools.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Pools {
    /// The pools, by name.
    pub pools: Vec<Pool>,
}
