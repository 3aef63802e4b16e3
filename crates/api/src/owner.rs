//! What an owner may hold.

use serde::{Deserialize, Serialize};

/// What an owner holds, and how much more it may.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct OwnerShare {
    /// The owner.
    pub owner: String,
    /// How many more VMs it may hold at once; absent if there is no limit.
    #[serde(default)]
    pub room: Option<u32>,
    /// Every limit that a further lease has to keep.
    #[serde(default)]
    pub limits: Vec<OwnerLimit>,
}

/// One limit of an owner, and what counts for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct OwnerLimit {
    /// Whose limit it is: the owner's, or that of the one above it.
    pub owner: String,
    /// The pool that it is about; absent if it is about all.
    #[serde(default)]
    pub pool: Option<String>,
    /// How many leases count for it.
    pub held: u32,
    /// How many may.
    pub max: u32,
}
