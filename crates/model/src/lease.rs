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

/// A lease that ended, kept with its VM while the hook `before_release` runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Returned {
    /// The lease.
    pub lease: Lease,
    /// Whether anybody may get the VM once the hook has run; only the same owner and sandbox otherwise.
    pub clean: bool,
}

/// How a lease ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum LeaseEnd {
    /// Its holder gave it back.
    Released,
    /// Nobody renewed it in time.
    Expired,
    /// Its VM was terminated.
    Terminated,
    /// An operator made vmpool forget its VM.
    Forgotten,
    /// It is not known; the first version did not write it.
    #[default]
    #[serde(other)]
    Unknown,
}

impl std::fmt::Display for LeaseEnd {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Released => "it was released",
            Self::Expired => "nobody renewed it in time",
            Self::Terminated => "its VM was terminated",
            Self::Forgotten => "an operator gave its VM up for lost",
            Self::Unknown => "it was released or has expired",
        })
    }
}
