//! A limit on how long one call may take.

use std::{borrow::Cow, future::Future, sync::Arc, time::Duration};

use async_trait::async_trait;
use vmpool_driver::{
    Capabilities, Catalog, CreateRequest, Driver, DriverError, DriverInfo, Layer, Listing, Operation,
    PowerAction,
};
use vmpool_model::{FailureKind, Node, NodeId, Timestamp, format_duration};

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
        Arc::new(TimeoutDriver { inner, limit: self.limit })
    }
}

#[derive(Debug)]
struct TimeoutDriver {
    inner: Arc<dyn Driver>,
    limit: Duration,
}

impl TimeoutDriver {
    async fn limited<T>(
        &self,
        operation: Operation,
        on: impl Into<Cow<'_, str>>,
        call: impl Future<Output = Result<T, DriverError>>,
    ) -> Result<T, DriverError> {
        match tokio::time::timeout(self.limit, call).await {
            Ok(answer) => answer,
            Err(_) => Err(self.too_late(operation, &on.into())),
        }
    }

    fn too_late(&self, operation: Operation, on: &str) -> DriverError {
        let limit = format_duration(self.limit);
        let context = match on.is_empty() {
            true => format!("no answer in {limit}"),
            false => format!("{on}: no answer in {limit}"),
        };
        DriverError::new(operation, FailureKind::Timeout).with_context(context)
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl Driver for TimeoutDriver {
    fn info(&self) -> &DriverInfo {
        self.inner.info()
    }

    fn capabilities(&self) -> Capabilities {
        self.inner.capabilities()
    }

    async fn list(&self) -> Result<Listing, DriverError> {
        self.limited(Operation::List, "", self.inner.list()).await
    }

    async fn get(&self, id: &NodeId) -> Result<Node, DriverError> {
        self.limited(Operation::Get, node(id), self.inner.get(id)).await
    }

    async fn create(&self, request: &CreateRequest) -> Result<Node, DriverError> {
        let on = format!("node {}", request.name.as_deref().unwrap_or("without a name"));
        self.limited(Operation::Create, on, self.inner.create(request)).await
    }

    async fn destroy(&self, id: &NodeId) -> Result<(), DriverError> {
        self.limited(Operation::Destroy, node(id), self.inner.destroy(id)).await
    }

    async fn power(&self, id: &NodeId, action: PowerAction) -> Result<(), DriverError> {
        self.limited(action.operation(), node(id), self.inner.power(id, action)).await
    }

    async fn catalog(&self) -> Result<Catalog, DriverError> {
        self.limited(Operation::Catalog, "", self.inner.catalog()).await
    }

    async fn set_expiry(&self, id: &NodeId, at: Timestamp) -> Result<(), DriverError> {
        self.limited(Operation::SetExpiry, node(id), self.inner.set_expiry(id, at)).await
    }
}

fn node(id: &NodeId) -> String {
    format!("node {id}")
}
