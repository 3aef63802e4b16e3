//! What the daemon tells about one provider.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// One provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provider {
    /// The provider's name.
    pub name: String,
    /// The name of its driver.
    pub driver: String,
    /// What its driver speaks to, without credentials.
    #[serde(default)]
    pub endpoint: String,
    /// When it was last listed.
    #[serde(default)]
    pub listed_at: Option<Timestamp>,
    /// How many nodes that listing held, foreign ones included.
    #[serde(default)]
    pub nodes: u64,
    /// Why its last listing failed or may lack nodes, if so.
    #[serde(default)]
    pub problem: Option<String>,
}

/// All providers.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Providers {
    /// The providers, by name.
    pub providers: Vec<Provider>,
}
