//! How long to pause after failures.

use std::time::Duration;

use vmpool_model::Timestamp;

/// The longest pause that a provider may ask for: an answer that asks for ages must not stop a pool for good.
pub(crate) const LONGEST_ASKED: Duration = Duration::from_secs(3600);

/// Returns the pause after the given number of failures in a row: it doubles from `min` up to `max`,
/// is never shorter than what the provider asks for, up to an hour, and is stretched by up to a half by `jitter`
/// (0 to 1), so that many who failed together do not come back together.
pub(crate) fn pause(
    min: Duration,
    max: Duration,
    failures: u32,
    asked: Option<Duration>,
    jitter: f64,
) -> Duration {
    let doublings = failures.saturating_sub(1).min(20);
    let doubled = min.saturating_mul(1 << doublings).min(max);
    let least = doubled.max(asked.unwrap_or_default().min(LONGEST_ASKED));
    least.saturating_add(least.mul_f64(jitter.clamp(0.0, 1.0) / 2.0))
}

/// The pause of something that fails, such as an offer.
#[derive(Debug, Default)]
pub(crate) struct Pause {
    /// How many failures in a row there were.
    failures: u32,
    since: Timestamp,
    until: Option<Timestamp>,
    /// Until when the provider asked for the pause; no success ends that one.
    asked_until: Option<Timestamp>,
    why: String,
}

/// A failure: how long the pause may be, and what the provider asks for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Trouble<'a> {
    pub(crate) min: Duration,
    pub(crate) max: Duration,
    pub(crate) asked: Option<Duration>,
    pub(crate) jitter: f64,
    pub(crate) why: &'a str,
}

impl Pause {
    /// Begins a pause or makes it longer; returns whether it begins.
    pub(crate) fn fail(&mut self, now: Timestamp, trouble: Trouble<'_>) -> bool {
        // Creates that were under way together and failed together are one failure, not many in a row.
        let begins = self.until(now).is_none();
        if begins {
            self.failures += 1;
            self.since = now;
        }
        let Trouble { min, max, asked, jitter, why } = trouble;
        let until = now + pause(min, max, self.failures, asked, jitter);
        self.asked_until = self.asked_until.max(asked.map(|_| until));
        // A failure never shortens the pause that an earlier one asked for.
        self.until = self.until.max(Some(until));
        why.clone_into(&mut self.why);
        begins
    }

    /// Ends the pause, as far as the provider did not ask for it.
    pub(crate) fn succeed(&mut self) {
        self.failures = 0;
        self.until = self.asked_until;
    }

    /// Returns until when the pause lasts, if it is not over.
    pub(crate) fn until(&self, now: Timestamp) -> Option<Timestamp> {
        self.until.filter(|until| now < *until)
    }

    /// Returns since when the last pause was.
    pub(crate) fn since(&self) -> Timestamp {
        self.since
    }

    /// Says what went wrong last.
    pub(crate) fn why(&self) -> &str {
        &self.why
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIN: Duration = Duration::from_secs(1);
    const MAX: Duration = Duration::from_secs(60);

    #[test]
    fn the_pause_doubles_up_to_its_limit() {
        let pauses = [1, 2, 3, 7, 30].map(|failures| pause(MIN, MAX, failures, None, 0.0).as_secs());
        assert_eq!(pauses, [1, 2, 4, 60, 60]);
    }

    #[test]
    fn jitter_stretches_the_pause_by_at_most_a_half() {
        assert_eq!(pause(MIN, MAX, 1, None, 1.0), Duration::from_millis(1500));
    }

    #[test]
    fn the_provider_may_ask_for_more() {
        assert_eq!(pause(MIN, MAX, 1, Some(Duration::from_secs(90)), 0.0), Duration::from_secs(90));
    }

    #[test]
    fn after_a_success_the_next_pause_is_as_short_as_the_first() {
        let at = |second: i64| Timestamp::from_millis(second * 1000);
        let trouble = Trouble { min: MIN, max: MAX, asked: None, jitter: 0.0, why: "no" };
        let mut pause = Pause::default();
        for (second, until) in [(0, 1), (1, 3), (3, 7)] {
            pause.fail(at(second), trouble);
            assert_eq!(pause.until(at(second)), Some(at(until)));
        }
        pause.succeed();
        assert_eq!(pause.until(at(4)), None);
        pause.fail(at(10), trouble);
        assert_eq!(pause.until(at(10)), Some(at(11)));
    }
}
