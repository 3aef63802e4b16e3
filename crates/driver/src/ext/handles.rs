//! Getting nodes together with their driver.

use std::{future::Future, sync::Arc};

use vmpool_model::{Node, NodeId};

use crate::{CreateRequest, Driver, DriverError, DriverExt, NodeHandle};

/// Gets nodes as [`NodeHandle`]s, which keep their driver; every shared driver has it.
pub trait HandleExt {
    /// Returns the driver as an object.
    fn shared(&self) -> Arc<dyn Driver>;

    /// Lists all nodes of the account.
    ///
    /// # Errors
    ///
    /// Those of [`DriverExt::list_all`].
    fn list_nodes(&self) -> impl Future<Output = Result<Vec<NodeHandle>, DriverError>> + Send
    where
        Self: Sync,
    {
        let driver = self.shared();
        async move {
            let nodes = driver.list_all().await?;
            Ok(nodes.into_iter().map(|node| NodeHandle::new(node, driver.clone())).collect())
        }
    }

    /// Gets one node.
    ///
    /// # Errors
    ///
    /// Those of [`Driver::get`].
    fn get_node(&self, id: &NodeId) -> impl Future<Output = Result<NodeHandle, DriverError>> + Send
    where
        Self: Sync,
    {
        let (driver, id) = (self.shared(), id.clone());
        async move { driver.get(&id).await.map(|node| NodeHandle::new(node, driver)) }
    }

    /// Creates a node.
    ///
    /// # Errors
    ///
    /// Those of [`Driver::create`].
    fn create_node(
        &self,
        request: CreateRequest,
    ) -> impl Future<Output = Result<NodeHandle, DriverError>> + Send
    where
        Self: Sync,
    {
        let driver = self.shared();
        async move { driver.create(&request).await.map(|node| NodeHandle::new(node, driver)) }
    }

    /// Ties a node to this driver.
    fn handle(&self, node: Node) -> NodeHandle {
        NodeHandle::new(node, self.shared())
    }
}

impl HandleExt for Arc<dyn Driver> {
    fn shared(&self) -> Arc<dyn Driver> {
        Self::clone(self)
    }
}

impl<T: Driver> HandleExt for Arc<T> {
    fn shared(&self) -> Arc<dyn Driver> {
        Self::clone(self)
    }
}
