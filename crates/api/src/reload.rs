//! What came of reading the configuration again.

use serde::{Deserialize, Serialize};

/// What changed when the daemon read its configuration again.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Reloaded {
    /// The tables that are new, such as `pools.small`.
    #[serde(default)]
    pub added: Vec<String>,
    /// The tables that say something else now.
    #[serde(default)]
    pub changed: Vec<String>,
    /// The tables that are gone.
    #[serde(default)]
    pub removed: Vec<String>,
    /// The keys that say something else now and hold only from the next start, such as `daemon.listen`.
    #[serde(default)]
    pub needs_restart: Vec<String>,
    /// What is allowed but hardly meant, one line each.
    #[serde(default)]
    pub warnings: Vec<String>,
}
