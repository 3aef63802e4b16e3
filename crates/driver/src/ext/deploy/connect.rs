//! Getting a shell on a new node.

use std::{fmt, sync::Arc};

use async_trait::async_trait;

use super::{DeployTarget, Shell};

/// A way to get a shell on a new node, such as the host's `ssh`.
#[async_trait]
pub trait Connect: fmt::Debug + Send + Sync {
    /// Checks, before there is a node, that the way can be gone at all; by default it can.
    ///
    /// # Errors
    ///
    /// [`ConnectError::Fatal`], if a program or a key is missing.
    async fn check(&self) -> Result<(), ConnectError> {
        Ok(())
    }

    /// Logs in once; the shell works when this returns.
    ///
    /// # Errors
    ///
    /// [`ConnectError`], whose kind decides about another try.
    async fn connect(&self, target: &DeployTarget, user: &str) -> Result<Arc<dyn Shell>, ConnectError>;
}

/// Says why there is no shell on a node.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// Nobody answers, or not as expected; it is tried again until the deadline.
    #[error("not reachable: {0}")]
    Unreachable(String),
    /// The node answers and does not let this user in; the next user name is tried.
    #[error("the login as {user} was refused: {reason}")]
    LoginRefused {
        /// The user name.
        user: String,
        /// What the node, or its key check, said.
        reason: String,
    },
    /// It will never work, with no user name; nothing is tried again.
    #[error("no connection is possible: {0}")]
    Fatal(String),
}
