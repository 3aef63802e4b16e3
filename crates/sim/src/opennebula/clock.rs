//! The system's clock, and the server's way to write a time for people.

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

/// Returns whole seconds since the epoch, which is what the server sends.
pub(crate) fn seconds(at: Timestamp) -> i64 {
    at.as_millis().div_euclid(1000)
}

/// Writes a time as the server does in its messages: `Sat Nov 21 08:27:49 2026`.
pub(crate) fn written(at: Timestamp) -> String {
    match jiff::Timestamp::from_millisecond(at.as_millis()) {
        Ok(time) => time.strftime("%a %b %e %H:%M:%S %Y").to_string(),
        Err(_) => at.to_string(),
    }
}
