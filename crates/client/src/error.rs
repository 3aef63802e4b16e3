//! The error of every call of the client.

use std::{error::Error, time::Duration};

use vmpool_api::{Problem, code, duration, exit, version::VersionMismatch};

/// Says what went wrong between the client and the daemon, whether the call may have had its effect, and what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// The address of the daemon is not usable.
    #[error("{url:?} is not the address of a daemon: {reason}")]
    InvalidUrl {
        /// The address as it was given.
        url: String,
        /// Why it is not usable.
        reason: String,
    },
    /// The token cannot be sent.
    #[error("the token cannot be sent: it holds what no token holds")]
    InvalidToken,
    /// A certificate or key for TLS cannot be read or used.
    #[error("{0}")]
    Tls(#[source] Box<dyn Error + Send + Sync>),
    /// There is no connection with TLS on which both sides know each other; the call certainly had no effect.
    #[error("there is no safe connection to {url}: {}; {hint}", innermost(.source.as_ref()))]
    Unsafe {
        /// The daemon's address.
        url: String,
        /// What can be done.
        hint: &'static str,
        /// Why.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// Nothing listens at the address; the call certainly had no effect.
    #[error("no daemon answers at {url}; if it should run here, start it with `vmpool serve`: {}", innermost(.source.as_ref()))]
    Unreachable {
        /// The daemon's address.
        url: String,
        /// Why the connection failed.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// The connection broke before there was a whole answer.
    #[error("the connection to {url} broke before there was an answer{}: {}", may(*.may_have_happened), innermost(.source.as_ref()))]
    Broken {
        /// The daemon's address.
        url: String,
        /// Whether the call may have had its effect.
        may_have_happened: bool,
        /// Why the connection broke.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// No answer came in time.
    #[error("no answer from {url} within {}{}: look whether the daemon is overloaded or hangs", duration::format(*.after), may(*.may_have_happened))]
    Timeout {
        /// The daemon's address.
        url: String,
        /// How long the client waited.
        after: Duration,
        /// Whether the call may have had its effect.
        may_have_happened: bool,
    },
    /// The peer speaks another version of the API, or is no daemon.
    #[error("cannot speak to {url} (it answered with status {status}): {mismatch}")]
    Version {
        /// The daemon's address.
        url: String,
        /// The HTTP status of the answer.
        status: u16,
        /// What does not fit.
        #[source]
        mismatch: VersionMismatch,
    },
    /// The daemon answered that it could not or would not.
    #[error(transparent)]
    Problem(Box<Problem>),
    /// The daemon's answer cannot be understood.
    #[error("the answer of {url} to {call} cannot be understood{}: {reason}", may(*.may_have_happened))]
    Protocol {
        /// The daemon's address.
        url: String,
        /// Method and path of the call.
        call: String,
        /// What is wrong with the answer.
        reason: String,
        /// Whether the call may have had its effect.
        may_have_happened: bool,
    },
}

impl ClientError {
    /// Returns what a command line exits with; see [`exit`].
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::InvalidUrl { .. } | Self::InvalidToken | Self::Tls(_) => exit::USAGE,
            Self::Unsafe { .. } | Self::Unreachable { .. } | Self::Broken { .. } | Self::Timeout { .. } => {
                exit::UNREACHABLE
            }
            Self::Version { .. } => exit::VERSION,
            Self::Problem(problem) => problem.exit_code(),
            Self::Protocol { .. } => exit::DAEMON,
        }
    }

    /// Returns whether the call may have had its effect although it failed.
    #[must_use]
    pub fn may_have_happened(&self) -> bool {
        match self {
            Self::InvalidUrl { .. }
            | Self::InvalidToken
            | Self::Tls(_)
            | Self::Unsafe { .. }
            | Self::Unreachable { .. }
            | Self::Version { .. } => false,
            Self::Broken { may_have_happened, .. }
            | Self::Timeout { may_have_happened, .. }
            | Self::Protocol { may_have_happened, .. } => *may_have_happened,
            Self::Problem(problem) => problem.may_have_happened,
        }
    }

    /// Returns whether the daemon may answer if it is asked again: it is away, restarts, or was too slow.
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Broken { .. } | Self::Timeout { .. } => true,
            Self::Problem(problem) => problem.is(code::SHUTTING_DOWN),
            Self::InvalidUrl { .. }
            | Self::InvalidToken
            | Self::Tls(_)
            | Self::Unsafe { .. }
            | Self::Version { .. }
            | Self::Protocol { .. } => false,
        }
    }

    /// Returns the daemon's own words, if it answered.
    #[must_use]
    pub fn problem(&self) -> Option<&Problem> {
        match self {
            Self::Problem(problem) => Some(problem),
            _ => None,
        }
    }
}

fn may(have_happened: bool) -> &'static str {
    if have_happened { " (it may have happened)" } else { "" }
}

/// Returns the last cause, which says most: "connection refused" rather than "error sending request".
fn innermost(source: &(dyn Error + Send + Sync + 'static)) -> String {
    let mut cause: &dyn Error = source;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause.to_string()
}
