//! What the daemon tells about one VM of a pool.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// One VM of a pool.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vm {
    /// The VM's name, which is its node's name, too.
    pub name: String,
    /// The pool it belongs to.
    pub pool: String,
    /// The provider that its node is at.
    pub provider: String,
    /// The state in the pool: `spawning`, `got_ip`, `check_health`, `check_health_failed`, `ready`, `in_use`, `held` or
    /// `terminating`; a newer daemon may know more.
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
    /// The last thing that went wrong, or why the VM is terminated.
    #[serde(default)]
    pub problem: Option<String>,
}

/// VMs of all pools.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Vms {
    /// The VMs, by name.
    pub vms: Vec<Vm>,
}
