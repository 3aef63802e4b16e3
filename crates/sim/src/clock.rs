//! The system's clock.

use std::{
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use vmpool_dummy::Clock;
use vmpool_model::Timestamp;

/// Returns the system's wall clock.
#[expect(clippy::disallowed_methods, reason = "the default clock of a simulated cloud is the system's")]
pub(crate) fn system_clock() -> Clock {
    Arc::new(|| {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    })
}
