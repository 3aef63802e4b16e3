//! Counting calls and their durations.

use std::{
    collections::BTreeMap,
    future::Future,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;
use vmpool_driver::{Driver, DriverError, Layer};

use crate::around::{Around, Call, Wrapped};

/// The upper bounds of the buckets of durations, in milliseconds; the last bucket has none.
pub const BUCKETS_MS: [u64; 9] = [5, 25, 100, 250, 1_000, 2_500, 10_000, 30_000, 60_000];

/// Counts calls by operation and outcome, with their durations.
///
/// A clone is another handle of the same numbers: keep one, and wrap the driver with the other.
/// A layer outside the retry counts calls, one inside counts attempts.
/// A call that is dropped before its end counts with the outcome `canceled`.
///
/// # Examples
///
/// ```
/// use std::sync::Arc;
/// use vmpool_driver::{Driver, LayerExt};
/// use vmpool_dummy::{DummyCloud, DummyConfig, DummyDriver};
/// use vmpool_layers::MetricsLayer;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let cloud: Arc<dyn Driver> = Arc::new(DummyDriver::new(DummyCloud::in_memory(DummyConfig::default())?));
/// let metrics = MetricsLayer::new();
/// let driver = cloud.layer(&metrics);
///
/// assert!(driver.list().await?.is_complete());
/// let [list] = &metrics.snapshot()[..] else { return Err("one series was expected".into()) };
/// assert_eq!((list.operation, list.outcome, list.calls), ("list", "ok", 1));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Default)]
pub struct MetricsLayer {
    numbers: Arc<Mutex<Numbers>>,
}

#[derive(Debug, Default)]
struct Numbers {
    under_way: usize,
    series: BTreeMap<(&'static str, &'static str), CallMetrics>,
}

/// The numbers of all calls with the same operation and outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CallMetrics {
    /// The operation, such as `create`.
    pub operation: &'static str,
    /// The outcome: `ok`, the kind of the failure, or `canceled`.
    pub outcome: &'static str,
    /// How many calls there were.
    pub calls: u64,
    /// How long they took together.
    pub total: Duration,
    /// How many of them took at most so long as the same place in [`BUCKETS_MS`] says, and longer than the place before.
    ///
    /// The last place counts those that are in no bucket.
    pub buckets: [u64; BUCKETS_MS.len() + 1],
}

impl MetricsLayer {
    /// Makes a layer that has counted nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns the numbers so far, by operation and outcome.
    #[must_use]
    pub fn snapshot(&self) -> Vec<CallMetrics> {
        self.numbers().series.values().cloned().collect()
    }

    /// Returns how many calls are under way.
    #[must_use]
    pub fn under_way(&self) -> usize {
        self.numbers().under_way
    }

    fn numbers(&self) -> MutexGuard<'_, Numbers> {
        self.numbers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Layer for MetricsLayer {
    fn wrap(&self, inner: Arc<dyn Driver>) -> Arc<dyn Driver> {
        Wrapped::wrap(inner, self.clone())
    }
}

impl Around for MetricsLayer {
    async fn around<T, F>(
        &self,
        call: Call<'_>,
        attempt: impl Fn() -> F + Send + Sync,
    ) -> Result<T, DriverError>
    where
        T: Send,
        F: Future<Output = Result<T, DriverError>> + Send,
    {
        let mut counted = Counted::begin(self, call.operation.as_str());
        let answer = attempt().await;
        counted.outcome = answer.as_ref().err().map_or("ok", |err| err.kind().as_str());
        answer
    }
}

/// Counts a call when it ends, also if it is dropped.
struct Counted<'a> {
    metrics: &'a MetricsLayer,
    operation: &'static str,
    outcome: &'static str,
    began: Instant,
}

impl<'a> Counted<'a> {
    fn begin(metrics: &'a MetricsLayer, operation: &'static str) -> Self {
        metrics.numbers().under_way += 1;
        Self { metrics, operation, outcome: "canceled", began: Instant::now() }
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        let (operation, outcome, time) = (self.operation, self.outcome, self.began.elapsed());
        let millis = time.as_millis();
        let bucket = BUCKETS_MS.iter().position(|bound| millis <= u128::from(*bound));
        let mut numbers = self.metrics.numbers();
        numbers.under_way = numbers.under_way.saturating_sub(1);
        let series = numbers.series.entry((operation, outcome)).or_insert_with(|| CallMetrics {
            operation,
            outcome,
            calls: 0,
            total: Duration::ZERO,
            buckets: [0; BUCKETS_MS.len() + 1],
        });
        series.calls += 1;
        series.total = series.total.saturating_add(time);
        series.buckets[bucket.unwrap_or(BUCKETS_MS.len())] += 1;
    }
}
