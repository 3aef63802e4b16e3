//! Why a call did not come to a success.

use std::time::Duration;

use vmpool_driver::{DriverError, Operation};
use vmpool_model::{Certainty, FailureKind};

use super::RefusalKind;
use crate::{
    document::Refusal,
    rpc::{CodecError, Fault, ForbiddenCharacter, Problem},
};

/// Says which call did not come to a success, where, and why.
#[derive(Debug, thiserror::Error)]
#[error("{method} at {endpoint}: {failure}")]
pub struct CallError {
    /// The method.
    pub method: String,
    /// The address of the server.
    pub endpoint: String,
    /// Why.
    #[source]
    pub failure: Box<CallFailure>,
}

/// Why a call did not come to a success.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CallFailure {
    /// The server refused.
    #[error("{refusal} (code {})", refusal.code)]
    Refused {
        /// What that means.
        kind: RefusalKind,
        /// What the server said.
        refusal: Refusal,
    },
    /// The call did not reach the method, or the method broke down.
    #[error("{0}")]
    Fault(Fault),
    /// The answer cannot be understood.
    #[error("the answer cannot be understood: {0}")]
    Unreadable(CodecError),
    /// HTTP says that something went wrong: most often a proxy, or a wrong path.
    #[error("HTTP status {status}{}", hint(*status))]
    Status {
        /// The status.
        status: u16,
    },
    /// The parameters have a character that the server does not take; the call was not sent.
    #[error("the call was not sent: {0}")]
    Forbidden(ForbiddenCharacter),
    /// No answer came in time.
    #[error("no answer within {} s ({})", after.as_secs_f64(), if *sent { "the call was sent" } else { "the call was not sent" })]
    Timeout {
        /// How long was waited.
        after: Duration,
        /// Whether the server may have got the call.
        sent: bool,
    },
    /// The server could not be reached; the call was not sent.
    #[error("the server cannot be reached: {0}")]
    Unreachable(#[source] std::io::Error),
    /// The server could be reached, and no connection with TLS could be made; the call was not sent.
    #[error("there is no safe connection: {source}{}{hint}", if hint.is_empty() { "" } else { "; " })]
    Tls {
        /// Why.
        source: std::io::Error,
        /// What can be done about it.
        hint: &'static str,
    },
    /// The connection was lost after the call was sent.
    #[error("the connection was lost: {0}")]
    BrokenOff(String),
}

fn hint(status: u16) -> &'static str {
    match status {
        300..=399 => ": the endpoint leads elsewhere; give the address that it leads to",
        400 => ": the server, or a proxy, takes no such request; it may want https:// instead of http://",
        401 | 403 => ": a proxy refuses it",
        404 => ": there is no XML-RPC at this path, which is most often /RPC2",
        405 => ": this path takes no calls; the path is most often /RPC2",
        413 => ": the call is too long for a proxy",
        502..=504 => ": a proxy does not reach the server",
        _ => "",
    }
}

impl CallError {
    pub(super) fn new(method: &str, endpoint: &str, failure: CallFailure) -> Self {
        Self { method: method.to_owned(), endpoint: endpoint.to_owned(), failure: Box::new(failure) }
    }

    /// Returns what the refusal of the server means, if it refused.
    #[must_use]
    pub fn refusal(&self) -> Option<RefusalKind> {
        match &*self.failure {
            CallFailure::Refused { kind, .. } => Some(*kind),
            _ => None,
        }
    }

    /// Returns whether the server broke down over its own answer, as it does over a VM with a character that it cannot send.
    #[must_use]
    pub fn is_breakdown(&self) -> bool {
        matches!(&*self.failure, CallFailure::Fault(fault) if fault.code == -500)
    }

    /// Returns whether the answer as a whole is longer than may be; another call may have to ask for less.
    #[must_use]
    pub fn is_too_large(&self) -> bool {
        match &*self.failure {
            CallFailure::Unreadable(err) => err.problem == Problem::TooLong(err.offset),
            _ => false,
        }
    }

    /// Returns whether the call was sent and no answer came in time.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        matches!(&*self.failure, CallFailure::Timeout { sent: true, .. })
    }

    /// Returns what kind of failure it is to a driver.
    #[must_use]
    pub fn kind(&self) -> FailureKind {
        match &*self.failure {
            CallFailure::Refused { kind, .. } => match kind {
                RefusalKind::Authentication => FailureKind::Authentication,
                RefusalKind::Permission | RefusalKind::Restricted => FailureKind::Permission,
                RefusalKind::Locked | RefusalKind::WrongState => FailureKind::InvalidState,
                RefusalKind::Quota => FailureKind::Quota,
                RefusalKind::NoSuchVm => FailureKind::NotFound,
                RefusalKind::NoSuchObject | RefusalKind::Invalid => FailureKind::InvalidRequest,
                RefusalKind::Capacity => FailureKind::Capacity,
                RefusalKind::NameTaken => FailureKind::AlreadyExists,
                RefusalKind::Unsupported => FailureKind::Unsupported,
                RefusalKind::NoLeader => FailureKind::Unavailable,
                RefusalKind::Other => FailureKind::Other,
            },
            CallFailure::Fault(fault) => match fault.code {
                -506 => FailureKind::Unsupported,
                -501 | -503 => FailureKind::InvalidRequest,
                _ => FailureKind::Protocol,
            },
            CallFailure::Unreadable(_) => FailureKind::Protocol,
            CallFailure::Status { status } => match status {
                401 | 403 => FailureKind::Permission,
                408 => FailureKind::Timeout,
                429 => FailureKind::RateLimited,
                500..=599 => FailureKind::Unavailable,
                _ => FailureKind::Protocol,
            },
            CallFailure::Forbidden(_) => FailureKind::InvalidRequest,
            CallFailure::Timeout { .. } => FailureKind::Timeout,
            CallFailure::Unreachable(_) | CallFailure::Tls { .. } | CallFailure::BrokenOff(_) => {
                FailureKind::Unavailable
            }
        }
    }

    /// Returns whether the call may have had its effect, if it is one that has any.
    #[must_use]
    pub fn certainty(&self) -> Certainty {
        let open = match &*self.failure {
            CallFailure::Refused { kind, .. } => matches!(kind, RefusalKind::NoLeader),
            // The method may have run before the server broke down over the answer.
            CallFailure::Fault(fault) => !matches!(fault.code, -506 | -503 | -501),
            // A web page comes from something that is no OpenNebula.
            CallFailure::Unreadable(err) => err.problem != Problem::WebPage,
            CallFailure::Status { status } => 500 <= *status || *status == 408,
            CallFailure::Timeout { sent, .. } => *sent,
            CallFailure::BrokenOff(_) => true,
            CallFailure::Forbidden(_) | CallFailure::Unreachable(_) | CallFailure::Tls { .. } => false,
        };
        if open { Certainty::Unknown } else { Certainty::NotApplied }
    }

    /// Makes the error of a driver of it, and says on what the operation was tried.
    #[must_use]
    pub fn into_driver_error(self, operation: Operation, context: impl Into<String>) -> DriverError {
        let certainty = if operation.is_read() { Certainty::NotApplied } else { self.certainty() };
        DriverError::new(operation, self.kind())
            .with_certainty(certainty)
            .with_context(context.into())
            .with_source(self)
    }
}
