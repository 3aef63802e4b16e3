//! How long to pause after failures.

use std::time::Duration;

/// The longest pause that a provider may ask for: an answer that asks for ages must not stop a pool for good.
const LONGEST_ASKED: Duration = Duration::from_secs(3600);

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
}
