//! How long things took: p50, p99 and so on.

use std::time::{Duration, Instant};

/// How long things took, each in seconds.
#[derive(Debug, Default)]
pub struct Quantiles(Vec<f64>);

impl Quantiles {
    pub fn add(&mut self, took: Duration) {
        self.0.push(took.as_secs_f64());
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns how many there are in a second, one after the other.
    pub fn rate(&self) -> f64 {
        self.len() as f64 / self.0.iter().sum::<f64>()
    }

    /// Returns what this share of them took at most, in microseconds.
    pub fn at(&self, share: f64) -> f64 {
        let mut all = self.0.clone();
        all.sort_by(f64::total_cmp);
        let index = (all.len() as f64 * share) as usize;
        all.get(index.min(all.len().saturating_sub(1))).map_or(f64::NAN, |seconds| seconds * 1e6)
    }
}

/// Reads the clock that only goes forward.
#[expect(clippy::disallowed_methods, reason = "time is what is measured")]
pub fn now() -> Instant {
    Instant::now()
}
