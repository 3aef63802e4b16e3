//! Averages that forget: what was measured counts half after a half-life.

use std::time::Duration;

use vmpool_model::Timestamp;

/// How often something happens, per second.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Rate {
    per_second: f64,
    at: Timestamp,
}

/// How large something is on the average.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Mean {
    sum: f64,
    weight: f64,
    at: Timestamp,
}

impl Rate {
    /// Notes that something happened this many times.
    pub(crate) fn add(&mut self, count: u32, now: Timestamp, half_life: Duration) {
        self.per_second = self.at(now, half_life)
            + f64::from(count) * std::f64::consts::LN_2 / half_life.as_secs_f64().max(f64::MIN_POSITIVE);
        self.at = now;
    }

    /// Returns the rate. It begins at nothing, and is right after some half-lives.
    pub(crate) fn at(&self, now: Timestamp, half_life: Duration) -> f64 {
        self.per_second * fading(now.since(self.at), half_life)
    }
}

impl Mean {
    /// Notes a measured value.
    pub(crate) fn add(&mut self, value: f64, now: Timestamp, half_life: Duration) {
        let fading = fading(now.since(self.at), half_life);
        *self = Self { sum: self.sum * fading + value, weight: self.weight * fading + 1.0, at: now };
    }

    /// Returns the average, if anything was measured.
    pub(crate) fn get(&self) -> Option<f64> {
        (0.0 < self.weight).then(|| self.sum / self.weight)
    }
}

/// Returns what is left of the weight of something after some time.
fn fading(age: Duration, half_life: Duration) -> f64 {
    (-age.as_secs_f64() / half_life.as_secs_f64().max(f64::MIN_POSITIVE)).exp2()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HALF_LIFE: Duration = Duration::from_secs(100);

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1000)
    }

    #[test]
    fn a_rate_comes_near_what_happens_all_the_time_and_fades_when_it_stops() {
        let mut rate = Rate::default();
        for second in 0..1000 {
            rate.add(2, at(second), HALF_LIFE);
        }
        let now = rate.at(at(1000), HALF_LIFE);
        assert!((now - 2.0).abs() < 0.02, "{now}");
        let later = rate.at(at(1100), HALF_LIFE);
        assert!((later - 1.0).abs() < 0.01, "{later}");
    }

    #[test]
    fn one_arrival_makes_no_great_rate() {
        let mut rate = Rate::default();
        rate.add(1, at(0), HALF_LIFE);
        assert!(rate.at(at(0), HALF_LIFE) < 0.007);
    }

    #[test]
    fn a_mean_is_the_first_value_and_follows_the_later_ones() {
        let mut mean = Mean::default();
        assert_eq!(mean.get(), None);
        mean.add(30.0, at(0), HALF_LIFE);
        assert_eq!(mean.get(), Some(30.0));
        // The first one counts half by now.
        mean.add(60.0, at(100), HALF_LIFE);
        assert_eq!(mean.get(), Some(50.0));
    }
}
