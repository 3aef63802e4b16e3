//! The right to use one VM, as the daemon tells it.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Request, duration};

/// The right to use one VM until it is released or expires.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Lease {
    /// The lease's id.
    pub id: String,
    /// The VM.
    pub vm: String,
    /// The VM's pool.
    pub pool: String,
    /// Who holds the lease.
    pub owner: String,
    /// The sandbox of the use, if there is one.
    #[serde(default)]
    pub sandbox: Option<String>,
    /// What the lease is for, if the holder said so.
    #[serde(default)]
    pub task: Option<String>,
    /// The request that the lease answers.
    pub request: String,
    /// When the lease was given.
    pub acquired_at: Timestamp,
    /// When the lease ends unless it is renewed.
    pub expires_at: Timestamp,
    /// For how long a renewal extends the lease, counted from the renewal.
    #[serde(with = "duration::text")]
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub ttl: Duration,
    /// A number that grows with every lease: whoever guards a resource can refuse the holder of an older lease.
    pub fence: u64,
    /// The VM's addresses, public ones first.
    #[serde(default)]
    pub addresses: Vec<String>,
    /// The provider's id of the VM's node.
    #[serde(default)]
    pub node_id: Option<String>,
    /// Why the VM is doubted, if it is: its node is gone or ill. The lease holds all the same.
    #[serde(default)]
    pub suspect: Option<String>,
}

/// All leases.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Leases {
    /// The leases, by id.
    pub leases: Vec<Lease>,
    /// Where the next page begins, for `after`, if not all were asked for and there is more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// A lease of a request that ended, while others of the same request may last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct EndedLease {
    /// The lease's id.
    pub id: String,
    /// The VM that was leased: it must not be used any more.
    pub vm: String,
    /// When the lease ended.
    pub at: Timestamp,
    /// How it ended, for people.
    pub end: String,
}

/// The answer to an acquire: its leases with status 200, or with status 202 that the request still waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "status", rename_all = "snake_case")]
#[non_exhaustive]
pub enum AcquireAnswer {
    /// The request was given as many leases as it wanted.
    Granted {
        /// The first lease.
        lease: Box<Lease>,
        /// All leases that last, the first included; empty if an earlier daemon answers, which gives one.
        #[serde(default)]
        leases: Vec<Lease>,
        /// Leases that the request was given and that ended, if it is sent again and was given others that last. What ended
        /// is not given anew: who wants as many VMs as at first releases the others and makes a new request.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        ended: Vec<EndedLease>,
    },
    /// The request waits in the queue: to go on waiting, send it again with what is left of the
    /// time, within [`POLL_GRACE`](crate::routes::POLL_GRACE); a request that is not sent again is given up.
    Waiting {
        /// The request.
        request: Box<Request>,
    },
}
