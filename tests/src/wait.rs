//! Waiting for a condition of another process, with a deadline.

use std::time::{Duration, Instant, SystemTime};

/// How long a condition may take; far more than it needs on a busy machine.
pub const DEADLINE: Duration = Duration::from_secs(30);

/// Waits until `probe` returns something, and returns that.
///
/// # Errors
///
/// A text that says what was waited for, if it does not happen within [`DEADLINE`].
pub fn wait_for<T>(what: &str, mut probe: impl FnMut() -> Option<T>) -> Result<T, String> {
    let began = now();
    loop {
        if let Some(found) = probe() {
            return Ok(found);
        }
        if DEADLINE < began.elapsed() {
            return Err(format!("waited {DEADLINE:?} in vain: {what}"));
        }
        pause();
    }
}

/// Reads the clock that only goes forward.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "deadlines of real processes pass in real time")]
pub fn now() -> Instant {
    Instant::now()
}

/// Reads the clock that daemon and clients share, in milliseconds since the epoch.
#[must_use]
#[expect(
    clippy::disallowed_methods,
    reason = "what clients saw is compared with the expiry that the daemon told"
)]
pub fn millis() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// Lets real time pass on this thread, because the time itself is what a crash run is about.
#[expect(clippy::disallowed_methods, reason = "a crash comes after a while that is chosen by chance")]
pub fn let_pass(time: Duration) {
    std::thread::sleep(time);
}

/// Lets another process work for a moment.
#[expect(
    clippy::disallowed_methods,
    reason = "another process gives no event to wait for; a deadline bounds the waiting, no result depends on its length"
)]
pub(crate) fn pause() {
    std::thread::sleep(Duration::from_millis(20));
}
