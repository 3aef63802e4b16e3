//! What a client sends to get a VM and to keep it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::duration;

/// Asks for a VM, or for several at once.
///
/// The pools are named by `pool`, by `pools` or by `labels` alone; `pool` and `pools` do not go together.
/// The same request id again is the same request, and yields the same lease: a client that lost the connection, or
/// that was answered that the request still waits, sends it again.
/// Of several leases it yields those that last, and [tells](crate::AcquireAnswer::Granted) which ended; once all have, it is
/// refused with `request_ended`. It is refused as well, for 10 minutes, once it was cancelled, timed out or was turned away.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use vmpool_api::AcquireRequest;
///
/// let request = AcquireRequest::new("build-17", "small", "ada").with_wait(Duration::from_secs(90));
/// let json = serde_json::to_string(&request)?;
/// assert_eq!(json, r#"{"request":"build-17","pool":"small","owner":"ada","wait":"1m30s"}"#);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct AcquireRequest {
    /// The client's own id of the request.
    pub request: String,
    /// The one pool that it may be served from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pool: Option<String>,
    /// Several pools that it may be served from, the one liked best first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pools: Vec<String>,
    /// What the VMs' pool must be good for: only pools that have all of these labels serve the request.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<String>,
    /// How many VMs, all at once or none; 1 if absent.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub count: u32,
    /// Who is served first: the higher number; 0 if absent. Waiting makes up for priority.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub priority: i32,
    /// Who will hold the lease; whom the daemon takes the client for if this is absent.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub owner: String,
    /// The sandbox of the use: a used VM is given again only to the same owner and sandbox.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sandbox: Option<String>,
    /// What the lease is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<String>,
    /// How long the lease lasts without renewal; the pool's `lease_ttl` if absent.
    #[serde(default, with = "duration::option", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    pub ttl: Option<Duration>,
    /// How long to wait for a VM, counted from when the daemon gets this; if absent, the request fails at once if no VM
    /// is ready. A repetition can make the request wait longer and never shorter, so it says what is left of the time.
    #[serde(default, with = "duration::option", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    pub wait: Option<Duration>,
}

impl AcquireRequest {
    /// Makes a request that fails at once if no VM is ready.
    #[must_use]
    pub fn new(request: impl Into<String>, pool: impl Into<String>, owner: impl Into<String>) -> Self {
        Self {
            request: request.into(),
            pool: Some(pool.into()),
            pools: Vec::new(),
            labels: Vec::new(),
            count: 1,
            priority: 0,
            owner: owner.into(),
            sandbox: None,
            task: None,
            ttl: None,
            wait: None,
        }
    }

    /// Takes VMs of any of several pools, the one liked best first; if there are none, of any pool with the right labels.
    #[must_use]
    pub fn with_pools(mut self, mut pools: Vec<String>) -> Self {
        // An earlier daemon knows one pool.
        self.pool = if pools.len() == 1 { pools.pop() } else { None };
        Self { pools, ..self }
    }

    /// Takes VMs only of pools that have all of these labels.
    #[must_use]
    pub fn with_labels(self, labels: Vec<String>) -> Self {
        Self { labels, ..self }
    }

    /// Wants several VMs, all at once or none.
    #[must_use]
    pub fn with_count(self, count: u32) -> Self {
        Self { count, ..self }
    }

    /// Is served before requests with a lower number.
    #[must_use]
    pub fn with_priority(self, priority: i32) -> Self {
        Self { priority, ..self }
    }

    /// Returns all pools that it names, the one liked best first.
    pub fn pools(&self) -> impl Iterator<Item = &str> {
        self.pool.iter().chain(&self.pools).map(String::as_str)
    }

    /// Uses the VM in a sandbox.
    #[must_use]
    pub fn with_sandbox(self, sandbox: Option<String>) -> Self {
        Self { sandbox, ..self }
    }

    /// Says what the lease is for.
    #[must_use]
    pub fn with_task(self, task: Option<String>) -> Self {
        Self { task, ..self }
    }

    /// Sets how long the lease lasts without renewal; the pool's own time if `None`.
    #[must_use]
    pub fn with_ttl(self, ttl: Option<Duration>) -> Self {
        Self { ttl, ..self }
    }

    /// Waits for a VM, at most this long.
    #[must_use]
    pub fn with_wait(self, wait: Duration) -> Self {
        Self { wait: Some(wait), ..self }
    }
}

/// Renews a lease; the body may be `{}`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct RenewRequest {
    /// A new time to live; the lease's own if absent.
    #[serde(default, with = "duration::option", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    pub ttl: Option<Duration>,
    /// The lease's fence, if the holder tells it: another one is refused, because the VM is somebody else's then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fence: Option<u64>,
}

impl RenewRequest {
    /// Makes a renewal, with a new time to live or the lease's own.
    #[must_use]
    pub fn new(ttl: Option<Duration>) -> Self {
        Self { ttl, fence: None }
    }

    /// Renews only the lease with this fence.
    #[must_use]
    pub fn with_fence(self, fence: Option<u64>) -> Self {
        Self { fence, ..self }
    }
}

const fn one() -> u32 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_one(count: &u32) -> bool {
    *count == 1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_zero(priority: &i32) -> bool {
    *priority == 0
}
