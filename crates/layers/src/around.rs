//! The one driver that all layers are: it forwards every method, and lets the layer act around each call.

use std::{fmt::Debug, future::Future, sync::Arc};

use async_trait::async_trait;
use vmpool_driver::{
    Capabilities, Catalog, CreateRequest, Driver, DriverError, DriverInfo, HintStream, Listing, Operation,
    PowerAction,
};
use vmpool_model::{Node, NodeId, Timestamp};

/// What a layer does around each call.
pub(crate) trait Around: Debug + Send + Sync + 'static {
    /// Makes a call with as many attempts as the layer thinks right; each run of `attempt` is one.
    fn around<T, F>(
        &self,
        call: Call<'_>,
        attempt: impl Fn() -> F + Send + Sync,
    ) -> impl Future<Output = Result<T, DriverError>> + Send
    where
        T: Send,
        F: Future<Output = Result<T, DriverError>> + Send;
}

/// What a layer may know of a call; not what a create was asked for, which may hold a password.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Call<'a> {
    /// The driver's short name.
    pub(crate) driver: &'static str,
    /// What is asked for.
    pub(crate) operation: Operation,
    /// The node's id, or for a create the name that it is to have, if there is one.
    pub(crate) node: Option<&'a str>,
}

/// A driver with something around each of its calls.
#[derive(Debug)]
pub(crate) struct Wrapped<A> {
    inner: Arc<dyn Driver>,
    around: A,
}

impl<A: Around> Wrapped<A> {
    pub(crate) fn wrap(inner: Arc<dyn Driver>, around: A) -> Arc<dyn Driver> {
        Arc::new(Self { inner, around })
    }

    fn call<'a>(&self, operation: Operation, node: Option<&'a str>) -> Call<'a> {
        Call { driver: self.inner.info().name, operation, node }
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl<A: Around> Driver for Wrapped<A> {
    fn info(&self) -> &DriverInfo {
        self.inner.info()
    }

    fn capabilities(&self) -> Capabilities {
        self.inner.capabilities()
    }

    async fn list(&self) -> Result<Listing, DriverError> {
        self.around.around(self.call(Operation::List, None), || self.inner.list()).await
    }

    async fn get(&self, id: &NodeId) -> Result<Node, DriverError> {
        self.around.around(self.call(Operation::Get, Some(id.as_str())), || self.inner.get(id)).await
    }

    async fn create(&self, request: &CreateRequest) -> Result<Node, DriverError> {
        let call = self.call(Operation::Create, request.name.as_deref());
        self.around.around(call, || self.inner.create(request)).await
    }

    async fn destroy(&self, id: &NodeId) -> Result<(), DriverError> {
        self.around.around(self.call(Operation::Destroy, Some(id.as_str())), || self.inner.destroy(id)).await
    }

    async fn power(&self, id: &NodeId, action: PowerAction) -> Result<(), DriverError> {
        let call = self.call(action.operation(), Some(id.as_str()));
        self.around.around(call, || self.inner.power(id, action)).await
    }

    async fn catalog(&self) -> Result<Catalog, DriverError> {
        self.around.around(self.call(Operation::Catalog, None), || self.inner.catalog()).await
    }

    async fn set_expiry(&self, id: &NodeId, at: Timestamp) -> Result<(), DriverError> {
        let call = self.call(Operation::SetExpiry, Some(id.as_str()));
        self.around.around(call, || self.inner.set_expiry(id, at)).await
    }

    /// Opening the stream is a call like any other; what it brings later passes by the layers.
    async fn hints(&self) -> Result<Box<dyn HintStream>, DriverError> {
        self.around.around(self.call(Operation::Hints, None), || self.inner.hints()).await
    }
}

/// Waits on tokio's clock.
#[expect(clippy::disallowed_methods, reason = "waiting between calls is the point of some layers")]
pub(crate) async fn wait(time: std::time::Duration) {
    tokio::time::sleep(time).await;
}
