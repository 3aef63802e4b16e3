//! Keeping a VM for debugging, and keeping a pool from growing.

use serde::{Deserialize, Serialize};

use crate::{Owner, PoolName, Timestamp};

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
}

/// That a pool is being drained: nothing is made or leased any more, and what is not in use is destroyed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drain {
    /// Why, for people.
    pub reason: String,
    /// Since when.
    pub since: Timestamp,
}
