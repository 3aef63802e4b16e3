//! Creating a node and running something on it.

use std::{
    error::Error,
    hash::{BuildHasher, RandomState},
    net::IpAddr,
    sync::Arc,
};

use async_trait::async_trait;
use vmpool_model::{Certainty, FailureKind, Node};

use super::{DriverExt, WaitError, WaitOptions};
use crate::{Auth, Capabilities, CreateRequest, Driver, DriverError, Operation};

/// Why a step of a deployment failed.
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
}

/// Several deployments, run in their order; the first one that fails ends them.
///
/// Source: libcloud's `MultiStepDeployment`.
#[derive(Clone, Default)]
pub struct MultiStep {
    steps: Vec<Arc<dyn Deployment>>,
}

/// How to deploy.
#[derive(Clone)]
#[non_exhaustive]
pub struct DeployOptions {
    /// How to wait for the node.
    pub wait: WaitOptions,
    /// How often the deployment is tried; at least once. Default: 3.
    pub max_tries: usize,
    /// Makes up a password; by default 128 random bits as hexadecimal digits.
    pub password: Arc<dyn Fn() -> String + Send + Sync>,
}

/// Says why a deployment failed, and which node it leaves behind.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DeployError {
    /// The driver cannot do what was asked for; no node was created.
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
}

impl std::fmt::Debug for MultiStep {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MultiStep").field("steps", &self.steps.len()).finish()
    }
}

impl DeployOptions {
    /// Deploys with these rules for the wait, and the defaults.
    #[must_use]
    pub fn new(wait: WaitOptions) -> Self {
        Self { wait, max_tries: 3, password: Arc::new(random_password) }
    }

    /// Chooses how often the deployment is tried.
    #[must_use]
    pub fn with_max_tries(self, max_tries: usize) -> Self {
        Self { max_tries, ..self }
    }

    /// Chooses how passwords are made up.
    #[must_use]
    pub fn with_password(self, password: impl Fn() -> String + Send + Sync + 'static) -> Self {
        Self { password: Arc::new(password), ..self }
    }
}

impl std::fmt::Debug for DeployOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DeployOptions")
            .field("wait", &self.wait)
            .field("max_tries", &self.max_tries)
            .finish_non_exhaustive()
    }
}

impl DeployError {
    /// Returns the node that exists and is the caller's to destroy.
    #[must_use]
    pub fn node(&self) -> Option<&Node> {
        match self {
            Self::Wait { node, .. } | Self::Step { node, .. } => Some(node),
            Self::Refused(_) | Self::Create(_) => None,
        }
    }
}

/// Deploys; see [`DriverExt::deploy`].
pub(super) async fn deploy<D: Driver + ?Sized>(
    driver: &D,
    mut request: CreateRequest,
    deployment: &dyn Deployment,
    options: &DeployOptions,
) -> Result<Node, DeployError> {
    let capabilities = driver.capabilities();
    check(capabilities, request.auth.as_ref()).map_err(DeployError::Refused)?;
    let mut made_up = None;
    if request.auth.is_none() && capabilities.create_with_password {
        let password = (options.password)();
        request.auth = Some(Auth::Password(password.clone()));
        made_up = Some(password);
    }
    let mut created = driver.create(&request).await.map_err(DeployError::Create)?;
    let password = made_up.or_else(|| created.extra.get("password").cloned());
    let keep_password = |node: &mut Node| {
        if let Some(password) = &password {
            node.extra.insert("password".to_owned(), password.clone());
        }
    };
    keep_password(&mut created);
    let (mut node, address) = match wait(driver, &created, &options.wait).await {
        Ok(ready) => ready,
        Err(source) => return Err(DeployError::Wait { node: Box::new(created), source }),
    };
    keep_password(&mut node);
    let auth = request.auth.or_else(|| password.clone().map(Auth::Password));
    let target = DeployTarget { node, address, auth };
    let mut tries = 0;
    loop {
        tries += 1;
        match deployment.run(&target).await {
            Ok(()) => return Ok(target.node),
            Err(_) if tries < options.max_tries => {}
            Err(source) => return Err(DeployError::Step { node: Box::new(target.node), tries, source }),
        }
    }
}

/// Waits for one new node and returns it with the address that counts.
async fn wait<D: Driver + ?Sized>(
    driver: &D,
    created: &Node,
    options: &WaitOptions,
) -> Result<(Node, IpAddr), WaitError> {
    let ready = driver.wait_until(std::slice::from_ref(&created.id), options).await?;
    let found = ready.into_iter().find_map(|node| options.address(&node).map(|address| (node, address)));
    found.ok_or_else(|| WaitError::TimedOut {
        after: std::time::Duration::ZERO,
        waiting: vec![(created.id.clone(), None)],
        source: None,
    })
}

/// Checks that one can log in to a new node, before there is one.
fn check(capabilities: Capabilities, auth: Option<&Auth>) -> Result<(), DriverError> {
    let Capabilities { create_with_ssh_key, create_with_password, create_generates_password, .. } =
        capabilities;
    let (fits, missing) = match auth {
        Some(Auth::SshKey(_)) => (create_with_ssh_key, "an SSH key was given, and it takes none"),
        Some(Auth::Password(_)) => (create_with_password, "a password was given, and it takes none"),
        None => (
            create_with_password || create_generates_password,
            "no login was given, and it makes up no password",
        ),
    };
    let context = match create_with_ssh_key || create_with_password || create_generates_password {
        true if fits => return Ok(()),
        true => missing,
        false => "this driver takes no login for new nodes",
    };
    Err(DriverError::new(Operation::Deploy, FailureKind::Unsupported)
        .with_certainty(Certainty::NotApplied)
        .with_context(context))
}

/// Makes up a password of 128 bits from the operating system's randomness, by way of the keys of the standard hasher.
fn random_password() -> String {
    let word = || RandomState::new().hash_one(0_u8);
    format!("{:016x}{:016x}", word(), word())
}
