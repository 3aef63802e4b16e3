//! The driver that the layer makes.

use std::{future::Future, sync::Arc};

use async_trait::async_trait;
use vmpool_driver::{
    Capabilities, Catalog, CreateRequest, Driver, DriverError, DriverInfo, HintStream, Listing, Operation,
    PowerAction,
};
use vmpool_model::{FailureKind, Node, NodeId, Timestamp};

use super::{Fault, FaultLayer};

#[derive(Debug)]
pub(super) struct FaultDriver {
    pub(super) inner: Arc<dyn Driver>,
    pub(super) faults: FaultLayer,
}

impl FaultDriver {
    async fn faulty<T>(
        &self,
        operation: Operation,
        call: impl Future<Output = Result<T, DriverError>> + Send,
    ) -> Result<T, DriverError> {
        match self.faults.fault_of(operation) {
            None => call.await,
            Some(Fault::Refuse(kind)) => Err(refusal(operation, kind)),
            Some(Fault::LoseRequest) => Err(timeout(operation)),
            Some(Fault::LoseAnswer) => {
                let _ = call.await;
                Err(timeout(operation))
            }
            Some(Fault::Hang) => std::future::pending().await,
            Some(Fault::HangAfterwards) => {
                let _ = call.await;
                std::future::pending().await
            }
        }
    }
}

fn refusal(operation: Operation, kind: FailureKind) -> DriverError {
    let err = DriverError::new(operation, kind).with_context("the provider was told to refuse");
    err.with_certainty(vmpool_model::Certainty::NotApplied)
}

fn timeout(operation: Operation) -> DriverError {
    DriverError::new(operation, FailureKind::Timeout).with_context("no answer came")
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl Driver for FaultDriver {
    fn info(&self) -> &DriverInfo {
        self.inner.info()
    }

    fn capabilities(&self) -> Capabilities {
        self.inner.capabilities()
    }

    async fn list(&self) -> Result<Listing, DriverError> {
        let listing = self.faulty(Operation::List, self.inner.list()).await?;
        Ok(self.faults.spoil(listing))
    }

    async fn get(&self, id: &NodeId) -> Result<Node, DriverError> {
        self.faulty(Operation::Get, self.inner.get(id)).await
    }

    async fn create(&self, request: &CreateRequest) -> Result<Node, DriverError> {
        self.faulty(Operation::Create, self.inner.create(request)).await
    }

    async fn destroy(&self, id: &NodeId) -> Result<(), DriverError> {
        self.faulty(Operation::Destroy, self.inner.destroy(id)).await
    }

    async fn power(&self, id: &NodeId, action: PowerAction) -> Result<(), DriverError> {
        self.faulty(action.operation(), self.inner.power(id, action)).await
    }

    async fn catalog(&self) -> Result<Catalog, DriverError> {
        self.faulty(Operation::Catalog, self.inner.catalog()).await
    }

    async fn set_expiry(&self, id: &NodeId, at: Timestamp) -> Result<(), DriverError> {
        self.faulty(Operation::SetExpiry, self.inner.set_expiry(id, at)).await
    }

    async fn hints(&self) -> Result<Box<dyn HintStream>, DriverError> {
        self.faulty(Operation::Hints, self.inner.hints()).await
    }
}
