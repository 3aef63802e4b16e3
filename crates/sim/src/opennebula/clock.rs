//! How the server writes times: for programs, and for people.

use vmpool_model::Timestamp;

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
