//! The error of a deployment, by phase.

use vmpool_model::Node;

use super::{ConnectError, StepError};
use crate::{DriverError, WaitError};

/// Says in which phase a deployment failed and why, and which node it leaves behind.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DeployError {
    /// It could not have worked; no node was created.
    #[error("no node was created: {0}")]
    Refused(#[source] DriverError),
    /// The node could not be created; the cause says whether it may exist all the same.
    #[error(transparent)]
    Create(DriverError),
    /// The node exists and never got ready.
    #[error("deploy failed on node {}, which still exists: {source}", .node.id)]
    Wait {
        /// The node.
        node: Box<Node>,
        /// Why it was not waited for any longer.
        source: WaitError,
    },
    /// The node runs, and there is no shell on it.
    #[error("deploy failed on node {}, which still exists, in {tries} tries to log in: {source}", .node.id)]
    Connect {
        /// The node.
        node: Box<Node>,
        /// How often a login was tried, all user names together.
        tries: usize,
        /// Why the last try failed.
        source: ConnectError,
    },
    /// The node runs, and the deployment failed on it.
    #[error("deploy failed on node {}, which still exists, in {tries} tries: {source}", .node.id)]
    Step {
        /// The node.
        node: Box<Node>,
        /// How often the deployment was tried.
        tries: usize,
        /// Why the last try failed.
        source: StepError,
    },
}

impl DeployError {
    /// Returns the node that exists and is the caller's to destroy.
    #[must_use]
    pub fn node(&self) -> Option<&Node> {
        match self {
            Self::Wait { node, .. } | Self::Connect { node, .. } | Self::Step { node, .. } => Some(node),
            Self::Refused(_) | Self::Create(_) => None,
        }
    }
}
