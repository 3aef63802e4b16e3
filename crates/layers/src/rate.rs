//! A limit on how many calls begin in a time.

use std::{
    future::Future,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;
use vmpool_driver::{Driver, DriverError, Layer};
use vmpool_model::{FailureKind, format_duration};

use crate::around::{Around, Call, Wrapped, wait};

/// The longest time between two calls: later points in time could not be told.
const LONGEST: Duration = Duration::from_secs(365 * 86_400);

/// Lets calls begin at a steady rate, and leaves a provider alone that asks for it.
///
/// # Behavior
///
/// * After a quiet time a burst of calls begins at once; from then on one begins every [`interval`](Self::interval).
/// * Calls begin in the order in which they came.
/// * If the provider answers that it gets too many requests and says how long to wait, no call begins until then,
///   whoever makes it; afterwards they begin one by one.
/// * A call that would have to wait for more than [`max_wait`](Self::max_wait) fails at once with
///   [`FailureKind::RateLimited`] and the time to wait; no request was made.
///
/// All drivers that one layer or its clones are put around share the rate: give one to all drivers of an account.
/// Put it between retry and timeout: each attempt counts, and waiting is not time without an answer.
///
/// # Cancel safety
///
/// Dropping a call that waits makes no request; its turn passes unused.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use vmpool_layers::RateLimitLayer;
///
/// // Ten calls a second, and up to 20 at once after a pause.
/// let layer = RateLimitLayer::new(Duration::from_millis(100), 20);
/// assert_eq!(layer.max_wait, Duration::from_secs(30));
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct RateLimitLayer {
    /// How long after a call the next one begins.
    pub interval: Duration,
    /// How many calls begin at once after a quiet time; 0 counts as 1.
    pub burst: u32,
    /// How long a call waits at most for its turn. Default: 30 s.
    pub max_wait: Duration,
    /// When the next call would begin if there were no bursts.
    next: Arc<Mutex<Option<Instant>>>,
}

impl RateLimitLayer {
    /// Lets one call begin every `interval`, and `burst` at once after a quiet time.
    #[must_use]
    pub fn new(interval: Duration, burst: u32) -> Self {
        Self { interval, burst, max_wait: Duration::from_secs(30), next: Arc::default() }
    }

    /// Says how long a call waits at most for its turn.
    #[must_use]
    pub fn with_max_wait(self, max_wait: Duration) -> Self {
        Self { max_wait, ..self }
    }

    /// Takes the next turn and returns how long to wait for it, or only the time if that is too long.
    fn take_turn(&self, now: Instant) -> Result<Duration, Duration> {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let regular = next.unwrap_or(now).max(now);
        let begin = regular.checked_sub(self.slack()).unwrap_or(now);
        let time = begin.saturating_duration_since(now);
        if self.max_wait < time {
            return Err(time);
        }
        *next = regular.checked_add(self.interval.min(LONGEST));
        Ok(time)
    }

    /// Lets the next call begin after a time, and the others after it without a burst.
    fn leave_alone(&self, now: Instant, time: Duration) {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        *next = (*next).max(now.checked_add(time.saturating_add(self.slack())));
    }

    /// Returns how much earlier than at its regular time a call may begin.
    fn slack(&self) -> Duration {
        self.interval.saturating_mul(self.burst.saturating_sub(1))
    }
}

impl Layer for RateLimitLayer {
    fn wrap(&self, inner: Arc<dyn Driver>) -> Arc<dyn Driver> {
        Wrapped::wrap(inner, self.clone())
    }
}

impl Around for RateLimitLayer {
    async fn around<T, F>(
        &self,
        call: Call<'_>,
        attempt: impl Fn() -> F + Send + Sync,
    ) -> Result<T, DriverError>
    where
        T: Send,
        F: Future<Output = Result<T, DriverError>> + Send,
    {
        match self.take_turn(Instant::now()) {
            Ok(Duration::ZERO) => {}
            Ok(time) => wait(time).await,
            Err(time) => {
                let context = format!("its turn comes in {}", format_duration(time));
                let err = DriverError::new(call.operation, FailureKind::RateLimited).with_context(context);
                return Err(err.with_retry_after(Some(time)));
            }
        }
        let answer = attempt().await;
        if let Err(err) = &answer
            && err.kind() == FailureKind::RateLimited
            && let Some(time) = err.retry_after()
        {
            self.leave_alone(Instant::now(), time);
        }
        answer
    }
}
