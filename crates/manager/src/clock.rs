//! Time for the manager, injected so that tests own it.

use std::time::SystemTime;

use tokio::time::Instant;
use vmpool_model::Timestamp;
use vmpool_store::fail_point;

/// Tells the time.
///
/// The manager never lets it run backwards, and never starts before the newest time in its records.
pub trait Clock: std::fmt::Debug + Send + Sync + 'static {
    /// Returns the time.
    fn now(&self) -> Timestamp;
}

/// Tells the time of the system as it was at the start, plus the time that passed since.
///
/// The system's clock is read once; from then on the runtime's monotonic clock counts. So a clock that
/// is set a year forth or back while the manager runs ends no lease and starts no timer (F10), and in a test with
/// paused time this clock is paused, too.
#[derive(Debug, Clone)]
pub struct SystemClock {
    anchor: Timestamp,
    started: Instant,
}

impl SystemClock {
    /// Reads the system's clock once.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the one place where wall-clock time enters")]
    pub fn new() -> Self {
        let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let system = Timestamp::default() + since_epoch;
        Self::anchored_at(Timestamp::from_millis(
            system.as_millis().saturating_add(fail_point::clock_ahead()),
        ))
    }

    /// Starts at a given time and goes on with the runtime's monotonic clock.
    #[must_use]
    pub fn anchored_at(anchor: Timestamp) -> Self {
        Self { anchor, started: Instant::now() }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        self.anchor + self.started.elapsed()
    }
}
