//! What the daemon tells about one provider.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::Limit;

/// One provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Provider {
    /// The provider's name.
    pub name: String,
    /// The name of its driver.
    pub driver: String,
    /// What its driver speaks to, without credentials.
    #[serde(default)]
    pub endpoint: String,
    /// Since when it is not in the configuration any more, if so: nothing is made there, and it goes with its last VM.
    #[serde(default)]
    pub retired_at: Option<Timestamp>,
    /// When it was last listed.
    #[serde(default)]
    pub listed_at: Option<Timestamp>,
    /// How many nodes that listing held, foreign ones included.
    #[serde(default)]
    pub nodes: u64,
    /// Why its last listing failed or may lack nodes, if so.
    #[serde(default)]
    pub problem: Option<String>,
    /// Whether it says by itself when something changes, so that it is seen at once; absent if its driver does not listen.
    #[serde(default)]
    pub events: Option<EventStream>,
    /// What of its quota is used, by name, such as `vms`; those without a limit are absent.
    #[serde(default)]
    pub quota: BTreeMap<String, Quota>,
    /// What keeps VMs from being created at it at present, such as `breaker_open`, if anything does.
    #[serde(default)]
    pub limit: Option<Limit>,
    /// That too many of its nodes are missing at once, so that none counts as lost, if so.
    #[serde(default)]
    pub brake: Option<Brake>,
    /// How many nodes at it are ours and belong to no record: they are destroyed unless a record claims them.
    #[serde(default)]
    pub orphans: u64,
    /// How many nodes at it are not ours; nothing is ever done about them.
    #[serde(default)]
    pub strangers: u64,
    /// The first of them.
    #[serde(default)]
    pub first_strangers: Vec<Stranger>,
}

/// Whether the stream of events of a provider is open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct EventStream {
    /// `up`, `down`, `opening`, or `not_offered` if the provider says that it has no such stream.
    pub state: String,
    /// Since when it is up or down.
    #[serde(default)]
    pub since: Option<Timestamp>,
    /// Why it is not up.
    #[serde(default)]
    pub reason: Option<String>,
}

/// How much of one kind an account has and uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Quota {
    /// How much is used, VMs included that are starting or being destroyed.
    pub used: u64,
    /// How much there is.
    pub max: u64,
}

/// That too many nodes of a provider are missing at once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Brake {
    /// How many are missing.
    pub missing: u64,
    /// Of how many.
    #[serde(default)]
    pub known: u64,
    /// Since when.
    pub since: Timestamp,
}

/// A node that is not ours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Stranger {
    /// The provider's id of the node.
    pub node_id: String,
    /// Its name at the provider.
    #[serde(default)]
    pub name: String,
    /// Its state, such as `running`.
    #[serde(default)]
    pub state: String,
    /// The token of its installation, pool and VM, if it carries one.
    #[serde(default)]
    pub token: Option<String>,
}

/// All providers.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Providers {
    /// The providers, by name.
    pub providers: Vec<Provider>,
}
