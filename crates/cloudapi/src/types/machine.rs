//! A machine as the server shows it.

use std::net::IpAddr;

use serde::{Deserialize, Deserializer};
use vmpool_model::states::cloudapi::MachineState;

use super::{Metadata, Nic, Tags, or_default};

/// A machine as the server shows it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct MachineData {
    /// Its id.
    pub id: String,
    /// Its name.
    #[serde(default)]
    pub name: Option<String>,
    /// Its type: `smartmachine` or `virtualmachine`.
    #[serde(default, rename = "type")]
    pub kind: Option<String>,
    /// Its brand, such as `joyent`, `lx` or `bhyve`.
    #[serde(default)]
    pub brand: Option<String>,
    /// Its state; one that is not known, or is missing, is kept as such.
    #[serde(default = "unknown", deserialize_with = "state")]
    pub state: MachineState,
    /// The image it was made from.
    #[serde(default)]
    pub image: Option<String>,
    /// Its addresses; `dhcp` stands among them for one that the network gives out.
    #[serde(default, deserialize_with = "or_default")]
    pub ips: Vec<String>,
    /// Memory in MiB.
    #[serde(default)]
    pub memory: Option<u64>,
    /// Disk in MiB.
    #[serde(default)]
    pub disk: Option<u64>,
    /// Its metadata.
    #[serde(default)]
    pub metadata: Metadata,
    /// Its tags.
    #[serde(default, deserialize_with = "or_default")]
    pub tags: Tags,
    /// When it was made.
    #[serde(default)]
    pub created: Option<String>,
    /// When it was last changed.
    #[serde(default)]
    pub updated: Option<String>,
    /// The networks it is on; the server sends some as `null`.
    #[serde(default, deserialize_with = "or_default")]
    pub networks: Vec<Option<String>>,
    /// Its network interfaces.
    #[serde(default, deserialize_with = "or_default")]
    pub nics: Vec<Nic>,
    /// The address of its primary interface.
    #[serde(default, rename = "primaryIp")]
    pub primary_ip: Option<String>,
    /// Whether its firewall is on.
    #[serde(default, deserialize_with = "or_default")]
    pub firewall_enabled: bool,
    /// Whether it cannot be deleted.
    #[serde(default, deserialize_with = "or_default")]
    pub deletion_protection: bool,
    /// The server it is on.
    #[serde(default)]
    pub compute_node: Option<String>,
    /// The name of its package; empty while it is not known.
    #[serde(default, deserialize_with = "or_default")]
    pub package: String,
    /// Its names in the DNS.
    #[serde(default, deserialize_with = "or_default")]
    pub dns_names: Vec<String>,
    /// Whether it is a container of Docker.
    #[serde(default, deserialize_with = "or_default")]
    pub docker: bool,
    /// Whether it has a dataset of its own.
    #[serde(default)]
    pub delegate_dataset: Option<bool>,
    /// Whether its disk is encrypted.
    #[serde(default)]
    pub encrypted: Option<bool>,
    /// Whether its disk can be divided as one likes.
    #[serde(default)]
    pub flexible: Option<bool>,
    /// What is free of its disk in MiB.
    #[serde(default)]
    pub free_space: Option<u64>,
    /// Its disks.
    #[serde(default, deserialize_with = "or_default")]
    pub disks: Vec<MachineDisk>,
}

/// A disk in the description of a machine.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct MachineDisk {
    /// Its id.
    #[serde(default)]
    pub id: Option<String>,
    /// Its size in MiB.
    #[serde(default)]
    pub size: Option<u64>,
    /// Whether the machine boots from it.
    #[serde(default, deserialize_with = "or_default")]
    pub boot: bool,
    /// The image it was made from.
    #[serde(default)]
    pub image: Option<String>,
}

impl MachineData {
    /// Returns the addresses that are reachable from outside, in the server's order.
    #[must_use]
    pub fn public_ips(&self) -> Vec<IpAddr> {
        self.addresses().filter(|ip| !is_private(ip)).collect()
    }

    /// Returns the addresses that are reachable from inside the cloud only, in the server's order.
    #[must_use]
    pub fn private_ips(&self) -> Vec<IpAddr> {
        self.addresses().filter(is_private).collect()
    }

    /// Returns the script that is run when the machine boots, if there is one.
    #[must_use]
    pub fn boot_script(&self) -> Option<&str> {
        self.metadata.text("user-script")
    }

    fn addresses(&self) -> impl Iterator<Item = IpAddr> + '_ {
        self.ips.iter().filter_map(|ip| ip.parse().ok())
    }
}

/// Returns whether an address is of a private network; so the original tools told them apart.
fn is_private(ip: &IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_private() || ip.is_loopback() || ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_unique_local() || ip.is_loopback() || ip.is_unicast_link_local(),
    }
}

fn unknown() -> MachineState {
    MachineState::Unknown
}

fn state<'de, D: Deserializer<'de>>(deserializer: D) -> Result<MachineState, D::Error> {
    let text = <Option<String>>::deserialize(deserializer)?;
    Ok(text.map_or(MachineState::Unknown, |text| MachineState::from_text(&text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_of_nulls_is_a_machine() {
        let json = r#"{"id": "a", "name": null, "type": null, "state": null, "ips": null, "memory": null, "metadata": null,
            "tags": null, "networks": [null], "nics": null, "compute_node": null, "package": null, "disks": null}"#;
        let machine: MachineData = serde_json::from_str(json).unwrap();
        assert_eq!((machine.state, machine.networks), (MachineState::Unknown, vec![None]));
        assert!(serde_json::from_str::<MachineData>(r#"{"id": "a"}"#).is_ok());
    }

    #[test]
    fn a_state_that_nobody_knows_is_kept() {
        let machine: MachineData = serde_json::from_str(r#"{"id": "a", "state": "hibernating"}"#).unwrap();
        assert_eq!(machine.state.to_string(), "hibernating");
    }

    #[test]
    fn addresses_are_told_apart_and_what_is_none_is_passed_over() {
        let json = r#"{"id": "a", "ips": ["dhcp", "165.225.0.9", "10.1.2.3", "fd00::1", "2001:db8::1", "192.168.1.1"]}"#;
        let machine: MachineData = serde_json::from_str(json).unwrap();
        assert_eq!(
            machine.public_ips().iter().map(ToString::to_string).collect::<Vec<_>>(),
            ["165.225.0.9", "2001:db8::1"]
        );
        assert_eq!(machine.private_ips().len(), 3);
    }

    #[test]
    fn metadata_and_passwords_are_not_shown() {
        let json =
            r#"{"id": "a", "metadata": {"user-script": "hunter2", "credentials": {"root": "hunter3"}}}"#;
        let machine: MachineData = serde_json::from_str(json).unwrap();
        let shown = format!("{machine:?} {:?}", machine.metadata.credentials());
        assert!(shown.contains("user-script") && !shown.contains("hunter"), "{shown}");
    }
}
