//! What the daemon tells about one provider.

use std::collections::BTreeMap;

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
    /// What of its quota is used, by name, such as `vms`; those without a limit are absent.
    #[serde(default)]
    pub quota: BTreeMap<String, Quota>,
    /// That nothing is created at it for a while because it failed too often, if so.
    #[serde(default)]
    pub breaker: Option<Breaker>,
    /// That too many of its nodes are missing at once, so that none counts as lost, if so.
    #[serde(default)]
    pub brake: Option<Brake>,
    /// How many nodes at it are not ours; nothing is ever done about them.
    #[serde(default)]
    pub strangers: u64,
}

/// How much of one kind an account has and uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quota {
    /// How much is used, VMs included that are starting or being destroyed.
    pub used: u64,
    /// How much there is.
    pub max: u64,
}

/// That nothing is created at a provider because it failed too often.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Breaker {
    /// `open` while nothing is created, `half_open` while one VM is tried; a newer daemon may know more.
    pub state: String,
    /// Until when nothing is created; absent while one VM is tried.
    #[serde(default)]
    pub until: Option<Timestamp>,
    /// What went wrong last.
    #[serde(default)]
    pub why: String,
}

/// That too many nodes of a provider are missing at once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Brake {
    /// How many are missing.
    pub missing: u64,
    /// Since when.
    pub since: Timestamp,
}

/// All providers.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Providers {
    /// The providers, by name.
    pub providers: Vec<Provider>,
}
