//! The pauses between attempts to reach a daemon that is away.

use std::time::Duration;

/// The longest pause.
const LONGEST: Duration = Duration::from_secs(5);

/// The pauses between attempts: 100 ms, then twice as long each time, up to 5 s.
#[derive(Debug, Clone, Default)]
pub(crate) struct Backoff {
    failures: u32,
}

impl Backoff {
    /// Returns the next pause.
    pub(crate) fn next(&mut self) -> Duration {
        let pause = Duration::from_millis(100).saturating_mul(1 << self.failures.min(10));
        self.failures = self.failures.saturating_add(1);
        pause.min(LONGEST)
    }

    /// Begins anew after a success.
    pub(crate) fn reset(&mut self) {
        self.failures = 0;
    }

    /// Waits until the next attempt is due.
    pub(crate) async fn pause(&mut self) {
        self.pause_at_most(Duration::MAX).await;
    }

    /// Waits until the next attempt is due, but not longer than `limit`.
    #[expect(clippy::disallowed_methods, reason = "the pause is the point; tests run on paused time")]
    pub(crate) async fn pause_at_most(&mut self, limit: Duration) {
        tokio::time::sleep(self.next().min(limit)).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_five_seconds() {
        let mut backoff = Backoff::default();
        let pauses: Vec<u128> = (0..8).map(|_| backoff.next().as_millis()).collect();
        assert_eq!(pauses, [100, 200, 400, 800, 1600, 3200, 5000, 5000]);
    }
}
