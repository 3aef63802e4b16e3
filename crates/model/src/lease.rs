//! The right to use one VM.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{LeaseId, Owner, PoolName, RequestId, Sandbox, TaskId, Timestamp, VmName, time::duration_text};

/// The right to use one VM until it is released or expires.
///
/// A VM has at most one lease and a lease has exactly one VM; the lease is removed when it ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// The lease's id.
    pub id: LeaseId,
    /// The VM.
    pub vm: VmName,
    /// The VM's pool.
    pub pool: PoolName,
    /// Who holds the lease.
    pub owner: Owner,
    /// The sandbox of the use, if there is one.
    pub sandbox: Option<Sandbox>,
    /// What the lease is for, if the holder said so.
    pub task: Option<TaskId>,
    /// The request that the lease answers.
    pub request: RequestId,
    /// When the lease was given.
    pub acquired_at: Timestamp,
    /// When the lease ends unless it is renewed.
    pub expires_at: Timestamp,
    /// For how long a renewal extends the lease, counted from the renewal.
    #[serde(with = "duration_text")]
    pub ttl: Duration,
    /// A number that grows with every lease of the domain, also across restarts: whoever guards a
    /// resource can refuse the holder of an older lease of the same VM.
    pub fence: u64,
    /// Why the VM is doubted, if it is: its node is gone or ill. The lease holds all the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspect: Option<String>,
}
