//! What a pool knows about one of its VMs.

use std::{collections::BTreeMap, net::IpAddr};

use serde::{Deserialize, Serialize};

use crate::{
    Hold, InstallationId, LeaseId, Node, NodeId, Owner, PoolName, ProviderName, RecordState, Returned,
    Sandbox, Timestamp, Token, VmName,
    states::{NodeState, RawState},
};

/// The record of one VM of a pool.
///
/// It is written, under its final name, before the provider is asked for the VM, and removed only
/// when the node is proven gone. Everything a decision needs can be derived again from the records.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VmRecord {
    /// The VM's name.
    pub name: VmName,
    /// The pool it belongs to.
    pub pool: PoolName,
    /// The provider that its node is at.
    pub provider: ProviderName,
    /// What the node is made from; empty in records of before there were offers.
    #[serde(default)]
    pub template: String,
    /// What the VM takes of its provider's quota, beside 1 of `vms`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub needs: BTreeMap<String, u64>,
    /// The state in the pool.
    pub state: RecordState,
    /// When that state began.
    pub since: Timestamp,
    /// When the VM was intended.
    pub created_at: Timestamp,
    /// What is known of the node; `None` while its creation has not been answered.
    pub node: Option<NodeView>,
    /// The lease, while the VM is leased.
    pub lease: Option<LeaseId>,
    /// Who used the VM last, or uses it now: the VM is dirty, and is given to nobody else.
    pub owner: Option<Owner>,
    /// The sandbox it was or is used in; given again only to the same owner and sandbox.
    pub sandbox: Option<Sandbox>,
    /// How many leases the VM has had.
    pub uses: u32,
    /// How many health checks failed in a row.
    pub check_fails: u32,
    /// When the last health check began.
    pub last_check: Option<Timestamp>,
    /// When the last lease ended.
    pub last_release: Option<Timestamp>,
    /// Since when the VM waits for its owner to come again; `dirty_timeout` counts from then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dirty_since: Option<Timestamp>,
    /// The lease that ended, while the hook `before_release` runs, and while the VM is held and nothing has cleaned up after
    /// that lease.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub returned: Option<Box<Returned>>,
    /// Since when the VM has an address without having passed a check; `None` once it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starting_since: Option<Timestamp>,
    /// How often the present step (create, look-up, destroy) failed in a row.
    pub attempts: u32,
    /// When the present step may be tried again.
    pub retry_at: Option<Timestamp>,
    /// Why the VM is doubted: its node is gone or ill, or its checks fail. A leased VM stays leased all the same: only
    /// its holder, expiry or an explicit verb ends the lease.
    pub suspect: Option<String>,
    /// That the VM is held for debugging, or is to be held when its lease ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold: Option<Hold>,
    /// Whether the hook `after_boot` has run, or there was none.
    #[serde(default)]
    pub prepared: bool,
    /// The host key that the VM showed at its first check over SSH, as a line of `known_hosts` without the host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host_key: Option<String>,
    /// When the provider destroys the node by itself, if it was told to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cloud_expiry: Option<Timestamp>,
    /// When the node was proven gone; the record stays until the hook `after_destroy` has run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gone_at: Option<Timestamp>,
    /// The last thing that went wrong, or why the VM is terminated; for people.
    pub problem: Option<String>,
}

impl VmRecord {
    /// Makes the record of a VM that is intended at `now`.
    #[must_use]
    pub fn intended(name: VmName, pool: PoolName, provider: ProviderName, now: Timestamp) -> Self {
        Self {
            name,
            pool,
            provider,
            template: String::new(),
            needs: BTreeMap::new(),
            state: RecordState::Spawning,
            since: now,
            created_at: now,
            node: None,
            lease: None,
            owner: None,
            sandbox: None,
            uses: 0,
            check_fails: 0,
            last_check: None,
            last_release: None,
            dirty_since: None,
            returned: None,
            starting_since: None,
            attempts: 0,
            retry_at: None,
            suspect: None,
            hold: None,
            prepared: false,
            host_key: None,
            cloud_expiry: None,
            gone_at: None,
            problem: None,
        }
    }

    /// Returns the token that the VM's node carries.
    #[must_use]
    pub fn token(&self, installation: &InstallationId) -> Token {
        Token::new(installation.clone(), self.pool.clone(), self.name.clone())
    }

    /// Returns whether nobody used the VM yet, so that anybody may get it.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.owner.is_none()
    }

    /// Returns whether the node is proven gone, so that the record takes nothing of any limit or quota: it stays only
    /// until the hook `after_destroy` has run.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        self.gone_at.is_some()
    }
}

/// What a record keeps of its node: enough to use it, to find it and to show it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NodeView {
    /// The provider's id of the node.
    pub id: NodeId,
    /// The uniform state, as last seen.
    pub state: NodeState,
    /// The provider's own state, as last seen.
    pub raw_state: RawState,
    /// All addresses, public ones first, as last seen.
    pub addresses: Vec<IpAddr>,
}

impl From<&Node> for NodeView {
    fn from(node: &Node) -> Self {
        Self {
            id: node.id.clone(),
            state: node.state,
            raw_state: node.raw_state.clone(),
            addresses: node.addresses().collect(),
        }
    }
}
