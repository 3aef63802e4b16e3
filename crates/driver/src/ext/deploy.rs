//! Creating a node and running something on it.

mod connect;
mod error;
mod file;
mod invalid;
mod login;
mod options;
mod phases;
mod progress;
mod quote;
mod script;
mod shell;
mod ssh_key;

use std::{error::Error, net::IpAddr, sync::Arc};

use async_trait::async_trait;
use vmpool_model::Node;

pub(super) use self::phases::deploy;
pub use self::{
    connect::{Connect, ConnectError},
    error::DeployError,
    file::FileDeployment,
    invalid::InvalidDeployment,
    options::{ConnectOptions, DeployOptions},
    progress::DeployProgress,
    quote::quote,
    script::ScriptDeployment,
    shell::{Shell, ShellError, ShellOutput},
    ssh_key::SshKeyDeployment,
};
use crate::Auth;

/// Why a step of a deployment failed.
///
/// A [`ShellError`] in it, or among its causes, says whether it is worth another try.
pub type StepError = Box<dyn Error + Send + Sync>;

/// Something to be run on a new node, such as installing a key or running a script over SSH.
///
/// It may be run several times, see [`DeployOptions::max_tries`].
/// Source: libcloud's `Deployment`.
#[async_trait]
pub trait Deployment: Send + Sync {
    /// Runs it.
    ///
    /// # Errors
    ///
    /// Whatever makes the node useless as it is.
    async fn run(&self, target: &DeployTarget) -> Result<(), StepError>;

    /// Returns whether it needs [`DeployTarget::shell`]; without a way to get one no node is created then.
    fn needs_shell(&self) -> bool {
        false
    }
}

/// A new node, and how to reach it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct DeployTarget {
    /// The node, running.
    pub node: Node,
    /// Its address on the interface that was waited for.
    pub address: IpAddr,
    /// How to log in.
    pub auth: Option<Auth>,
    shell: Option<Arc<dyn Shell>>,
}

impl DeployTarget {
    /// Makes a target without a shell.
    #[must_use]
    pub fn new(node: Node, address: IpAddr, auth: Option<Auth>) -> Self {
        Self { node, address, auth, shell: None }
    }

    /// Gives it a shell on the node.
    #[must_use]
    pub fn with_shell(self, shell: Arc<dyn Shell>) -> Self {
        Self { shell: Some(shell), ..self }
    }

    /// Returns the shell on the node.
    ///
    /// # Errors
    ///
    /// [`ShellError::None`] if the deployment was begun without [`DeployOptions::with_connection`].
    pub fn shell(&self) -> Result<&dyn Shell, ShellError> {
        self.shell.as_deref().ok_or(ShellError::None)
    }
}

/// Several deployments, run in their order; the first one that fails ends them.
///
/// Source: libcloud's `MultiStepDeployment`.
#[derive(Clone, Default)]
pub struct MultiStep {
    steps: Vec<Arc<dyn Deployment>>,
}

impl MultiStep {
    /// Makes a deployment without steps.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a step behind the others.
    #[must_use]
    pub fn with(mut self, step: impl Deployment + 'static) -> Self {
        self.steps.push(Arc::new(step));
        self
    }
}

#[async_trait]
impl Deployment for MultiStep {
    async fn run(&self, target: &DeployTarget) -> Result<(), StepError> {
        for step in &self.steps {
            step.run(target).await?;
        }
        Ok(())
    }

    fn needs_shell(&self) -> bool {
        self.steps.iter().any(|step| step.needs_shell())
    }
}

/// A step that its owner keeps, to look at it afterwards.
#[async_trait]
impl<T: Deployment + ?Sized> Deployment for Arc<T> {
    async fn run(&self, target: &DeployTarget) -> Result<(), StepError> {
        (**self).run(target).await
    }

    fn needs_shell(&self) -> bool {
        (**self).needs_shell()
    }
}

impl std::fmt::Debug for MultiStep {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MultiStep").field("steps", &self.steps.len()).finish()
    }
}
