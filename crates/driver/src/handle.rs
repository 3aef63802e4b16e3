//! A node together with the driver that it came from.

use std::{fmt, ops::Deref, sync::Arc};

use vmpool_model::{Node, libcloud_uuid::libcloud_v2, states::NodeState};

use crate::{Driver, DriverError, PowerAction};

/// A node that keeps its driver, so that it can be worked on without knowing which cloud it is on.
///
/// It shows the node as last seen: after [`reboot`](Self::reboot) or [`destroy`](Self::destroy) the
/// same handle shows the new state, and [`refresh`](Self::refresh) asks the provider.
/// If an operation fails, the handle stays as it was.
/// Source: libcloud's `Node`, whose `reboot` and `destroy` change the caller's object.
#[derive(Clone)]
pub struct NodeHandle {
    node: Node,
    driver: Arc<dyn Driver>,
}

impl NodeHandle {
    /// Ties a node to its driver.
    #[must_use]
    pub fn new(node: Node, driver: Arc<dyn Driver>) -> Self {
        Self { node, driver }
    }

    /// Returns the driver.
    #[must_use]
    pub fn driver(&self) -> &Arc<dyn Driver> {
        &self.driver
    }

    /// Returns the node as last seen.
    #[must_use]
    pub fn node(&self) -> &Node {
        &self.node
    }

    /// Returns the node's unique id as libcloud 0.12 and later compute it, 40 hexadecimal digits.
    ///
    /// It is a hash of the node's id and the provider, so it never changes, and it names another machine
    /// if the provider uses the id again.
    #[must_use]
    pub fn uuid(&self) -> String {
        libcloud_v2(Some(self.node.id.as_str()), self.driver.info().libcloud_provider)
    }

    /// Gives up the handle for the node.
    #[must_use]
    pub fn into_node(self) -> Node {
        self.node
    }

    /// Asks the provider for the node and shows what it says.
    ///
    /// # Errors
    ///
    /// Those of [`Driver::get`].
    pub async fn refresh(&mut self) -> Result<&Node, DriverError> {
        self.node = self.driver.get(&self.node.id).await?;
        Ok(&self.node)
    }

    /// Reboots the node; the handle then shows `Rebooting`.
    ///
    /// # Errors
    ///
    /// Those of [`Driver::power`].
    pub async fn reboot(&mut self) -> Result<(), DriverError> {
        self.power(PowerAction::Reboot, NodeState::Rebooting).await
    }

    /// Starts the node; the handle then shows `Starting`.
    ///
    /// # Errors
    ///
    /// Those of [`Driver::power`].
    pub async fn start(&mut self) -> Result<(), DriverError> {
        self.power(PowerAction::Start, NodeState::Starting).await
    }

    /// Stops the node; the handle then shows `Stopping`.
    ///
    /// # Errors
    ///
    /// Those of [`Driver::power`].
    pub async fn stop(&mut self) -> Result<(), DriverError> {
        self.power(PowerAction::Stop, NodeState::Stopping).await
    }

    /// Destroys the node; the handle then shows what the provider shows, or `Terminated` if the node is gone.
    ///
    /// # Errors
    ///
    /// Those of [`Driver::destroy`].
    pub async fn destroy(&mut self) -> Result<(), DriverError> {
        self.driver.destroy(&self.node.id).await?;
        match self.driver.get(&self.node.id).await {
            Ok(node) => self.node = node,
            Err(err) if err.is_not_found() => self.node.state = NodeState::Terminated,
            // It was accepted; what the node looks like now is another question.
            Err(_) => self.node.state = NodeState::Terminating,
        }
        Ok(())
    }

    async fn power(&mut self, action: PowerAction, then: NodeState) -> Result<(), DriverError> {
        self.driver.power(&self.node.id, action).await?;
        match self.driver.get(&self.node.id).await {
            Ok(node) => self.node = node,
            Err(_) => self.node.state = then,
        }
        Ok(())
    }
}

impl Deref for NodeHandle {
    type Target = Node;

    fn deref(&self) -> &Node {
        &self.node
    }
}

impl PartialEq for NodeHandle {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.driver, &other.driver) && self.node == other.node
    }
}

impl fmt::Debug for NodeHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NodeHandle").field("node", &self.node).field("driver", self.driver.info()).finish()
    }
}

impl fmt::Display for NodeHandle {
    /// Shows the node as libcloud's `repr` does.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |ips: &[std::net::IpAddr]| {
            let quoted: Vec<_> = ips.iter().map(|ip| format!("'{ip}'")).collect();
            quoted.join(", ")
        };
        write!(
            f,
            "<Node: uuid={}, name={}, state={}, public_ips=[{}], private_ips=[{}], provider={} ...>",
            self.uuid(),
            self.node.name,
            self.node.state.to_string().to_uppercase(),
            list(&self.node.public_ips),
            list(&self.node.private_ips),
            self.driver.info().title,
        )
    }
}
