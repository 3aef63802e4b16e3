//! What the daemon tells about one pool.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Limit, Stock};

/// One pool.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Pool {
    /// The pool's name.
    pub name: String,
    /// The provider of its first offer.
    pub provider: String,
    /// The template of its first offer.
    pub template: String,
    /// All ways to make its VMs.
    #[serde(default)]
    pub offers: Vec<Offer>,
    /// What requests may ask for in place of its name.
    #[serde(default)]
    pub labels: Vec<String>,
    /// The pool that serves its requests while none of its own offers can be used, if there is one.
    #[serde(default)]
    pub fallback: Option<String>,
    /// How many VMs are in each state, such as `ready`; a state without VMs is absent.
    pub counts: BTreeMap<String, u32>,
    /// How many VMs, leased ones included, the pool keeps.
    pub size: u32,
    /// How many VMs may exist at once, those being destroyed included.
    pub max_total: u32,
    /// How many VMs the pool keeps beyond the leased ones.
    pub min_ready: u32,
    /// How many VMs the pool keeps ready at present, and why; absent if it left the configuration.
    #[serde(default)]
    pub stock: Option<Stock>,
    /// Whether the pool left the configuration: what there is of it is kept, nothing is added, and what only the
    /// configuration knows is empty here.
    #[serde(default)]
    pub retired: bool,
    /// That the pool is being drained, if it is.
    #[serde(default)]
    pub drain: Option<Drain>,
    /// How many requests wait for a VM.
    #[serde(default)]
    pub waiting: u32,
    /// How many VMs these requests wait for.
    #[serde(default)]
    pub wanted: u32,
    /// What keeps the pool from making the VMs that it lacks, if something does.
    #[serde(default)]
    pub limits: Vec<Limit>,
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

/// One way to make a pool's VMs: a template at a provider.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Offer {
    /// The provider.
    pub provider: String,
    /// What the VMs are made from.
    pub template: String,
    /// Which offers come first: the lowest number that can be used now.
    #[serde(default)]
    pub preference: u32,
    /// This offer's part of the VMs among those of the same preference.
    #[serde(default)]
    pub weight: u32,
    /// How many VMs of this offer may exist at once, if it has a limit of its own.
    #[serde(default)]
    pub max_total: Option<u32>,
    /// What one VM costs per hour.
    #[serde(default)]
    pub price: f64,
    /// How many VMs of this offer there are, those being destroyed included.
    #[serde(default)]
    pub total: u32,
}

/// That a pool is being drained: nothing is made or leased any more, and what is not in use is destroyed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Drain {
    /// Why.
    pub reason: String,
    /// Since when.
    pub since: Timestamp,
    /// Who gave this reason, if they said so.
    #[serde(default)]
    pub by: Option<String>,
}

/// All pools.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Pools {
    /// The pools, by name.
    pub pools: Vec<Pool>,
}
