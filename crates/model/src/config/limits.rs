//! What owners may have, over all pools of a domain.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};

use super::{InvalidConfig, validate::Misfits};
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

impl LimitsConfig {
    /// Checks what no single value can tell.
    ///
    /// # Errors
    ///
    /// The first of all [`misfits`](Self::misfits).
    pub fn validate(&self) -> Result<(), InvalidConfig> {
        self.misfits().into_iter().next().map_or(Ok(()), Err)
    }

    /// Returns everything that no single value can tell and that does not fit.
    #[must_use]
    pub fn misfits(&self) -> Vec<InvalidConfig> {
        let mut found = Misfits::default();
        for (owner, _) in self.owners.iter().filter(|(_, limits)| limits.weight == 0) {
            let why = "it is 0, so the owner would never be served while another one waits";
            found.refuse(format!("owners.{owner}.weight"), why);
        }
        found.0
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_owner_that_would_never_be_served_is_refused_by_name() {
        let limits: LimitsConfig =
            serde_json::from_str(r#"{"owners": {"a": {}, "b/c": {"weight": 0}, "d": {"weight": 0}}}"#)
                .unwrap();
        assert_eq!(limits.validate().unwrap_err().key, "owners.b/c.weight");
        assert_eq!(limits.misfits()[1].key, "owners.d.weight");
        assert_eq!(LimitsConfig::default().validate(), Ok(()));
    }
}
