//! What a rule returns when a driver breaks it.

use std::{error::Error, fmt};

use vmpool_driver::DriverError;
use vmpool_model::{InvalidName, InvalidToken};

/// What a rule returns: nothing if the driver keeps it.
pub type RuleResult<T = ()> = Result<T, RuleViolation>;

/// Says how a driver breaks a rule.
///
/// Its `Debug` is its `Display`, because that is what a failed test prints.
///
/// # Examples
///
/// ```
/// use vmpool_testkit::driver::RuleViolation;
///
/// let violation = RuleViolation::new("node 7 has lost its token");
/// assert_eq!(violation.to_string(), "node 7 has lost its token");
/// ```
pub struct RuleViolation {
    what: String,
    cause: Option<DriverError>,
}

impl RuleViolation {
    /// Says what the driver did, or did not do.
    #[must_use]
    pub fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), cause: None }
    }

    /// Keeps the driver's error.
    #[must_use]
    pub fn with_cause(self, cause: DriverError) -> Self {
        Self { cause: Some(cause), ..self }
    }
}

impl From<DriverError> for RuleViolation {
    fn from(err: DriverError) -> Self {
        Self::new("a call failed that has to work").with_cause(err)
    }
}

impl From<InvalidName> for RuleViolation {
    fn from(err: InvalidName) -> Self {
        Self::new(err.to_string())
    }
}

impl From<InvalidToken> for RuleViolation {
    fn from(err: InvalidToken) -> Self {
        Self::new(err.to_string())
    }
}

impl fmt::Display for RuleViolation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        match &self.cause {
            Some(cause) => write!(f, ": {cause}"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for RuleViolation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Error for RuleViolation {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.cause.as_ref().map(|cause| cause as _)
    }
}

/// Returns the violation `what` unless `kept`.
pub(crate) fn ensure(kept: bool, what: impl FnOnce() -> String) -> RuleResult {
    match kept {
        true => Ok(()),
        false => Err(RuleViolation::new(what())),
    }
}
