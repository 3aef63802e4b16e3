//! How many values were at most so large.

use std::time::Duration;

/// The upper bounds of what is usually over at once: answers, commits.
pub(crate) const QUICK: &[f64] =
    &[0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];

/// The upper bounds of what people and clouds take: waiting, booting, checks, hooks.
pub(crate) const SLOW: &[f64] =
    &[0.01, 0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1_800.0, 3_600.0];

/// How many values were at most so large, in seconds.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Histogram {
    pub(crate) bounds: &'static [f64],
    /// How many were in each bucket and in none below it; the last place counts those above all bounds.
    buckets: Vec<u64>,
    pub(crate) sum: f64,
}

impl Histogram {
    pub(crate) fn new(bounds: &'static [f64]) -> Self {
        Self { bounds, buckets: vec![0; bounds.len() + 1], sum: 0.0 }
    }

    /// Counts a value.
    pub(crate) fn observe(&mut self, value: Duration) {
        let seconds = value.as_secs_f64();
        let place = self.bounds.partition_point(|bound| *bound < seconds);
        if let Some(bucket) = self.buckets.get_mut(place) {
            *bucket += 1;
        }
        self.sum += seconds;
    }

    /// Adds what was counted elsewhere: values in a bucket below `bound`, or above all if there is none.
    pub(crate) fn add(&mut self, place: usize, count: u64) {
        if let Some(bucket) = self.buckets.get_mut(place) {
            *bucket += count;
        }
    }

    /// Returns how many values were counted.
    pub(crate) fn count(&self) -> u64 {
        self.buckets.iter().sum()
    }

    /// Returns how many values were at most so large, for each bound.
    pub(crate) fn cumulative(&self) -> impl Iterator<Item = (f64, u64)> {
        let counts = self.buckets.iter().scan(0, |sum, count| {
            *sum += count;
            Some(*sum)
        });
        self.bounds.iter().copied().zip(counts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_counts_in_its_bucket_and_in_all_above() {
        let mut histogram = Histogram::new(&[0.1, 1.0]);
        for millis in [50, 100, 500, 5_000] {
            histogram.observe(Duration::from_millis(millis));
        }
        let cumulative: Vec<_> = histogram.cumulative().collect();
        assert_eq!(cumulative, [(0.1, 2), (1.0, 3)]);
        assert_eq!(histogram.count(), 4);
        assert!((histogram.sum - 5.65).abs() < 1e-9, "{}", histogram.sum);
    }
}
