//! What owners may have, over all pools of a domain.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};

use crate::{Owner, time::duration_text};

/// Limits and shares of owners over all pools of a domain, and how the queue ages.
///
/// An owner `team/project` is a sub-owner of `team`: what it has counts for both.
///
/// ```
/// use vmpool_model::config::LimitsConfig;
/// let limits: LimitsConfig =
///     serde_json::from_str(r#"{"max_per_owner": 20, "owners": {"release": {"max": 60, "weight": 3}}}"#)?;
/// assert_eq!(limits.max_per_owner, Some(20));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct LimitsConfig {
    /// How many leases each owner may hold at once, those of its sub-owners included; 0 is no limit. Default: no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_per_owner: Option<u32>,
    /// How many leases each sub-owner may hold at once; 0 is no limit. Default: no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_per_sub_owner: Option<u32>,
    /// What holds for single owners or sub-owners instead.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub owners: BTreeMap<Owner, OwnerLimits>,
    /// After how long a waiting request counts as one priority higher; 0 s is never. Default: 5 min.
    #[serde(with = "duration_text")]
    pub priority_aging: Duration,
    /// How many requests may wait at once; more are refused. Default: 100,000.
    pub max_waiting: u32,
}

impl Default for LimitsConfig {
    fn default() -> Self {
        Self {
            max_per_owner: None,
            max_per_sub_owner: None,
            owners: BTreeMap::new(),
            priority_aging: Duration::from_secs(300),
            max_waiting: 100_000,
        }
    }
}

/// What holds for one owner or sub-owner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct OwnerLimits {
    /// How many leases it may hold at once; 0 is no limit. Default: what holds for all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max: Option<u32>,
    /// How many leases each of its sub-owners may hold at once; 0 is no limit. Default: what holds for all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_per_sub_owner: Option<u32>,
    /// Its share where several wait: twice the weight, twice the VMs. Default: 1.
    pub weight: u32,
}

impl Default for OwnerLimits {
    fn default() -> Self {
        Self { max: None, max_per_sub_owner: None, weight: 1 }
    }
}
