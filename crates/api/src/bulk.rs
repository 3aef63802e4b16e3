//! Renewing and releasing many leases with one request.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{Lease, Problem, duration};

/// One of many leases that are renewed or released.
///
/// # Examples
///
/// ```
/// use vmpool_api::LeaseRef;
///
/// let json = serde_json::to_string(&LeaseRef::new("1-2").with_fence(Some(7)))?;
/// assert_eq!(json, r#"{"id":"1-2","fence":7}"#);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct LeaseRef {
    /// The lease.
    pub id: String,
    /// The lease's fence, if the holder tells it: another one is refused, because the VM is somebody else's then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fence: Option<u64>,
}

impl LeaseRef {
    /// Names a lease.
    #[must_use]
    pub fn new(id: impl Into<String>) -> Self {
        Self { id: id.into(), fence: None }
    }

    /// Means only the lease with this fence.
    #[must_use]
    pub fn with_fence(self, fence: Option<u64>) -> Self {
        Self { fence, ..self }
    }
}

impl From<&Lease> for LeaseRef {
    /// Means this lease and no other one, whatever its VM is leased for by then.
    fn from(lease: &Lease) -> Self {
        Self::new(&lease.id).with_fence(Some(lease.fence))
    }
}

/// Renews leases, at most [`MAX_LEASES`](crate::routes::MAX_LEASES) of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct RenewalsRequest {
    /// The leases.
    pub leases: Vec<LeaseRef>,
    /// A new time to live for all of them; that of each lease if absent.
    #[serde(default, with = "duration::option", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    pub ttl: Option<Duration>,
}

impl RenewalsRequest {
    /// Makes a renewal of leases, with a new time to live or with their own ones.
    #[must_use]
    pub fn new(leases: Vec<LeaseRef>, ttl: Option<Duration>) -> Self {
        Self { leases, ttl }
    }
}

/// Releases leases, at most [`MAX_LEASES`](crate::routes::MAX_LEASES) of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ReleasesRequest {
    /// The leases.
    pub leases: Vec<LeaseRef>,
    /// Who wants it, if that is to be told in the event log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}

impl ReleasesRequest {
    /// Makes a release of leases.
    #[must_use]
    pub fn new(leases: Vec<LeaseRef>, by: Option<String>) -> Self {
        Self { leases, by }
    }
}

/// What became of each lease that was to be renewed, in the order of the request.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Renewals {
    /// One for each lease.
    pub renewals: Vec<Renewal>,
}

/// What became of one lease that was to be renewed: a renewed lease, or a problem.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Renewal {
    /// The lease, as it was named.
    pub id: String,
    /// The renewed lease.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease: Option<Lease>,
    /// Why it was not renewed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<Problem>,
}

/// What became of each lease that was to be released, in the order of the request.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Releases {
    /// One for each lease.
    pub releases: Vec<Release>,
}

/// What became of one lease that was to be released: nothing more to say, or a problem.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Release {
    /// The lease, as it was named.
    pub id: String,
    /// Why it was not released.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<Problem>,
}
