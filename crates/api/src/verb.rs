//! What a client sends to do something about a VM, a pool, a provider or the daemon.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::duration;

/// Says who wants what needs no more than its path; the body may be `{}`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct VerbRequest {
    /// Who wants it; it is kept in the event log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}

impl VerbRequest {
    /// Makes a request of somebody, or of nobody who said so.
    #[must_use]
    pub fn new(by: Option<String>) -> Self {
        Self { by }
    }
}

/// Destroys a VM, leased or not; the body may be `{}`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct TerminateRequest {
    /// Why, for people; it is kept in the VM's record and in the event log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The state that the VM must be in, such as `ready`; any if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub only_if: Option<String>,
    /// Who wants it; it is kept in the event log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}

impl TerminateRequest {
    /// Makes a request to destroy a VM, with or without a reason.
    #[must_use]
    pub fn new(reason: Option<String>) -> Self {
        Self { reason, only_if: None, by: None }
    }

    /// Says who wants it.
    #[must_use]
    pub fn with_by(self, by: Option<String>) -> Self {
        Self { by, ..self }
    }

    /// Destroys it only if it is in this state.
    #[must_use]
    pub fn with_only_if(self, only_if: Option<String>) -> Self {
        Self { only_if, ..self }
    }
}

/// Keeps a VM for debugging: at once, or when its lease ends; the body may be `{}`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct HoldRequest {
    /// Why, for people; without one, the reason of the hold there is stays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Who wants it kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// For how long; the VM is destroyed after that. A day if absent.
    #[serde(default, with = "duration::option", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    pub time: Option<Duration>,
}

impl HoldRequest {
    /// Makes a request to keep a VM for a day, with or without a reason.
    #[must_use]
    pub fn new(reason: Option<String>) -> Self {
        Self { reason, by: None, time: None }
    }

    /// Says who wants it kept.
    #[must_use]
    pub fn with_by(self, by: Option<String>) -> Self {
        Self { by, ..self }
    }

    /// Says for how long.
    #[must_use]
    pub fn with_time(self, time: Option<Duration>) -> Self {
        Self { time, ..self }
    }
}

/// Removes the record of a VM without proof that its node is gone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ForgetRequest {
    /// Why, for people; it is kept in the event log, and so it must be told.
    pub reason: String,
    /// Who wants it; it is kept in the event log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}

impl ForgetRequest {
    /// Makes a request to forget a VM.
    #[must_use]
    pub fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), by: None }
    }

    /// Says who wants it.
    #[must_use]
    pub fn with_by(self, by: Option<String>) -> Self {
        Self { by, ..self }
    }
}

/// Brings a pool to its end; the body may be `{}`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct DrainRequest {
    /// Why, for people; without one, a pool that is drained stays as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Who wants it; it is kept in the event log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}

impl DrainRequest {
    /// Makes a request to drain a pool, with or without a reason.
    #[must_use]
    pub fn new(reason: Option<String>) -> Self {
        Self { reason, by: None }
    }

    /// Says who wants it.
    #[must_use]
    pub fn with_by(self, by: Option<String>) -> Self {
        Self { by, ..self }
    }
}
