//! Why a call of CloudAPI failed.

use std::{fmt, time::Duration};

use serde::Deserialize;
use vmpool_driver::{DriverError, Operation};
use vmpool_http::{Answer, HttpError, excerpt};
use vmpool_model::{Certainty, FailureKind, Timestamp, format_duration};

use crate::sign::KeyError;

/// How far apart the clocks of client and server may be: CloudAPI refuses signatures beyond that.
const SKEW: Duration = Duration::from_secs(300);

/// Says which call failed, why, whether it may have happened, and when to try again.
///
/// What it shows is what the server said, never a header, a key or the body of a request.
#[derive(Debug)]
pub struct CloudApiError {
    /// The call, such as `POST /my/machines`.
    pub call: String,
    /// What to do about it.
    pub kind: FailureKind,
    /// Whether the call may have had its effect.
    pub certainty: Certainty,
    /// How long the server asks to wait, if it said so.
    pub retry_after: Option<Duration>,
    /// The status, if there was an answer.
    pub status: Option<u16>,
    /// The server's own code without `Error` at its end, such as `InvalidArgument`; empty if it sent none.
    pub code: String,
    /// What is known, for people.
    pub message: String,
    /// What is wrong with single parameters.
    pub fields: Vec<FieldError>,
}

/// What is wrong with one parameter.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct FieldError {
    /// The parameter, such as `alias`.
    pub field: String,
    /// What is wrong, such as `Duplicate`.
    pub code: String,
    /// What is wrong, for people.
    pub message: String,
}

/// The body of an answer that says what went wrong; every part may be missing.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Body {
    code: Option<String>,
    message: Option<String>,
    errors: Option<Vec<FieldError>>,
}

impl CloudApiError {
    /// Makes an error of an answer whose status is not one of success; `sent` is the date that was signed.
    pub(super) fn refused(call: String, answer: &Answer, sent: Timestamp) -> Self {
        let body: Body = serde_json::from_slice(&answer.body).unwrap_or_default();
        let code = body.code.unwrap_or_default();
        let code = code.strip_suffix("Error").unwrap_or(&code).to_owned();
        let fields = body.errors.unwrap_or_default();
        let text = match body.message.filter(|message| !message.is_empty()) {
            Some(message) => excerpt(message.as_bytes()),
            None => excerpt(&answer.body),
        };
        let classified = answer.classify();
        let by_status = classified.map_or(FailureKind::Protocol, |it| it.kind);
        let kind = kind(answer.status, &code, &text, &fields).unwrap_or(by_status);
        let mut message = text;
        for field in &fields {
            message.push_str(&format!(
                "; {}: {} {}",
                field.field,
                field.code,
                excerpt(field.message.as_bytes())
            ));
        }
        if matches!(answer.status, 400 | 401)
            && let Some(skew) = answer.date().and_then(|date| skew(sent, date))
        {
            message.push_str(&skew);
        }
        Self {
            call,
            kind,
            certainty: classified.map_or(Certainty::Unknown, |it| it.certainty),
            retry_after: classified.and_then(|it| it.retry_after),
            status: Some(answer.status),
            code,
            message,
            fields,
        }
    }

    /// Makes an error of an answer that says no, for tests; `sent` is the date that was signed.
    #[doc(hidden)]
    #[must_use]
    pub fn of_answer(answer: &Answer, sent: Timestamp) -> Self {
        Self::refused("GET /ops/machines".to_owned(), answer, sent)
    }

    /// Makes an error of something that went wrong without a refusal of the server.
    pub(crate) fn new(call: String, kind: FailureKind, certainty: Certainty, message: String) -> Self {
        Self {
            call,
            kind,
            certainty,
            retry_after: None,
            status: None,
            code: String::new(),
            message,
            fields: Vec::new(),
        }
    }

    /// Makes an error of something that was not asked for because the machine was last seen deleted.
    pub(crate) fn gone(call: String) -> Self {
        let message = "the machine is deleted, so it was not asked for".to_owned();
        Self::new(call, FailureKind::NotFound, Certainty::NotApplied, message)
    }

    pub(super) fn transport(call: String, err: &HttpError) -> Self {
        Self::new(call, err.kind(), err.certainty(), err.reason())
    }

    pub(super) fn key(call: String, err: &KeyError) -> Self {
        Self::new(call, FailureKind::Authentication, Certainty::NotApplied, err.to_string())
    }

    /// Makes an error of an answer that cannot be understood; it shows where, and not what is there.
    pub(super) fn undecodable(call: String, status: u16, err: &serde_json::Error) -> Self {
        let place = format!("line {}, column {}", err.line(), err.column());
        let message = format!("the answer cannot be understood at {place} ({:?})", err.classify());
        let error = Self::new(call, FailureKind::Protocol, Certainty::Unknown, message);
        Self { status: Some(status), ..error }
    }

    /// Returns whether the thing asked for does not exist (any more).
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        self.kind == FailureKind::NotFound
    }

    /// Returns whether the thing asked for existed once and is gone for good (status 410).
    #[must_use]
    pub fn is_gone(&self) -> bool {
        self.status == Some(410)
    }

    /// Returns whether another machine of the account has the name.
    #[must_use]
    pub fn is_duplicate_name(&self) -> bool {
        is_duplicate(&self.fields)
    }

    /// Makes the error of a driver's operation; one that changes nothing certainly did not happen.
    #[must_use]
    pub fn into_driver_error(self, operation: Operation) -> DriverError {
        let certainty = if operation.is_read() { Certainty::NotApplied } else { self.certainty };
        DriverError::new(operation, self.kind)
            .with_certainty(certainty)
            .with_retry_after(self.retry_after)
            .with_context(self.to_string())
    }
}

impl fmt::Display for CloudApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.call)?;
        if let Some(status) = self.status {
            write!(f, "status {status}")?;
            if !self.code.is_empty() {
                write!(f, " {}", self.code)?;
            }
            if !self.message.is_empty() {
                f.write_str(": ")?;
            }
        }
        f.write_str(&self.message)
    }
}

impl std::error::Error for CloudApiError {}

/// Returns what a refusal means where the status alone does not tell.
fn kind(status: u16, code: &str, message: &str, fields: &[FieldError]) -> Option<FailureKind> {
    let says = |text: &str| message.to_ascii_lowercase().contains(text);
    match (status, code) {
        (400, "InvalidHeader" | "RequestExpired") => Some(FailureKind::Authentication),
        (400, "InvalidVersion") => Some(FailureKind::Unsupported),
        (403, "QuotaExceeded") => Some(FailureKind::Quota),
        (409, _) if is_duplicate(fields) => Some(FailureKind::AlreadyExists),
        (409, "InsufficientServers" | "InsufficientCapacity") => Some(FailureKind::Capacity),
        (409, "QuotaExceeded") => Some(FailureKind::Quota),
        (409, "BrandNotSupported") => Some(FailureKind::Unsupported),
        (409, "VolumesNotReachable") => Some(FailureKind::Unavailable),
        (409, "InvalidArgument" | "ValidationFailed") if says("insufficient capacity") => {
            Some(FailureKind::Capacity)
        }
        (409, "InvalidArgument") if says("not currently approved") => Some(FailureKind::Permission),
        (409, "InvalidArgument") if says("must be stopped") => Some(FailureKind::InvalidState),
        (409, "InvalidArgument") if says("already exists") => Some(FailureKind::AlreadyExists),
        (
            409,
            "InvalidArgument"
            | "MissingParameter"
            | "ValidationFailed"
            | "KeyRequired"
            | "InvalidFabricPackage",
        ) => Some(FailureKind::InvalidRequest),
        _ => None,
    }
}

fn is_duplicate(fields: &[FieldError]) -> bool {
    fields.iter().any(|field| field.field == "alias" && field.code == "Duplicate")
}

/// Says how far the clock here is off, if it is too far.
fn skew(here: Timestamp, there: Timestamp) -> Option<String> {
    let (ahead, behind) = (here.since(there), there.since(here));
    let (how, by) = if behind < ahead { ("ahead of", ahead) } else { ("behind", behind) };
    let by_seconds = Duration::from_secs(by.as_secs());
    (SKEW < by).then(|| {
        format!("; the clock here is {} {how} the server's: set it right", format_duration(by_seconds))
    })
}
