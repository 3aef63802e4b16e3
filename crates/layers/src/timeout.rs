//! A limit on how long one call may take.

use std::{future::Future, sync::Arc, time::Duration};

use vmpool_driver::{Driver, DriverError, Layer, Operation};
use vmpool_model::{FailureKind, format_duration};

use crate::around::{Around, Call, Wrapped};

/// Ends each call after a limit, with an error of the kind [`FailureKind::Timeout`].
///
/// What had been sent may still happen: after a call that changes something the error's certainty is
/// [`Unknown`](vmpool_model::Certainty::Unknown), after one that reads it is
/// [`NotApplied`](vmpool_model::Certainty::NotApplied).
/// The limit is measured on tokio's clock, so calls need a runtime with time enabled.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use vmpool_layers::TimeoutLayer;
///
/// let layer = TimeoutLayer::new(Duration::from_secs(60));
/// assert_eq!(layer.limit, Duration::from_secs(60));
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct TimeoutLayer {
    /// How long each call may take.
    pub limit: Duration,
}

impl TimeoutLayer {
    /// Limits each call.
    #[must_use]
    pub fn new(limit: Duration) -> Self {
        Self { limit }
    }
}

impl Layer for TimeoutLayer {
    fn wrap(&self, inner: Arc<dyn Driver>) -> Arc<dyn Driver> {
        Wrapped::wrap(inner, self.clone())
    }
}

impl Around for TimeoutLayer {
    async fn around<T, F>(
        &self,
        call: Call<'_>,
        attempt: impl Fn() -> F + Send + Sync,
    ) -> Result<T, DriverError>
    where
        T: Send,
        F: Future<Output = Result<T, DriverError>> + Send,
    {
        match tokio::time::timeout(self.limit, attempt()).await {
            Ok(answer) => answer,
            Err(_) => Err(self.too_late(call)),
        }
    }
}

impl TimeoutLayer {
    fn too_late(&self, call: Call<'_>) -> DriverError {
        let limit = format_duration(self.limit);
        let context = match (call.node, call.operation) {
            (Some(node), _) => format!("node {node}: no answer in {limit}"),
            (None, Operation::Create) => format!("node without a name: no answer in {limit}"),
            (None, _) => format!("no answer in {limit}"),
        };
        DriverError::new(call.operation, FailureKind::Timeout).with_context(context)
    }
}
