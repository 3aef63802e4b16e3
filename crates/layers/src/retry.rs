//! Repeating calls that certainly had no effect.

use std::{
    future::Future,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use vmpool_driver::{Driver, DriverError, Layer};
use vmpool_model::FailureKind;

use crate::{
    around::{Around, Call, Wrapped, wait},
    backoff::Backoff,
};

/// Repeats a call that failed for a passing reason and certainly had no effect.
///
/// # Behavior
///
/// * A call is repeated only if its error [is retryable](DriverError::is_retryable) and a short wait can help.
///   So a create, destroy or power action that *may* have happened is never repeated here: the caller looks first.
///   A used-up quota or a full cloud is not waited for either: whether to wait, and where else to go, is the caller's to decide.
/// * The pause doubles with each attempt from [`min`](Self::min) to [`max`](Self::max), less a random part of up to a half.
/// * If the provider says how long to wait, the pause is at least that long; if that is longer than `max`,
///   the error is returned at once, and the caller finds the time in it.
/// * The last error is returned as the driver made it.
///
/// The layer holds no lock while it waits. Pauses are measured on tokio's clock.
///
/// # Cancel safety
///
/// Dropping a call while it waits makes no further attempt.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use vmpool_layers::RetryLayer;
///
/// let layer = RetryLayer::new(7).with_max_attempts(3).with_pauses(Duration::from_millis(50), Duration::from_secs(1));
/// assert_eq!(layer.max_attempts, 3);
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct RetryLayer {
    /// How many attempts are made at most, the first included; 0 counts as 1. Default: 4.
    pub max_attempts: u32,
    /// The pause after the first failure. Default: 200 ms.
    pub min: Duration,
    /// The longest pause. Default: 10 s.
    pub max: Duration,
    seed: u64,
}

impl RetryLayer {
    /// Repeats with the default limits; `seed` decides the random part of the pauses.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { max_attempts: 4, min: Duration::from_millis(200), max: Duration::from_secs(10), seed }
    }

    /// Limits the number of attempts, the first included.
    #[must_use]
    pub fn with_max_attempts(self, max_attempts: u32) -> Self {
        Self { max_attempts, ..self }
    }

    /// Sets the pause after the first failure, and the longest one.
    #[must_use]
    pub fn with_pauses(self, min: Duration, max: Duration) -> Self {
        Self { min, max, ..self }
    }
}

impl Layer for RetryLayer {
    fn wrap(&self, inner: Arc<dyn Driver>) -> Arc<dyn Driver> {
        let backoff = Backoff { min: self.min, max: self.max };
        let dice = Mutex::new(fastrand::Rng::with_seed(self.seed));
        Wrapped::wrap(inner, Retry { max_attempts: self.max_attempts, backoff, dice })
    }
}

#[derive(Debug)]
struct Retry {
    max_attempts: u32,
    backoff: Backoff,
    dice: Mutex<fastrand::Rng>,
}

impl Around for Retry {
    async fn around<T, F>(&self, _: Call<'_>, attempt: impl Fn() -> F + Send + Sync) -> Result<T, DriverError>
    where
        T: Send,
        F: Future<Output = Result<T, DriverError>> + Send,
    {
        let mut attempts = 1;
        loop {
            let err = match attempt().await {
                Ok(answer) => return Ok(answer),
                Err(err) => err,
            };
            let Some(pause) = self.pause_after(attempts, &err) else {
                return Err(err);
            };
            ::tracing::debug!(attempts, ?pause, error = %err, "repeats a call to the provider");
            wait(pause).await;
            attempts += 1;
        }
    }
}

impl Retry {
    /// Returns how long to wait after so many attempts, if there is to be another one.
    fn pause_after(&self, attempts: u32, err: &DriverError) -> Option<Duration> {
        let asked = err.retry_after().unwrap_or(Duration::ZERO);
        if !is_worth_waiting(err) || self.max_attempts <= attempts || self.backoff.max < asked {
            return None;
        }
        let dice = self.dice.lock().unwrap_or_else(PoisonError::into_inner).f64();
        Some(self.backoff.pause(attempts, dice).max(asked))
    }
}

fn is_worth_waiting(err: &DriverError) -> bool {
    err.is_retryable() && !matches!(err.kind(), FailureKind::Quota | FailureKind::Capacity)
}
