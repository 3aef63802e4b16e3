//! Keeping a VM for debugging, and keeping a pool from growing.

use serde::{Deserialize, Serialize};

use crate::{Owner, PoolName, Timestamp, config::HooksConfig};

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
    /// The hooks of a pool that was taken out of the configuration: its VMs have them to their end.
    #[serde(default, skip_serializing_if = "HooksConfig::is_empty")]
    pub hooks: HooksConfig,
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
    }
}
