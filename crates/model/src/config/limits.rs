//! What owners may have, over all pools of a domain.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};

use super::{InvalidConfig, PoolConfig, validate::Misfits};
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

    /// Returns how many leases an owner that is no sub-owner may hold at once, if there is a limit.
    #[must_use]
    pub fn max_of(&self, owner: &Owner) -> Option<u32> {
        let own = self.owners.get(owner).and_then(|limits| limits.max);
        bounded(own.or(self.max_per_owner))
    }

    /// Returns how many leases a sub-owner of another owner may hold at once, if there is a limit.
    #[must_use]
    pub fn max_of_sub_owner(&self, owner: &Owner, parent: &Owner) -> Option<u32> {
        let own = self.owners.get(owner).and_then(|limits| limits.max);
        let of_parent = self.owners.get(parent).and_then(|limits| limits.max_per_sub_owner);
        bounded(own.or(of_parent).or(self.max_per_sub_owner))
    }

    /// Finds limits that nobody reaches because another one comes first.
    pub(super) fn never_reached(&self) -> Vec<InvalidConfig> {
        let doubt = |key: String, most: u32, above: u32, what: &str| {
            let reason = format!("it is {most}, and {what} ({above}) is reached before");
            InvalidConfig { key: key.into(), reason }
        };
        let is_above = |most: u32, above: Option<u32>| above.filter(|above| *above < most);
        let for_all = bounded(self.max_per_sub_owner).filter(|most| !self.lets_reach(*most));
        let for_all = for_all
            .zip(bounded(self.max_per_owner))
            .map(|(most, above)| doubt("max_per_sub_owner".to_owned(), most, above, "max_per_owner"));
        let of_owners = self.owners.iter().filter_map(|(owner, limits)| match owner.parent() {
            Some(parent) => {
                let most = bounded(limits.max)?;
                let above = is_above(most, self.max_of(&parent))?;
                Some(doubt(format!("owners.{owner}.max"), most, above, &format!("the limit of {parent}")))
            }
            None => {
                let most = bounded(limits.max_per_sub_owner)?;
                let above = is_above(most, self.max_of(owner))?;
                let key = format!("owners.{owner}.max_per_sub_owner");
                Some(doubt(key, most, above, &format!("the limit of {owner}")))
            }
        });
        for_all.into_iter().chain(of_owners).collect()
    }

    /// Finds out whether the limit of owners in a pool is above what any of them may hold in all pools.
    pub(super) fn never_reached_in(&self, pool: &PoolConfig) -> Option<InvalidConfig> {
        let most = bounded(pool.max_per_owner).filter(|most| !self.lets_reach(*most))?;
        let above = bounded(self.max_per_owner)?;
        let reason = format!("it is {most}, and limits.max_per_owner ({above}) is reached before");
        Some(InvalidConfig { key: "max_per_owner".into(), reason })
    }

    /// Returns whether some owner may hold so many leases at once.
    fn lets_reach(&self, leases: u32) -> bool {
        let lets = |max: Option<u32>| max.is_none_or(|max| leases <= max);
        let is_top = |owner: &&Owner| owner.parent().is_none();
        lets(bounded(self.max_per_owner))
            || self.owners.keys().filter(is_top).any(|owner| lets(self.max_of(owner)))
    }
}

/// 0 is no limit, as in Copr.
fn bounded(max: Option<u32>) -> Option<u32> {
    max.filter(|max| *max != 0)
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

    fn never_reached(limits: &str) -> Vec<String> {
        let limits: LimitsConfig = serde_json::from_str(limits).unwrap();
        limits.never_reached().into_iter().map(|doubt| doubt.to_string()).collect()
    }

    #[test]
    fn a_limit_of_sub_owners_above_that_of_their_owner_is_never_reached() {
        let wanted = "max_per_sub_owner: it is 5, and max_per_owner (4) is reached before";
        assert_eq!(never_reached(r#"{"max_per_owner": 4, "max_per_sub_owner": 5}"#), [wanted]);
        let reached = [
            r#"{"max_per_owner": 5, "max_per_sub_owner": 5}"#,
            r#"{"max_per_owner": 0, "max_per_sub_owner": 5}"#,
            r#"{"max_per_sub_owner": 5}"#,
            r#"{"max_per_owner": 4, "max_per_sub_owner": 0}"#,
            r#"{"max_per_owner": 4, "max_per_sub_owner": 5, "owners": {"release": {"max": 9}}}"#,
            r#"{"max_per_owner": 4, "max_per_sub_owner": 5, "owners": {"release": {"max": 0}}}"#,
        ];
        for limits in reached {
            assert_eq!(never_reached(limits), [""; 0], "{limits}");
        }
    }

    #[test]
    fn a_limit_of_one_sub_owner_or_of_those_of_one_owner_may_never_be_reached_either() {
        let limits = r#"{"max_per_owner": 4, "owners": {"a": {"max_per_sub_owner": 5}, "b/c": {"max": 6},
            "d": {"max": 7, "max_per_sub_owner": 7}, "d/e": {"max": 7}, "f/g": {"max": 0}}}"#;
        let wanted = [
            "owners.a.max_per_sub_owner: it is 5, and the limit of a (4) is reached before",
            "owners.b/c.max: it is 6, and the limit of b (4) is reached before",
        ];
        assert_eq!(never_reached(limits), wanted);
    }

    #[test]
    fn a_limit_in_one_pool_above_that_in_all_pools_is_never_reached_unless_somebody_may_have_more() {
        let mut pool = PoolConfig::new("lab".parse().unwrap(), "small", 1);
        let told = |pool: &PoolConfig, limits: &str| {
            let limits: LimitsConfig = serde_json::from_str(limits).unwrap();
            limits.never_reached_in(pool).map(|doubt| doubt.to_string())
        };
        let limits = r#"{"max_per_owner": 4}"#;
        assert_eq!(told(&pool, limits), None);
        pool.max_per_owner = Some(5);
        let wanted = "max_per_owner: it is 5, and limits.max_per_owner (4) is reached before";
        assert_eq!(told(&pool, limits), Some(wanted.to_owned()));
        assert_eq!(told(&pool, r#"{"max_per_owner": 4, "owners": {"b": {"max": 5}}}"#), None);
        assert!(told(&pool, r#"{"max_per_owner": 4, "owners": {"b/c": {"max": 5}}}"#).is_some());
        pool.max_per_owner = Some(4);
        assert_eq!(told(&pool, limits), None);
    }
}
