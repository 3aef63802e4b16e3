//! The error of every driver.

use std::{borrow::Cow, error::Error, time::Duration};

use vmpool_model::{Certainty, Failure, FailureKind};

use crate::Operation;

/// Says what was tried, on what, why it failed, whether it may have happened, and when to try again.
///
/// An error that is made with [`new`](Self::new) is of unknown effect if the operation changes
/// something and its kind leaves that open (a time-out, an unreachable provider, an answer that cannot
/// be understood, anything else); a refusal is [`Certainty::NotApplied`].
///
/// ```
/// use vmpool_driver::{DriverError, Operation, model::{Certainty, FailureKind}};
/// let err = DriverError::new(Operation::Create, FailureKind::Timeout).with_context("vm small-7f3k: no answer in 60 s");
/// assert_eq!(err.certainty(), Certainty::Unknown);
/// assert_eq!(err.to_string(), "create failed: timeout: vm small-7f3k: no answer in 60 s (it may have happened)");
/// ```
#[derive(Debug)]
pub struct DriverError {
    operation: Operation,
    kind: FailureKind,
    certainty: Certainty,
    retry_after: Option<Duration>,
    context: Cow<'static, str>,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl DriverError {
    /// Makes an error of an operation and a kind.
    #[must_use]
    pub fn new(operation: Operation, kind: FailureKind) -> Self {
        let open = matches!(
            kind,
            FailureKind::Timeout | FailureKind::Unavailable | FailureKind::Protocol | FailureKind::Other
        );
        let certainty = match open && !operation.is_read() {
            true => Certainty::Unknown,
            false => Certainty::NotApplied,
        };
        Self { operation, kind, certainty, retry_after: None, context: Cow::Borrowed(""), source: None }
    }

    /// Makes the error of an operation that the driver does not have.
    #[must_use]
    pub fn unsupported(operation: Operation) -> Self {
        Self::new(operation, FailureKind::Unsupported).with_context("this driver cannot do that")
    }

    /// Says on what the operation was tried, and what is known.
    #[must_use]
    pub fn with_context(self, context: impl Into<Cow<'static, str>>) -> Self {
        Self { context: context.into(), ..self }
    }

    /// Says whether the operation may have taken effect.
    #[must_use]
    pub fn with_certainty(self, certainty: Certainty) -> Self {
        Self { certainty, ..self }
    }

    /// Says how long the provider asks to wait.
    #[must_use]
    pub fn with_retry_after(self, retry_after: Option<Duration>) -> Self {
        Self { retry_after, ..self }
    }

    /// Keeps the error that caused this one.
    #[must_use]
    pub fn with_source(self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { source: Some(source.into()), ..self }
    }

    /// Returns what was tried.
    #[must_use]
    pub fn operation(&self) -> Operation {
        self.operation
    }

    /// Returns the kind of failure.
    #[must_use]
    pub fn kind(&self) -> FailureKind {
        self.kind
    }

    /// Returns whether the operation may have taken effect.
    #[must_use]
    pub fn certainty(&self) -> Certainty {
        self.certainty
    }

    /// Returns how long the provider asks to wait, if it said so.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    /// Returns on what the operation was tried, and what is known.
    #[must_use]
    pub fn context(&self) -> &str {
        &self.context
    }

    /// Returns whether the thing asked for does not exist.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        self.kind == FailureKind::NotFound
    }

    /// Returns whether the same request may be repeated as it is: the failure is temporary and the
    /// operation certainly did not happen, or changes nothing.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        self.kind.is_temporary() && self.certainty == Certainty::NotApplied
    }
}

impl std::fmt::Display for DriverError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} failed: {}", self.operation, self.kind)?;
        if !self.context.is_empty() {
            write!(f, ": {}", self.context)?;
        }
        match self.certainty {
            Certainty::Unknown => write!(f, " ({})", self.certainty),
            Certainty::NotApplied => Ok(()),
        }
    }
}

impl Error for DriverError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

impl From<&DriverError> for Failure {
    fn from(err: &DriverError) -> Self {
        let mut message = match err.context.is_empty() {
            true => err.operation.to_string(),
            false => format!("{}: {}", err.operation, err.context),
        };
        let mut source = err.source();
        while let Some(cause) = source {
            message.push_str(": ");
            message.push_str(&cause.to_string());
            source = cause.source();
        }
        let failure = match err.certainty {
            Certainty::NotApplied => Self::not_applied(err.kind, message),
            Certainty::Unknown => Self::unknown(err.kind, message),
        };
        Self { retry_after: err.retry_after, ..failure }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_at_most_128_bytes() {
        assert!(size_of::<DriverError>() <= 128, "{}", size_of::<DriverError>());
    }

    #[test]
    fn a_read_that_timed_out_did_not_change_anything() {
        let err = DriverError::new(Operation::List, FailureKind::Timeout);
        assert!(err.is_retryable());
    }

    #[test]
    fn a_create_that_timed_out_is_not_simply_repeated() {
        let err = DriverError::new(Operation::Create, FailureKind::Timeout);
        assert!(!err.is_retryable());
    }

    #[test]
    fn the_failure_of_an_error_tells_the_whole_chain() {
        let err = DriverError::new(Operation::Get, FailureKind::Protocol)
            .with_context("node 7")
            .with_source(std::io::Error::other("line 3"));
        assert_eq!(Failure::from(&err).message, "get: node 7: line 3");
    }
}
