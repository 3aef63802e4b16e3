//! How long to wait before the next attempt.

use std::time::Duration;

/// The pause after a first failure, and the longest one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Backoff {
    pub(crate) min: Duration,
    pub(crate) max: Duration,
}

impl Backoff {
    /// Returns the pause after the failure of attempt `attempt`, counted from 1.
    ///
    /// It doubles with each attempt up to the longest pause, and `dice`, from 0 to 1, takes up to half of it away,
    /// so that callers that failed together do not come again together.
    pub(crate) fn pause(self, attempt: u32, dice: f64) -> Duration {
        let factor = 2_u32.saturating_pow(attempt.saturating_sub(1));
        let full = self.min.saturating_mul(factor).min(self.max);
        full.mul_f64(1.0 - dice.clamp(0.0, 1.0) / 2.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BACKOFF: Backoff = Backoff { min: Duration::from_millis(200), max: Duration::from_secs(1) };

    fn pauses(dice: f64) -> Vec<u128> {
        [1, 2, 3, 4, 40].map(|attempt| BACKOFF.pause(attempt, dice).as_millis()).into()
    }

    #[test]
    fn a_pause_doubles_up_to_the_longest() {
        assert_eq!(pauses(0.0), [200, 400, 800, 1000, 1000]);
    }

    #[test]
    fn the_dice_take_up_to_half_of_a_pause_away() {
        assert_eq!(pauses(0.5), [150, 300, 600, 750, 750]);
        assert_eq!(pauses(1.0), [100, 200, 400, 500, 500]);
    }
}
