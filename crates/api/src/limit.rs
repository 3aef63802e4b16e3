//! What keeps a pool from growing, or a request waiting.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::Request;

/// What keeps a pool from growing, or a request waiting, and since when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Limit {
    /// Which limit it is, for programs, such as `pool_full` or `quota`; a newer daemon may know more.
    pub kind: String,
    /// What is in the way, for people.
    pub text: String,
    /// Since when.
    pub since: Timestamp,
    /// The pool that it holds for, if it is that of one.
    #[serde(default)]
    pub pool: Option<String>,
}

/// Why a request waits, or what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Explanation {
    /// The request.
    pub request: Request,
    /// Its place among all that wait, as of now: 1 is served first; absent if it does not wait.
    #[serde(default)]
    pub position: Option<u64>,
    /// What is in the way in each pool that may serve it, the one that it likes best first; empty if it does not wait.
    #[serde(default)]
    pub limits: Vec<Limit>,
    /// When it is likely to be served, as far as that can be told: as long as VMs take to become ready, and leases last.
    #[serde(default)]
    pub likely_at: Option<Timestamp>,
}
