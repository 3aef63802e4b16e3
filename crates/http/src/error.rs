//! Why there is no answer.

use std::{error::Error, fmt, time::Duration};

use vmpool_driver::{DriverError, Operation};
use vmpool_model::{Certainty, FailureKind, format_duration};

/// Says that a text is no address; a password in it is not shown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{url:?} is not an address: {reason}")]
pub struct InvalidUrl {
    pub(crate) url: String,
    pub(crate) reason: String,
}

/// Says why a client could not be made, or why a request has no answer.
#[derive(Debug)]
#[non_exhaustive]
pub enum HttpError {
    /// The client cannot be made of its configuration.
    Config {
        /// What is wrong with it.
        reason: String,
    },
    /// The request cannot be sent as it is; it was not sent.
    Request {
        /// The request.
        request: String,
        /// What is wrong with it.
        reason: String,
    },
    /// There is no connection to the server; the request was not sent.
    Connect {
        /// The request.
        request: String,
        /// What the system or the TLS library says.
        source: Box<dyn Error + Send + Sync>,
    },
    /// The whole answer did not come in time.
    Timeout {
        /// The request.
        request: String,
        /// How long it was waited for.
        after: Duration,
    },
    /// The connection broke before the whole answer came.
    Broken {
        /// The request.
        request: String,
        /// What the system or the HTTP library says.
        source: Box<dyn Error + Send + Sync>,
    },
    /// The body of the answer is larger than the limit.
    TooLarge {
        /// The request.
        request: String,
        /// The limit in bytes.
        limit: usize,
    },
}

impl HttpError {
    /// Returns the kind of failure.
    #[must_use]
    pub fn kind(&self) -> FailureKind {
        match self {
            Self::Config { .. } | Self::Request { .. } => FailureKind::InvalidRequest,
            Self::Connect { .. } | Self::Broken { .. } => FailureKind::Unavailable,
            Self::Timeout { .. } => FailureKind::Timeout,
            Self::TooLarge { .. } => FailureKind::Protocol,
        }
    }

    /// Returns whether the server may have got the request.
    #[must_use]
    pub fn certainty(&self) -> Certainty {
        match self {
            Self::Config { .. } | Self::Request { .. } | Self::Connect { .. } => Certainty::NotApplied,
            Self::Timeout { .. } | Self::Broken { .. } | Self::TooLarge { .. } => Certainty::Unknown,
        }
    }

    /// Makes the error of an operation; one that changes nothing certainly did not happen.
    #[must_use]
    pub fn into_error(self, operation: Operation) -> DriverError {
        let certainty = if operation.is_read() { Certainty::NotApplied } else { self.certainty() };
        DriverError::new(operation, self.kind()).with_certainty(certainty).with_context(self.to_string())
    }
}

impl HttpError {
    /// Returns what went wrong, without the request.
    #[must_use]
    pub fn reason(&self) -> String {
        match self {
            Self::Config { reason } => reason.clone(),
            Self::Request { reason, .. } => format!("it cannot be sent: {reason}"),
            Self::Connect { source, .. } => {
                let reason = chain(source.as_ref());
                match reason.to_ascii_lowercase().contains("certificate") {
                    true => format!("no connection: {reason}; {SELF_SIGNED}"),
                    false => format!("no connection: {reason}"),
                }
            }
            Self::Timeout { after, .. } => format!("no whole answer within {}", format_duration(*after)),
            Self::Broken { source, .. } => format!("the connection broke: {}", chain(source.as_ref())),
            Self::TooLarge { limit, .. } => format!("the answer is larger than {limit} bytes"),
        }
    }
}

/// What to do about a certificate that is not trusted.
const SELF_SIGNED: &str =
    "if the server has a certificate of its own making, trust its authority or allow insecure connections";

impl fmt::Display for HttpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Config { .. } => write!(f, "no HTTP client can be made: {}", self.reason()),
            Self::Request { request, .. }
            | Self::Connect { request, .. }
            | Self::Timeout { request, .. }
            | Self::Broken { request, .. }
            | Self::TooLarge { request, .. } => write!(f, "{request}: {}", self.reason()),
        }
    }
}

impl Error for HttpError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Connect { source, .. } | Self::Broken { source, .. } => Some(source.as_ref()),
            _ => None,
        }
    }
}

/// Returns the innermost reasons of an error; the outer ones only repeat what was tried.
fn chain(err: &(dyn Error + 'static)) -> String {
    let mut reasons = vec![err.to_string()];
    let mut next = err.source();
    while let Some(cause) = next {
        reasons.push(cause.to_string());
        next = cause.source();
    }
    let last = reasons.len().saturating_sub(2);
    reasons.split_off(last).join(": ")
}
