//! What belongs to a machine: snapshots, NICs, disks, its history, its firewall rules.

use serde::Deserialize;
use serde_json::{Value, json};

use super::or_default;

/// A snapshot as the server shows it.
///
/// One that was just asked for reads `deleted` until it is made, and `deleted` again after it was deleted.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[non_exhaustive]
pub struct SnapshotData {
    /// Its name.
    pub name: String,
    /// `queued`, `running`, `created`, `failed`, `canceled` or `deleted`; some servers send none at first.
    #[serde(default, deserialize_with = "or_default")]
    pub state: String,
    /// Its size in bytes.
    #[serde(default)]
    pub size: Option<u64>,
    /// When it was made.
    #[serde(default)]
    pub created: Option<String>,
    /// When it was last changed.
    #[serde(default)]
    pub updated: Option<String>,
}

/// A network interface of a machine.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Nic {
    /// Its hardware address, with colons.
    pub mac: String,
    /// Its address.
    #[serde(default)]
    pub ip: Option<String>,
    /// Whether its gateway is the machine's.
    #[serde(default, deserialize_with = "or_default")]
    pub primary: bool,
    /// The way out.
    #[serde(default)]
    pub gateway: Option<String>,
    /// The mask of its network.
    #[serde(default)]
    pub netmask: Option<String>,
    /// `provisioning`, `running` or `stopped`.
    #[serde(default)]
    pub state: Option<String>,
    /// The network it is on.
    #[serde(default)]
    pub network: Option<String>,
}

/// A disk of a machine of the brand bhyve.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Disk {
    /// Its id.
    #[serde(default, deserialize_with = "or_default")]
    pub id: String,
    /// Its size in MiB; it may be missing on the boot disk.
    #[serde(default)]
    pub size: Option<u64>,
    /// Whether the machine boots from it.
    #[serde(default, deserialize_with = "or_default")]
    pub boot: bool,
    /// Its state, such as `running`.
    #[serde(default)]
    pub state: Option<String>,
}

/// Something that was done with a machine.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct AuditEntry {
    /// What was done, such as `provision` or `stop`.
    pub action: String,
    /// `yes` or `no`.
    #[serde(default, deserialize_with = "or_default")]
    pub success: String,
    /// When it was done.
    #[serde(default)]
    pub time: Option<String>,
    /// Who did it.
    #[serde(default)]
    pub caller: Option<Caller>,
}

impl AuditEntry {
    /// Returns whether it was done with success.
    #[must_use]
    pub fn succeeded(&self) -> bool {
        self.success == "yes"
    }
}

/// Who did something with a machine.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Caller {
    /// How the caller proved who it is, such as `signature`, or `operator`.
    #[serde(default, rename = "type")]
    pub kind: Option<String>,
    /// Where the call came from.
    #[serde(default)]
    pub ip: Option<String>,
    /// The key that signed.
    #[serde(default, rename = "keyId")]
    pub key_id: Option<String>,
}

/// A rule of the firewall.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct FirewallRule {
    /// Its id.
    pub id: String,
    /// The rule, such as `FROM any TO tag "www" ALLOW tcp PORT 80`.
    #[serde(default, deserialize_with = "or_default")]
    pub rule: String,
    /// Whether it holds.
    #[serde(default, deserialize_with = "or_default")]
    pub enabled: bool,
    /// Whether it holds for all accounts.
    #[serde(default, deserialize_with = "or_default")]
    pub global: bool,
    /// What it is for, for people.
    #[serde(default)]
    pub description: Option<String>,
}

/// What a new rule of the firewall is to be.
///
/// ```
/// use vmpool_cloudapi::types::CreateFirewallRule;
/// let rule = CreateFirewallRule::new("FROM any TO all vms ALLOW icmp TYPE all").with_description("ping");
/// assert!(!rule.enabled);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CreateFirewallRule {
    /// The rule.
    pub rule: String,
    /// Whether it holds at once. Default: no.
    pub enabled: bool,
    /// What it is for, for people.
    pub description: Option<String>,
}

impl CreateFirewallRule {
    /// Makes a rule that does not hold yet.
    #[must_use]
    pub fn new(rule: impl Into<String>) -> Self {
        Self { rule: rule.into(), enabled: false, description: None }
    }

    /// Lets the rule hold at once.
    #[must_use]
    pub fn enabled(self) -> Self {
        Self { enabled: true, ..self }
    }

    /// Says what the rule is for.
    #[must_use]
    pub fn with_description(self, description: impl Into<String>) -> Self {
        Self { description: Some(description.into()), ..self }
    }

    pub(crate) fn to_body(&self) -> Value {
        let mut body = json!({"rule": self.rule, "enabled": self.enabled});
        if let Some(description) = &self.description {
            body["description"] = json!(description);
        }
        body
    }
}
