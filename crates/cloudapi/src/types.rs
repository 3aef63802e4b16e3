//! What CloudAPI sends and takes.
//!
//! Fields that are not known are passed over, and `null` is as good as nothing; so is a field that a version does not have.

mod account;
mod catalog;
mod create;
mod machine;
mod metadata;
mod parts;
mod tags;

use serde::{Deserialize, Deserializer};

pub use self::{
    account::{Account, AccountConfig, CloudApi, Key, Ping},
    catalog::{Image, Migration, Network, Package, Requirements},
    create::{CreateMachine, CreateNetwork},
    machine::{MachineData, MachineDisk},
    metadata::{Credentials, Metadata},
    parts::{AuditEntry, Caller, CreateFirewallRule, Disk, FirewallRule, Nic, SnapshotData},
    tags::{TagValue, Tags},
};

/// Reads a value of which `null` is as good as nothing.
fn or_default<'de, T: Deserialize<'de> + Default, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}
