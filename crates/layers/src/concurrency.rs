//! A limit on how many calls are under way at once.

use std::{future::Future, sync::Arc};

use tokio::sync::Semaphore;
use vmpool_driver::{Driver, DriverError, Layer};
use vmpool_model::FailureKind;

use crate::around::{Around, Call, Wrapped};

/// Lets only so many calls be under way at once; the others wait in the order in which they came.
///
/// All drivers that one layer or its clones are put around share the limit: give one to all drivers of an account.
/// Put it outside of a [`TimeoutLayer`](crate::TimeoutLayer), or waiting counts as time without an answer.
///
/// # Cancel safety
///
/// Dropping a call that waits gives up its place in the queue; dropping one that is under way lets the next one go.
///
/// # Examples
///
/// ```
/// use vmpool_layers::ConcurrencyLayer;
///
/// let layer = ConcurrencyLayer::new(8);
/// assert_eq!(layer.under_way(), 0);
/// ```
#[derive(Debug, Clone)]
pub struct ConcurrencyLayer {
    limit: usize,
    permits: Arc<Semaphore>,
}

impl ConcurrencyLayer {
    /// Limits how many calls are under way at once; 0 counts as 1.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        let limit = limit.clamp(1, Semaphore::MAX_PERMITS);
        Self { limit, permits: Arc::new(Semaphore::new(limit)) }
    }

    /// Returns how many calls are under way.
    #[must_use]
    pub fn under_way(&self) -> usize {
        self.limit.saturating_sub(self.permits.available_permits())
    }
}

impl Layer for ConcurrencyLayer {
    fn wrap(&self, inner: Arc<dyn Driver>) -> Arc<dyn Driver> {
        Wrapped::wrap(inner, self.clone())
    }
}

impl Around for ConcurrencyLayer {
    async fn around<T, F>(
        &self,
        call: Call<'_>,
        attempt: impl Fn() -> F + Send + Sync,
    ) -> Result<T, DriverError>
    where
        T: Send,
        F: Future<Output = Result<T, DriverError>> + Send,
    {
        let Ok(_permit) = self.permits.acquire().await else {
            // Nobody closes the semaphore; if somebody does, no request is made.
            let err = DriverError::new(call.operation, FailureKind::Other);
            return Err(err.with_certainty(vmpool_model::Certainty::NotApplied));
        };
        attempt().await
    }
}
