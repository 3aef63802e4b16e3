//! What a client sends: acquiring, renewing, terminating.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::duration;

/// Asks for a VM.
///
/// The same request id again is the same request, and yields the same lease: a client that lost the connection, or
/// that was answered that the request still waits, sends it again.
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
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct AcquireRequest {
    /// The client's own id of the request.
    pub request: String,
    /// The pool.
    pub pool: String,
    /// Who will hold the lease.
    pub owner: String,
    /// The sandbox of the use: a used VM is given again only to the same owner and sandbox.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sandbox: Option<String>,
    /// What the lease is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<String>,
    /// How long the lease lasts without renewal; the pool's `lease_ttl` if absent.
    #[serde(default, with = "duration::option", skip_serializing_if = "Option::is_none")]
    pub ttl: Option<Duration>,
    /// How long to wait for a VM, counted from when the daemon gets this; if absent, the request fails at once if no VM
    /// is ready. A repetition can make the request wait longer and never shorter, so it says what is left of the time.
    #[serde(default, with = "duration::option", skip_serializing_if = "Option::is_none")]
    pub wait: Option<Duration>,
}

impl AcquireRequest {
    /// Makes a request that fails at once if no VM is ready.
    #[must_use]
    pub fn new(request: impl Into<String>, pool: impl Into<String>, owner: impl Into<String>) -> Self {
        Self {
            request: request.into(),
            pool: pool.into(),
            owner: owner.into(),
            sandbox: None,
            task: None,
            ttl: None,
            wait: None,
        }
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
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct RenewRequest {
    /// A new time to live; the lease's own if absent.
    #[serde(default, with = "duration::option", skip_serializing_if = "Option::is_none")]
    pub ttl: Option<Duration>,
}

impl RenewRequest {
    /// Makes a renewal, with a new time to live or the lease's own.
    #[must_use]
    pub fn new(ttl: Option<Duration>) -> Self {
        Self { ttl }
    }
}

/// Destroys a VM, leased or not; the body may be `{}`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct TerminateRequest {
    /// Why, for people; it is kept in the VM's record and in the event log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl TerminateRequest {
    /// Makes a request to destroy a VM, with or without a reason.
    #[must_use]
    pub fn new(reason: Option<String>) -> Self {
        Self { reason }
    }
}
