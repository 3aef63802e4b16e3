//! What went wrong at a provider, reduced to what decisions need.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The kind of a failure; each kind says what the caller should do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FailureKind {
    /// The thing does not exist (any more); stop asking for it.
    NotFound,
    /// Something of that name or token exists already; look it up.
    AlreadyExists,
    /// The thing is in a state that forbids the operation; look again, then decide.
    InvalidState,
    /// The request can never work as it is; change the configuration or the code.
    InvalidRequest,
    /// The credentials were refused; nothing is known about any node.
    Authentication,
    /// The account may not do this; ask its administrator for the right.
    Permission,
    /// A quota of the account is used up; try again when something was destroyed.
    Quota,
    /// The cloud has no room for the node at present; try again later or elsewhere.
    Capacity,
    /// The provider asks for fewer requests; wait as long as it says.
    RateLimited,
    /// No answer came in time.
    Timeout,
    /// The provider could not be reached, or broke off.
    Unavailable,
    /// The provider answered something that cannot be understood.
    Protocol,
    /// The driver or its cloud cannot do this at all.
    Unsupported,
    /// Anything else; the message says what is known.
    Other,
}

impl FailureKind {
    /// Returns whether the same request may work later without any change.
    #[must_use]
    pub fn is_temporary(self) -> bool {
        matches!(self, Self::Quota | Self::Capacity | Self::RateLimited | Self::Timeout | Self::Unavailable)
    }

    /// Returns the kind as text, such as `not_found`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotFound => "not_found",
            Self::AlreadyExists => "already_exists",
            Self::InvalidState => "invalid_state",
            Self::InvalidRequest => "invalid_request",
            Self::Authentication => "authentication",
            Self::Permission => "permission",
            Self::Quota => "quota",
            Self::Capacity => "capacity",
            Self::RateLimited => "rate_limited",
            Self::Timeout => "timeout",
            Self::Unavailable => "unavailable",
            Self::Protocol => "protocol",
            Self::Unsupported => "unsupported",
            Self::Other => "other",
        }
    }
}

impl std::fmt::Display for FailureKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

/// Says whether a failed operation may have taken effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Certainty {
    /// The operation certainly did not take effect; repeating it is safe.
    NotApplied,
    /// The operation may have taken effect; look before repeating it.
    Unknown,
}

impl std::fmt::Display for Certainty {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::NotApplied => "it did not happen",
            Self::Unknown => "it may have happened",
        })
    }
}

/// A failed operation as decisions see it: no types of any driver, and no secrets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{kind}: {message} ({certainty})")]
pub struct Failure {
    /// What kind of failure it is.
    pub kind: FailureKind,
    /// Whether the operation may have taken effect.
    pub certainty: Certainty,
    /// How long the provider asks to wait before the next request, if it said so.
    pub retry_after: Option<Duration>,
    /// What is known, for people.
    pub message: String,
}

impl Failure {
    /// Makes a failure that certainly had no effect.
    #[must_use]
    pub fn not_applied(kind: FailureKind, message: impl Into<String>) -> Self {
        Self { kind, certainty: Certainty::NotApplied, retry_after: None, message: message.into() }
    }

    /// Makes a failure that may have had its effect.
    #[must_use]
    pub fn unknown(kind: FailureKind, message: impl Into<String>) -> Self {
        Self { kind, certainty: Certainty::Unknown, retry_after: None, message: message.into() }
    }
}
