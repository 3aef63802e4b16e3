//! How the daemon is.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// How the daemon is, and which one it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Health {
    /// `ok` while the daemon serves.
    pub status: String,
    /// The daemon's version.
    pub version: String,
    /// The version of the API that it speaks.
    pub api: u32,
    /// The installation, whose id marks every node it creates.
    pub installation: String,
    /// When the daemon started.
    pub started_at: Timestamp,
    /// The names of its pools.
    #[serde(default)]
    pub pools: Vec<String>,
    /// Where it keeps its records, if that is a directory.
    #[serde(default)]
    pub state_dir: Option<String>,
    /// The cursor of the newest event; give it as `after` to read what happens from now on.
    #[serde(default)]
    pub cursor: u64,
    /// What an operator should know, such as records of a pool that is not configured any more.
    #[serde(default)]
    pub notices: Vec<String>,
}
