//! What callers of a driver like to have, on top of what every driver has.

mod deploy;
mod handles;
mod wait;
mod within;

use std::future::Future;

use vmpool_model::{FailureKind, Node, NodeId, Token};

pub use self::{
    deploy::{
        Connect, ConnectError, ConnectOptions, DeployError, DeployOptions, DeployProgress, DeployTarget,
        Deployment, FileDeployment, InvalidDeployment, MultiStep, ScriptDeployment, Shell, ShellError,
        ShellOutput, SshKeyDeployment, StepError, quote,
    },
    handles::HandleExt,
    wait::{AddressFamily, Interface, UnknownInterface, WaitError, WaitOptions},
};
use crate::{CreateRequest, Driver, DriverError, Operation};

/// What callers like to have; every driver has it.
///
/// `HandleExt` has what returns [`NodeHandle`](crate::NodeHandle)s, because those keep their driver.
pub trait DriverExt: Driver {
    /// Lists all nodes of the account.
    ///
    /// # Errors
    ///
    /// Those of [`Driver::list`], and `Unavailable` if the listing is partial.
    fn list_all(&self) -> impl Future<Output = Result<Vec<Node>, DriverError>> + Send;

    /// Looks for the nodes that carry a token.
    ///
    /// # Errors
    ///
    /// Those of [`Driver::list`].
    fn find_by_token(&self, token: &Token) -> impl Future<Output = Result<Lookup, DriverError>> + Send;

    /// Looks for the nodes that fulfill a condition.
    ///
    /// # Errors
    ///
    /// Those of [`Driver::list`].
    fn find<P>(&self, predicate: P) -> impl Future<Output = Result<Lookup, DriverError>> + Send
    where
        P: Fn(&Node) -> bool + Send;

    /// Waits until all these nodes run and have an address, and returns them in the order of `ids`.
    ///
    /// A node that is not listed is waited for, too: some clouds show new nodes late.
    /// An id that is given twice counts once; without ids there is nothing to wait for.
    /// A listing that fails for a temporary reason counts as one that shows nothing.
    /// Source: libcloud's `wait_until_running`; unlike there, the wait ends at once with a node that is in error, terminating or
    /// terminated, and with one that was listed and is gone: absent from two complete listings in a row and not found when it
    /// is asked for.
    ///
    /// # Errors
    ///
    /// [`WaitError`] says which node never will run, or which nodes did not in time.
    ///
    /// # Cancel safety
    ///
    /// Nothing is changed, so the future can be dropped at any time.
    fn wait_until(
        &self,
        ids: &[NodeId],
        options: &WaitOptions,
    ) -> impl Future<Output = Result<Vec<Node>, WaitError>> + Send;

    /// Creates a node, waits until it runs, logs in if the options have a way to, and runs a deployment on it.
    ///
    /// Before anything is created the driver is asked whether one can log in to new nodes, and the connection whether it can
    /// work at all.
    /// Without a login in the request a password is made up if the driver takes one; a password that was
    /// made up, here or by the cloud, is in the node's `extra["password"]`.
    /// A login is tried until its deadline, with each user name where one is refused; an error that no further try can mend
    /// ends it at once. The deployment is tried [`DeployOptions::max_tries`] times: on a new session if the old one was lost,
    /// and not again if it took too long.
    /// Source: libcloud's `deploy_node`.
    ///
    /// # Errors
    ///
    /// [`DeployError`]; if the node exists, it is in the error, still runs, and is the caller's to destroy.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future may leave a node behind: give the request a token to find it by.
    fn deploy(
        &self,
        request: CreateRequest,
        deployment: &dyn Deployment,
        options: &DeployOptions,
    ) -> impl Future<Output = Result<Node, DeployError>> + Send;
}

/// What a search in a listing found.
#[derive(Debug, Clone, PartialEq)]
#[must_use]
pub enum Lookup {
    /// These nodes; in a partial listing there may be more.
    Found(Vec<Node>),
    /// None, and the listing was complete; a cloud that shows new nodes late may still have one.
    Absent,
    /// None, but the listing was partial, for this reason.
    NotProven(String),
}

impl<T: Driver + ?Sized> DriverExt for T {
    async fn list_all(&self) -> Result<Vec<Node>, DriverError> {
        let listing = self.list().await?;
        match listing.incomplete {
            None => Ok(listing.nodes),
            Some(why) => Err(DriverError::new(Operation::List, FailureKind::Unavailable)
                .with_context(format!("the listing is partial: {why}"))),
        }
    }

    async fn find_by_token(&self, token: &Token) -> Result<Lookup, DriverError> {
        self.find(|node| node.token.as_ref() == Some(token)).await
    }

    async fn find<P>(&self, predicate: P) -> Result<Lookup, DriverError>
    where
        P: Fn(&Node) -> bool + Send,
    {
        let mut listing = self.list().await?;
        listing.nodes.retain(|node| predicate(node));
        Ok(match (listing.nodes.is_empty(), listing.incomplete) {
            (false, _) => Lookup::Found(listing.nodes),
            (true, None) => Lookup::Absent,
            (true, Some(why)) => Lookup::NotProven(why),
        })
    }

    async fn wait_until(&self, ids: &[NodeId], options: &WaitOptions) -> Result<Vec<Node>, WaitError> {
        wait::wait_until(self, ids, options).await
    }

    async fn deploy(
        &self,
        request: CreateRequest,
        deployment: &dyn Deployment,
        options: &DeployOptions,
    ) -> Result<Node, DeployError> {
        deploy::deploy(self, request, deployment, options).await
    }
}
