//! What machines are made of, and where they move.

use serde::Deserialize;

use super::or_default;

/// A size that machines can have.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct Package {
    /// Its id.
    pub id: String,
    /// Its name; several versions share one.
    pub name: String,
    /// Memory in MiB.
    #[serde(default, deserialize_with = "or_default")]
    pub memory: u64,
    /// Disk in MiB.
    #[serde(default, deserialize_with = "or_default")]
    pub disk: u64,
    /// Swap in MiB.
    #[serde(default, deserialize_with = "or_default")]
    pub swap: u64,
    /// Virtual CPUs.
    #[serde(default, deserialize_with = "or_default")]
    pub vcpus: f64,
    /// How many processes there may be.
    #[serde(default, deserialize_with = "or_default")]
    pub lwps: u64,
    /// Whether it is what machines get that ask for none.
    #[serde(default, deserialize_with = "or_default")]
    pub default: bool,
    /// Its version.
    #[serde(default)]
    pub version: Option<String>,
    /// The group it belongs to.
    #[serde(default)]
    pub group: Option<String>,
    /// What it is, for people.
    #[serde(default)]
    pub description: Option<String>,
    /// The brand of its machines, if it prescribes one.
    #[serde(default)]
    pub brand: Option<String>,
    /// Whether its disk can be divided as one likes.
    #[serde(default, deserialize_with = "or_default")]
    pub flexible_disk: bool,
}

/// An image that machines can be made from.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct Image {
    /// Its id.
    pub id: String,
    /// Its name; several versions share one.
    pub name: String,
    /// Its version.
    #[serde(default, deserialize_with = "or_default")]
    pub version: String,
    /// Its operating system.
    #[serde(default)]
    pub os: Option<String>,
    /// Its type, such as `zone-dataset`; versions before 8 have other words.
    #[serde(default, rename = "type")]
    pub kind: Option<String>,
    /// What its machines need.
    #[serde(default, deserialize_with = "or_default")]
    pub requirements: Requirements,
    /// What it is, for people.
    #[serde(default)]
    pub description: Option<String>,
    /// Whether everybody can use it.
    #[serde(default)]
    pub public: Option<bool>,
    /// Its state, such as `active`.
    #[serde(default)]
    pub state: Option<String>,
    /// The id of the account that owns it.
    #[serde(default)]
    pub owner: Option<String>,
    /// When it was published.
    #[serde(default)]
    pub published_at: Option<String>,
}

/// What the machines of an image need; older servers say memory where newer ones say RAM.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[non_exhaustive]
pub struct Requirements {
    /// The least RAM in MiB.
    #[serde(default)]
    pub min_ram: Option<u64>,
    /// The most RAM in MiB.
    #[serde(default)]
    pub max_ram: Option<u64>,
    /// The least memory in MiB.
    #[serde(default)]
    pub min_memory: Option<u64>,
    /// The most memory in MiB.
    #[serde(default)]
    pub max_memory: Option<u64>,
    /// The brand, if there is only one that will do.
    #[serde(default)]
    pub brand: Option<String>,
}

/// A network that machines can be on.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Network {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Whether its addresses are reachable from outside.
    #[serde(default, deserialize_with = "or_default")]
    pub public: bool,
    /// What it is, for people.
    #[serde(default)]
    pub description: Option<String>,
    /// Whether it is the account's own.
    #[serde(default, deserialize_with = "or_default")]
    pub fabric: bool,
    /// Its addresses.
    #[serde(default)]
    pub subnet: Option<String>,
    /// The first address that machines get.
    #[serde(default)]
    pub provision_start_ip: Option<String>,
    /// The last address that machines get.
    #[serde(default)]
    pub provision_end_ip: Option<String>,
    /// The way out.
    #[serde(default)]
    pub gateway: Option<String>,
    /// Who resolves names.
    #[serde(default, deserialize_with = "or_default")]
    pub resolvers: Vec<String>,
    /// Whether its machines reach the world through a gateway.
    #[serde(default)]
    pub internet_nat: Option<bool>,
    /// The VLAN it is on.
    #[serde(default)]
    pub vlan_id: Option<u32>,
}

/// The move of a machine to another server.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct Migration {
    /// The machine.
    #[serde(default)]
    pub machine: Option<String>,
    /// Its state, such as `running`.
    #[serde(default)]
    pub state: Option<String>,
    /// What it does at present, such as `sync`.
    #[serde(default)]
    pub phase: Option<String>,
    /// Whether it goes on by itself.
    #[serde(default)]
    pub automatic: Option<bool>,
    /// How much of it is done.
    #[serde(default)]
    pub progress_percent: Option<f64>,
}
