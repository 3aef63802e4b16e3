//! Hints: what a provider says by itself about what may have changed.

use async_trait::async_trait;
use vmpool_model::NodeId;

use crate::DriverError;

/// Says that something may have changed at a provider, so that a look is worth it.
///
/// A hint proves nothing: it may be lost, doubled, late or wrong, and it never says what has become of a node.
/// Only [`Driver::get`](crate::Driver::get) and [`Driver::list`](crate::Driver::list) say that.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Hint {
    /// Something may have changed about this node, which may be new, gone, or somebody else's.
    Node(NodeId),
    /// Something may have changed about any node of the account.
    Provider,
}

/// Brings the hints of a provider as they come; made by [`Driver::hints`](crate::Driver::hints).
///
/// # Contract
///
/// * What the driver cannot understand is no failure: it is passed over, or a hint that names no node.
/// * The stream never waits for its reader: whoever does not read for long loses hints, not the provider its memory.
/// * It is read in order and by one reader; dropping it ends it.
/// * It ends with an error, and only so; it is not asked again after that.
#[async_trait]
pub trait HintStream: std::fmt::Debug + Send + 'static {
    /// Waits for the next hint, for as long as none comes.
    ///
    /// # Errors
    ///
    /// If the stream has ended: most often `Unavailable`, if the provider closed it or the connection broke.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses no hint; the next call goes on where this one was.
    async fn next(&mut self) -> Result<Hint, DriverError>;
}

/// Shows that the trait can be used as an object.
const _: fn(&mut dyn HintStream) = |_| {};
