//! How far a deployment is.

use std::{fmt, net::IpAddr};

use vmpool_model::Node;

/// A phase, or one more try of it, that begins; its `Display` is a line for people.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum DeployProgress<'a> {
    /// The node is asked for.
    Creating,
    /// The node exists and is waited for.
    Waiting {
        /// The node.
        node: &'a Node,
    },
    /// The node runs, and a login is tried.
    Connecting {
        /// The node.
        node: &'a Node,
        /// Its address.
        address: IpAddr,
        /// The user name.
        user: &'a str,
        /// Which try it is, from 1 on.
        attempt: usize,
    },
    /// The deployment is run.
    Running {
        /// The node.
        node: &'a Node,
        /// Which try it is, from 1 on.
        attempt: usize,
    },
    /// All is done.
    Done {
        /// The node.
        node: &'a Node,
    },
}

impl fmt::Display for DeployProgress<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Creating => f.write_str("creating a node"),
            Self::Waiting { node } => write!(f, "waiting until node {} runs", node.id),
            Self::Connecting { node, address, user, attempt } => {
                write!(f, "logging in to node {} at {address} as {user}, try {attempt}", node.id)
            }
            Self::Running { node, attempt } => write!(f, "deploying to node {}, try {attempt}", node.id),
            Self::Done { node } => write!(f, "node {} is deployed", node.id),
        }
    }
}
