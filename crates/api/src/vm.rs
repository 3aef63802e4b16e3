//! What the daemon tells about one VM of a pool.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// One VM of a pool.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Vm {
    /// The VM's name, which is its node's name, too.
    pub name: String,
    /// The pool it belongs to.
    pub pool: String,
    /// The provider that its node is at.
    pub provider: String,
    /// What the node is made from; empty if that was not recorded.
    #[serde(default)]
    pub template: String,
    /// The state in the pool: `spawning`, `got_ip`, `check_health`, `check_health_failed`, `ready`, `in_use`, `releasing`,
    /// `held` or `terminating`; a newer daemon may know more.
    pub state: String,
    /// When that state began.
    pub since: Timestamp,
    /// When the VM was intended.
    pub created_at: Timestamp,
    /// The provider's id of the node, once it is known.
    #[serde(default)]
    pub node_id: Option<String>,
    /// The uniform state of the node, such as `running`, as last seen.
    #[serde(default)]
    pub node_state: Option<String>,
    /// The provider's own state of the node, such as `ACTIVE/BOOT`, as last seen.
    #[serde(default)]
    pub raw_state: Option<String>,
    /// The node's addresses, public ones first.
    #[serde(default)]
    pub addresses: Vec<String>,
    /// The lease, while the VM is leased.
    #[serde(default)]
    pub lease: Option<String>,
    /// What the lease is for, if its holder said so.
    #[serde(default)]
    pub task: Option<String>,
    /// Who used the VM last, or uses it now.
    #[serde(default)]
    pub owner: Option<String>,
    /// The sandbox it was or is used in.
    #[serde(default)]
    pub sandbox: Option<String>,
    /// How many leases the VM has had.
    #[serde(default)]
    pub uses: u32,
    /// How many health checks failed in a row.
    #[serde(default)]
    pub check_fails: u32,
    /// When the last health check began.
    #[serde(default)]
    pub last_check: Option<Timestamp>,
    /// When the last lease ended.
    #[serde(default)]
    pub last_release: Option<Timestamp>,
    /// How often the present step (create, look-up, destroy) failed in a row.
    #[serde(default)]
    pub attempts: u32,
    /// When the present step may be tried again.
    #[serde(default)]
    pub retry_at: Option<Timestamp>,
    /// Why the VM is doubted although it is leased.
    #[serde(default)]
    pub suspect: Option<String>,
    /// That the VM is held for debugging, or is to be held when its lease ends.
    #[serde(default)]
    pub hold: Option<Hold>,
    /// When the provider destroys the node by itself, if it was told to.
    #[serde(default)]
    pub cloud_expiry: Option<Timestamp>,
    /// The last thing that went wrong, or why the VM is terminated.
    #[serde(default)]
    pub problem: Option<String>,
}

/// Why and until when a VM is kept for debugging.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Hold {
    /// Why.
    pub reason: String,
    /// Who wants it kept, if they said so.
    #[serde(default)]
    pub by: Option<String>,
    /// When it was asked for.
    pub since: Timestamp,
    /// When the VM is destroyed unless it is given up before.
    pub until: Timestamp,
}

/// VMs of all pools.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Vms {
    /// The VMs, by name.
    pub vms: Vec<Vm>,
    /// Where the next page begins, for `after`, if not all were asked for and there is more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}
