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

/// A lease that ended, kept with its VM while that is held, and while the hook `before_release` runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Returned {
    /// The lease.
    pub lease: Lease,
    /// Whether anybody may get the VM once the hook has run; only the same owner and sandbox otherwise. It is settled when
    /// the hook begins.
    pub clean: bool,
    /// Whether the VM was held since, so that it is checked once the hook has run.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub held: bool,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_that_ended_is_read_as_it_was_written_before_it_said_whether_its_vm_was_held() {
        let older = r#"{"lease":{"id":"l1","vm":"small-1","pool":"small","owner":"ann","sandbox":null,"task":null,
            "request":"r1","acquired_at":"2026-01-01T00:00:00Z","expires_at":"2026-01-01T00:10:00Z","ttl":"10m","fence":7},
            "clean":true}"#;
        let returned: Returned = serde_json::from_str(older).unwrap();
        assert!((returned.clean, returned.held) == (true, false), "{returned:?}");
        assert!(!serde_json::to_string(&returned).unwrap().contains("held"), "nor does it say so now");
    }
}
