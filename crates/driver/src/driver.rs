//! The contract that every driver keeps.

use async_trait::async_trait;
use vmpool_model::{Node, NodeId, Timestamp};

use crate::{
    Capabilities, Catalog, CreateRequest, DriverError, DriverInfo, HintStream, Listing, Operation,
    PowerAction,
};

/// Speaks to one account on one kind of cloud.
///
/// # Contract
///
/// * A driver never sleeps, retries or caches: each method is one attempt.
/// * An unknown state, field or error code is kept and reported as unknown; it never panics, and it
///   never makes a node look gone.
/// * [`create`](Self::create) puts the request's token on the node in the very request that creates
///   it, and from then on every listing that holds the node shows the token.
/// * A method of an undeclared capability fails with
///   [`FailureKind::Unsupported`](vmpool_model::FailureKind::Unsupported) and changes nothing.
/// * An error says whether the operation may have happened.
///
/// Optional methods have a default that is `Unsupported`. A wrapper (see [`Layer`](crate::Layer)) must
/// forward every method; deny `clippy::missing_trait_methods` on its `impl`.
///
/// # Cancel safety
///
/// Dropping a returned future abandons the answer, not the operation: what had been sent may still happen.
#[async_trait]
pub trait Driver: std::fmt::Debug + Send + Sync + 'static {
    /// Describes the driver and what it speaks to; no request is made.
    fn info(&self) -> &DriverInfo;

    /// Returns what the driver and its cloud can do; no request is made.
    fn capabilities(&self) -> Capabilities;

    /// Lists the nodes of the account, and says whether the listing is complete.
    ///
    /// # Errors
    ///
    /// If nothing at all could be listed. A part is a [`Listing::partial`], not an error.
    async fn list(&self) -> Result<Listing, DriverError>;

    /// Gets one node.
    ///
    /// # Errors
    ///
    /// `NotFound` if the provider knows no such node; everything else says nothing about the node.
    async fn get(&self, id: &NodeId) -> Result<Node, DriverError>;

    /// Creates a node and returns it as the provider first shows it, most often pending.
    ///
    /// # Errors
    ///
    /// With certainty `Unknown` the node may exist: look it up by its token before repeating the request.
    async fn create(&self, request: &CreateRequest) -> Result<Node, DriverError>;

    /// Begins to destroy a node, whatever its state; success means accepted, not gone.
    ///
    /// # Errors
    ///
    /// `NotFound` if the provider knows no such node.
    async fn destroy(&self, id: &NodeId) -> Result<(), DriverError>;

    /// Begins to start, stop or reboot a node; success means accepted.
    ///
    /// # Errors
    ///
    /// `InvalidState` if the node's state forbids it, and nothing changes then.
    async fn power(&self, id: &NodeId, action: PowerAction) -> Result<(), DriverError> {
        let _ = id;
        Err(DriverError::unsupported(action.operation()))
    }

    /// Lists sizes, images and locations; needs `Capabilities::catalog`.
    ///
    /// # Errors
    ///
    /// If the provider refuses or does not answer.
    async fn catalog(&self) -> Result<Catalog, DriverError> {
        Err(DriverError::unsupported(Operation::Catalog))
    }

    /// Tells the cloud to end the node by itself at `at`, as a guard against leaks even when vmpool is
    /// gone; needs `Capabilities::set_expiry`.
    ///
    /// # Errors
    ///
    /// If the provider refuses or does not answer.
    async fn set_expiry(&self, id: &NodeId, at: Timestamp) -> Result<(), DriverError> {
        let _ = (id, at);
        Err(DriverError::unsupported(Operation::SetExpiry))
    }

    /// Opens the stream of what the provider says by itself about changes; needs `Capabilities::hints`.
    ///
    /// It is open once this returns: a hint about what happens from then on comes, unless it is lost. Nothing is said of what
    /// happened before. Whoever uses hints goes on listing, since any of them may be lost; what opens the stream again after it
    /// ended is up to the caller, too.
    ///
    /// # Errors
    ///
    /// If the provider refuses or does not answer; `Unsupported` also if only the provider itself can tell that it has no such
    /// stream, and then it is of no use to ask again.
    async fn hints(&self) -> Result<Box<dyn HintStream>, DriverError> {
        Err(DriverError::unsupported(Operation::Hints))
    }
}

/// Shows that the trait can be used as an object.
const _: fn(&dyn Driver) = |_| {};
