//! What a status means.

use std::time::Duration;

use vmpool_driver::{DriverError, Operation};
use vmpool_model::{Certainty, FailureKind, Timestamp};

use crate::retry_after;

/// What a status means to whoever sent the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Classified {
    /// The kind of failure.
    pub kind: FailureKind,
    /// Whether what was asked for may have happened.
    pub certainty: Certainty,
    /// How long the server asks to wait, if it said so.
    pub retry_after: Option<Duration>,
}

impl Classified {
    /// Makes the error of an operation; one that changes nothing certainly did not happen.
    #[must_use]
    pub fn into_error(self, operation: Operation) -> DriverError {
        let certainty = if operation.is_read() { Certainty::NotApplied } else { self.certainty };
        DriverError::new(operation, self.kind).with_certainty(certainty).with_retry_after(self.retry_after)
    }
}

/// Returns what a status means, or nothing if it is one of success.
///
/// A status that says that the server refused (400 to 499) means that nothing happened; one that says that it, or a gateway in
/// front of it, came to grief (500 to 599) leaves that open, unless it is a 503 that says when to come back.
/// `date` is the time by the server's clock, for a `Retry-After` that is a date.
/// A cloud whose error bodies say more than its statuses looks at them first.
#[must_use]
pub fn classify(status: u16, retry_after_value: Option<&str>, date: Option<Timestamp>) -> Option<Classified> {
    use Certainty::{NotApplied, Unknown};
    let retry_after = retry_after_value.and_then(|value| retry_after(value, date));
    let (kind, certainty) = match status {
        200..=299 => return None,
        401 | 407 => (FailureKind::Authentication, NotApplied),
        402 | 403 => (FailureKind::Permission, NotApplied),
        404 | 410 => (FailureKind::NotFound, NotApplied),
        // The server waited in vain for the rest of the request.
        408 => (FailureKind::Timeout, NotApplied),
        409 | 412 | 423 => (FailureKind::InvalidState, NotApplied),
        420 | 429 => (FailureKind::RateLimited, NotApplied),
        400..=499 => (FailureKind::InvalidRequest, NotApplied),
        501 => (FailureKind::Unsupported, NotApplied),
        502 => (FailureKind::Unavailable, Unknown),
        // Who says when to come back has refused on purpose; any other 503 may come from a gateway half-way through.
        503 if retry_after_value.is_some() => (FailureKind::Unavailable, NotApplied),
        503 => (FailureKind::Unavailable, Unknown),
        504 => (FailureKind::Timeout, Unknown),
        507 => (FailureKind::Capacity, Unknown),
        500..=599 => (FailureKind::Other, Unknown),
        // Informational answers, redirects that nobody asked for, numbers that are no statuses.
        _ => (FailureKind::Protocol, Unknown),
    };
    Some(Classified { kind, certainty, retry_after })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(status: u16) -> FailureKind {
        classify(status, None, None).unwrap().kind
    }

    #[test]
    fn success_is_no_failure() {
        for status in [200, 201, 202, 204, 206, 299] {
            assert_eq!(classify(status, None, None), None, "{status}");
        }
    }

    #[test]
    fn each_status_has_its_kind() {
        for (status, expected) in [
            (302, FailureKind::Protocol),
            (400, FailureKind::InvalidRequest),
            (401, FailureKind::Authentication),
            (403, FailureKind::Permission),
            (404, FailureKind::NotFound),
            (405, FailureKind::InvalidRequest),
            (409, FailureKind::InvalidState),
            (410, FailureKind::NotFound),
            (412, FailureKind::InvalidState),
            (413, FailureKind::InvalidRequest),
            (420, FailureKind::RateLimited),
            (429, FailureKind::RateLimited),
            (500, FailureKind::Other),
            (501, FailureKind::Unsupported),
            (502, FailureKind::Unavailable),
            (503, FailureKind::Unavailable),
            (504, FailureKind::Timeout),
            (599, FailureKind::Other),
            (999, FailureKind::Protocol),
        ] {
            assert_eq!(kind(status), expected, "{status}");
        }
    }

    #[test]
    fn a_refusal_is_certain_and_a_broken_server_is_not() {
        for status in 400..500 {
            assert_eq!(classify(status, None, None).unwrap().certainty, Certainty::NotApplied, "{status}");
        }
        for status in [500, 502, 503, 504] {
            assert_eq!(classify(status, None, None).unwrap().certainty, Certainty::Unknown, "{status}");
        }
    }

    #[test]
    fn a_server_in_maintenance_that_says_when_to_come_back_has_done_nothing() {
        let told = classify(503, Some("30"), None).unwrap();
        assert_eq!(
            (told.certainty, told.retry_after),
            (Certainty::NotApplied, Some(Duration::from_secs(30)))
        );
    }

    #[test]
    fn a_read_that_failed_changed_nothing() {
        let failed = classify(500, None, None).unwrap();
        assert_eq!(failed.into_error(Operation::List).certainty(), Certainty::NotApplied);
        assert_eq!(failed.into_error(Operation::Create).certainty(), Certainty::Unknown);
    }
}
