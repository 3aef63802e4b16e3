//! What the daemon tells about one acquire that it remembers.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{EndedLease, Limit, duration};

/// One acquire that waits, or ended not long ago.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Request {
    /// The client's id of the request.
    pub id: String,
    /// The pool that it likes best; empty if it named none.
    pub pool: String,
    /// All pools that it may be served from, the one liked best first; if empty, any that has all `labels`.
    #[serde(default)]
    pub pools: Vec<String>,
    /// What the VMs' pool must be good for.
    #[serde(default)]
    pub labels: Vec<String>,
    /// How many VMs it wants, all at once or none.
    #[serde(default = "one")]
    pub count: u32,
    /// Who is served first: the higher number.
    #[serde(default)]
    pub priority: i32,
    /// Who will hold the lease.
    pub owner: String,
    /// The sandbox of the use, if there is one.
    #[serde(default)]
    pub sandbox: Option<String>,
    /// What the lease is for, if the client said so.
    #[serde(default)]
    pub task: Option<String>,
    /// How long the lease lasts without renewal.
    #[serde(with = "duration::text")]
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub ttl: Duration,
    /// When the request came.
    pub submitted_at: Timestamp,
    /// When it stops waiting.
    pub deadline: Timestamp,
    /// When it stops waiting unless it is sent again, if that is before: clients that are there do so by themselves.
    #[serde(default)]
    pub kept_until: Option<Timestamp>,
    /// How it stands.
    pub status: RequestStatus,
    /// The first lease it was given, if it was.
    #[serde(default)]
    pub lease: Option<String>,
    /// All leases it was given, those that ended included.
    #[serde(default)]
    pub leases: Vec<String>,
    /// The VM that was leased, once the lease has ended.
    #[serde(default)]
    pub vm: Option<String>,
    /// When the lease ended, or the request was cancelled or timed out, once that has happened.
    #[serde(default)]
    pub ended_at: Option<Timestamp>,
    /// How the lease or the request ended, for people, once it has.
    #[serde(default)]
    pub end: Option<String>,
    /// Of several leases that it was given, those that ended, the one that ended last coming last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ended: Vec<EndedLease>,
    /// What keeps it waiting, if it waits and that is known.
    #[serde(default)]
    pub limit: Option<Limit>,
}

const fn one() -> u32 {
    1
}

/// How a request stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RequestStatus {
    /// It waits for a VM.
    Waiting,
    /// It was given a lease, which lasts.
    Granted,
    /// It was given a lease, which ended.
    Ended,
    /// Somebody withdrew it before it was given a lease; sent again it is refused.
    Cancelled,
    /// Its time was over before it was given a lease; sent again it is refused.
    TimedOut,
    /// It waited until nobody could ever serve it any more, because a pool was drained or the configuration changed; sent
    /// again it is refused.
    TurnedAway,
    /// A newer daemon says something that this version does not know.
    #[serde(other)]
    Unknown,
}

impl std::fmt::Display for RequestStatus {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Waiting => "waiting",
            Self::Granted => "granted",
            Self::Ended => "ended",
            Self::Cancelled => "cancelled",
            Self::TimedOut => "timed_out",
            Self::TurnedAway => "turned_away",
            Self::Unknown => "unknown",
        })
    }
}

/// All requests that the daemon remembers.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Requests {
    /// The requests, by id.
    pub requests: Vec<Request>,
    /// Where the next page begins, for `after`, if not all were asked for and there is more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}
