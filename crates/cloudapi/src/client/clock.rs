//! Where signatures get their date from.

use std::{
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use vmpool_model::Timestamp;

/// Tells the time for the header `Date`; tests pass one of their own.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Returns the system's wall clock.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "the server compares the signed date with its own clock")]
pub fn system_clock() -> Clock {
    Arc::new(|| {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    })
}
