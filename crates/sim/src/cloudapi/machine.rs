//! The record of a machine, and how it is shown.

use serde_json::{Map, Value, json};
use vmpool_model::{NodeId, Timestamp, states::cloudapi::MachineState};

use super::{access::Caller, jobs::Job, times::written, versions::Version};

/// The server that every machine is on.
const SERVER: &str = "44454c4c-5400-1034-8053-b7c04f383432";

/// The record of a machine; it stays when the machine is gone.
#[derive(Debug)]
pub(super) struct Machine {
    pub(super) id: String,
    /// The login of its account.
    pub(super) owner: String,
    pub(super) name: String,
    pub(super) kind: &'static str,
    pub(super) brand: String,
    pub(super) image: String,
    pub(super) package: String,
    /// In MiB.
    pub(super) memory: u64,
    /// In MiB.
    pub(super) disk: u64,
    pub(super) is_flexible: bool,
    pub(super) state: MachineState,
    /// Whether its server cannot be reached, so that nobody knows its state.
    pub(super) is_lost: bool,
    pub(super) tags: Map<String, Value>,
    pub(super) metadata: Map<String, Value>,
    pub(super) credentials: Map<String, Value>,
    pub(super) has_firewall: bool,
    pub(super) is_protected: bool,
    pub(super) has_dataset: bool,
    pub(super) made_at: Timestamp,
    pub(super) changed_at: Timestamp,
    /// The networks that it was asked for with.
    pub(super) wanted: Vec<String>,
    pub(super) nics: Vec<Nic>,
    pub(super) disks: Vec<Disk>,
    pub(super) snapshots: Vec<Snapshot>,
    pub(super) jobs: Vec<Job>,
    pub(super) audit: Vec<Entry>,
    /// What runs for it in the dummy.
    pub(super) node: Option<NodeId>,
}

/// A network interface.
#[derive(Debug, Clone)]
pub(super) struct Nic {
    pub(super) mac: String,
    pub(super) ip: String,
    pub(super) is_primary: bool,
    pub(super) gateway: String,
    pub(super) netmask: &'static str,
    pub(super) network: String,
    /// How far its address is from the first one of the network.
    pub(super) offset: u32,
}

/// A disk.
#[derive(Debug, Clone)]
pub(super) struct Disk {
    pub(super) id: String,
    /// In MiB; nothing for a boot disk whose size is the image's.
    pub(super) size: Option<u64>,
    pub(super) is_boot: bool,
    pub(super) image: Option<String>,
}

/// A snapshot; it stays when it is deleted.
#[derive(Debug, Clone)]
pub(super) struct Snapshot {
    pub(super) name: String,
    /// When it was made, if it was.
    pub(super) made_at: Option<Timestamp>,
    pub(super) is_deleted: bool,
}

/// Something that was done with a machine.
#[derive(Debug)]
pub(super) struct Entry {
    /// Later jobs have larger ones.
    pub(super) number: u64,
    pub(super) action: &'static str,
    pub(super) is_done: bool,
    pub(super) at: Timestamp,
    pub(super) caller: Caller,
}

impl Machine {
    /// Returns the state that callers see.
    pub(super) fn shown_state(&self) -> &str {
        match &self.state {
            state if !self.is_lost => state.as_str(),
            state @ (MachineState::Deleted | MachineState::Failed) => state.as_str(),
            _ => MachineState::Unknown.as_str(),
        }
    }

    pub(super) fn is_deleted(&self) -> bool {
        self.state == MachineState::Deleted
    }

    /// Returns whether the machine holds its name.
    pub(super) fn is_active(&self) -> bool {
        !matches!(self.state, MachineState::Deleted | MachineState::Failed)
    }

    /// Shows the machine.
    pub(super) fn shown(&self, version: Version) -> Value {
        let ips: Vec<&str> = self.nics.iter().map(|nic| nic.ip.as_str()).collect();
        let mut shown = json!({
            "id": self.id,
            "name": self.name,
            "type": self.kind,
            "brand": self.brand,
            "state": self.shown_state(),
            "image": self.image,
            "ips": ips,
            "memory": self.memory,
            "disk": self.disk,
            "deletion_protection": self.is_protected,
            "metadata": self.metadata,
            "tags": self.tags,
            "created": written(self.made_at),
            "updated": written(self.changed_at),
            "firewall_enabled": self.has_firewall,
            "compute_node": SERVER,
            "package": self.package,
        });
        if (7, 0, 0) < version {
            let networks: Vec<&str> = self.nics.iter().map(|nic| nic.network.as_str()).collect();
            shown["networks"] = json!(networks);
        }
        if !self.nics.is_empty() {
            let primary = self.nics.iter().find(|nic| nic.is_primary);
            shown["nics"] = self.nics.iter().map(Nic::in_machine).collect();
            shown["primaryIp"] = json!(primary.or(self.nics.first()).map(|nic| &nic.ip));
        }
        if self.brand == "bhyve" {
            shown["disks"] = self.disks.iter().map(Disk::in_machine).collect();
            if self.state != MachineState::Provisioning {
                shown["flexible"] = json!(self.is_flexible);
            }
        }
        if self.has_dataset && self.state != MachineState::Provisioning {
            shown["delegate_dataset"] = json!(true);
        }
        shown
    }

    /// Shows the machine together with its passwords.
    pub(super) fn shown_with_credentials(&self, version: Version) -> Value {
        let mut shown = self.shown(version);
        // A text, and not whatever one would think.
        shown["credentials"] = json!("true");
        if !self.credentials.is_empty() {
            shown["metadata"]["credentials"] = json!(self.credentials);
        }
        shown
    }

    /// Returns what was done with the machine, the newest first.
    pub(super) fn history(&self) -> Value {
        let mut entries: Vec<&Entry> = self.audit.iter().collect();
        entries.sort_by_key(|entry| std::cmp::Reverse(entry.number));
        let shown = |entry: &&Entry| {
            json!({
                "success": if entry.is_done { "yes" } else { "no" },
                "time": written(entry.at),
                "action": entry.action,
                "caller": {"type": "signature", "ip": "127.0.0.1", "keyId": entry.caller.key_id},
            })
        };
        entries.iter().map(shown).collect()
    }

    /// Returns a snapshot that is there or is being made.
    pub(super) fn snapshot(&self, name: &str) -> Option<&Snapshot> {
        self.snapshots.iter().rev().find(|snapshot| snapshot.name == name)
    }
}

impl Nic {
    fn in_machine(&self) -> Value {
        json!({
            "mac": self.mac,
            "ip": self.ip,
            "primary": self.is_primary,
            "gateway": self.gateway,
            "netmask": self.netmask,
            "network": self.network,
        })
    }

    /// Shows the interface by itself.
    pub(super) fn shown(&self, state: &str) -> Value {
        let mut shown = self.in_machine();
        shown["state"] = json!(state);
        shown
    }

    /// Returns the hardware address as paths have it.
    pub(super) fn bare(&self) -> String {
        self.mac.replace(':', "")
    }
}

impl Disk {
    fn in_machine(&self) -> Value {
        let mut shown = json!({});
        if self.is_boot {
            shown["boot"] = json!(true);
        }
        if let Some(image) = &self.image {
            shown["image"] = json!(image);
        }
        if let Some(size) = self.size {
            shown["size"] = json!(size);
        }
        shown
    }

    /// Shows the disk by itself.
    pub(super) fn shown(&self) -> Value {
        let mut shown = json!({"id": self.id, "boot": self.is_boot, "state": "running"});
        if let Some(size) = self.size {
            shown["size"] = json!(size);
        }
        shown
    }
}

impl Snapshot {
    /// Shows the snapshot; one that is being made reads as one that was deleted.
    pub(super) fn shown(&self) -> Value {
        match self.made_at {
            Some(at) if !self.is_deleted => json!({
                "name": self.name,
                "state": "created",
                "size": 28_672,
                "created": written(at),
                "updated": written(at),
            }),
            _ => json!({"name": self.name, "state": "deleted"}),
        }
    }
}
