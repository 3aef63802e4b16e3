//! Keeping a VM for debugging, and keeping a pool from growing.

use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, de::value::StrDeserializer};

use crate::{
    Owner, PoolName, Timestamp,
    config::{HooksConfig, OnExpiry, PoolConfig, defaults},
    time::duration_text,
};

/// Why and until when a VM is kept for debugging.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// Why, for people.
    pub reason: String,
    /// Who wants it kept, if they said so.
    pub by: Option<Owner>,
    /// When it was asked for.
    pub since: Timestamp,
    /// When the VM is destroyed unless it is given up before.
    pub until: Timestamp,
}

/// What is remembered of a pool across restarts, beside its configuration and its VMs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PoolRecord {
    /// The pool.
    pub name: PoolName,
    /// That it is being drained.
    pub drain: Option<Drain>,
    /// When it was taken out of the configuration of a running daemon, if it was: what is not in use is destroyed. A pool
    /// that only is not configured after a start keeps its VMs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub removed_at: Option<Timestamp>,
    /// Its hooks: its VMs have them to their end, if it leaves the configuration.
    #[serde(default, skip_serializing_if = "HooksConfig::is_empty")]
    pub hooks: HooksConfig,
    /// How its leases and holds end, if it leaves the configuration; earlier versions did not write it.
    #[serde(default, skip_serializing_if = "PoolEnds::is_default")]
    pub ends: PoolEnds,
    /// When a VM of it was forgotten last whose create could still take effect: who starts soon after it waits until that is
    /// over before it trusts in what a listing does not show. Earlier versions did not write it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forgotten_at: Option<Timestamp>,
}

impl PoolRecord {
    /// Makes what is remembered of a pool by its configuration alone.
    #[must_use]
    pub fn of(name: PoolName, config: &PoolConfig) -> Self {
        let (hooks, ends) = (config.hooks.clone(), PoolEnds::of(config));
        Self { name, drain: None, removed_at: None, hooks, ends, forgotten_at: None }
    }

    /// Returns whether it says nothing that is not so without it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let Self { name: _, drain, removed_at, hooks, ends, forgotten_at } = self;
        let is_configured = drain.is_none() && removed_at.is_none() && forgotten_at.is_none();
        is_configured && hooks.is_empty() && ends.is_default()
    }

    /// Gives the configuration of a pool that nobody configures any more what is remembered of it.
    pub fn complete(&self, config: &mut PoolConfig) {
        config.hooks.clone_from(&self.hooks);
        config.on_expiry = self.ends.on_expiry;
        config.max_held = self.ends.max_held;
        config.max_hold_time = self.ends.max_hold_time;
        config.max_lease_ttl = self.ends.max_lease_ttl;
    }
}

/// What a pool said of how leases and holds end, which was promised to whoever has one when the pool leaves the configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PoolEnds {
    /// What becomes of a VM whose lease was not renewed in time.
    #[serde(deserialize_with = "known_or_held")]
    pub on_expiry: OnExpiry,
    /// How many VMs may be held at once.
    pub max_held: u32,
    /// For how long a VM may be held.
    #[serde(with = "duration_text")]
    pub max_hold_time: Duration,
    /// The longest time that a lease may be renewed for.
    #[serde(with = "duration_text")]
    pub max_lease_ttl: Duration,
}

impl PoolEnds {
    fn of(config: &PoolConfig) -> Self {
        let PoolConfig { on_expiry, max_held, max_hold_time, max_lease_ttl, .. } = *config;
        Self { on_expiry, max_held, max_hold_time, max_lease_ttl }
    }

    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

impl Default for PoolEnds {
    fn default() -> Self {
        Self {
            on_expiry: OnExpiry::default(),
            max_held: defaults::max_held(),
            max_hold_time: defaults::max_hold_time(),
            max_lease_ttl: defaults::max_lease_ttl(),
        }
    }
}

/// Reads what becomes of a VM; what only a later version knows destroys nothing.
fn known_or_held<'de, D: Deserializer<'de>>(deserializer: D) -> Result<OnExpiry, D::Error> {
    let text = String::deserialize(deserializer)?;
    let known = OnExpiry::deserialize(StrDeserializer::<D::Error>::new(&text));
    Ok(known.unwrap_or(OnExpiry::Hold))
}

/// That a pool is being drained: nothing is made or leased any more, and what is not in use is destroyed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drain {
    /// Why, for people.
    pub reason: String,
    /// Since when.
    pub since: Timestamp,
    /// Who gave this reason, if they said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Owner>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_of_before_pools_could_be_removed_is_read() {
        let json = r#"{"name": "small", "drain": {"reason": "upgrade", "since": "2026-01-01T00:00:00Z"}}"#;
        let record = serde_json::from_str::<PoolRecord>(json).unwrap();
        let drain = record.drain.unwrap();
        assert_eq!((drain.reason.as_str(), drain.by), ("upgrade", None));
        assert_eq!((record.removed_at, record.hooks), (None, HooksConfig::default()));
        assert_eq!((record.ends, record.forgotten_at), (PoolEnds::default(), None));
    }

    #[test]
    fn what_a_later_version_does_with_a_vm_whose_lease_expired_destroys_nothing() {
        let json = r#"{"on_expiry": "sell", "max_held": 3}"#;
        let ends = serde_json::from_str::<PoolEnds>(json).unwrap();
        assert_eq!(ends, PoolEnds { on_expiry: OnExpiry::Hold, max_held: 3, ..PoolEnds::default() });
        for known in [OnExpiry::Destroy, OnExpiry::Clean] {
            let written = serde_json::to_string(&PoolEnds { on_expiry: known, ..ends.clone() }).unwrap();
            assert_eq!(serde_json::from_str::<PoolEnds>(&written).unwrap().on_expiry, known);
        }
    }

    #[test]
    fn what_a_record_says_of_a_configuration_is_what_it_was_made_of() {
        let mut config = PoolConfig::new("lab".parse().unwrap(), "small", 1);
        assert!(PoolRecord::of("a".parse().unwrap(), &config).is_empty());
        let plain = config.clone();
        (config.on_expiry, config.max_held) = (OnExpiry::Hold, 7);
        (config.max_hold_time, config.max_lease_ttl) = (Duration::from_secs(8), Duration::from_secs(9));
        config.hooks.after_destroy = Some(crate::config::HookConfig::new(vec!["true".to_owned()]));
        let record = PoolRecord::of("a".parse().unwrap(), &config);
        let mut other = plain;
        record.complete(&mut other);
        assert!(other == config && !record.is_empty());
    }
}
