//! Checks whether a VM can be used.

use std::{net::SocketAddr, time::Duration};

use async_trait::async_trait;
use tokio::{net::TcpStream, task::JoinSet};
use vmpool_model::{NodeView, PoolName, VmName, config::CheckConfig};

/// A VM to be checked, and how.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct CheckTarget {
    /// The VM.
    pub vm: VmName,
    /// Its pool.
    pub pool: PoolName,
    /// Its node as last seen.
    pub node: NodeView,
    /// How to check.
    pub check: CheckConfig,
    /// How long the check may take: it is given up after that.
    pub timeout: Duration,
}

impl CheckTarget {
    /// Makes a target.
    #[must_use]
    pub fn new(vm: VmName, pool: PoolName, node: NodeView, check: CheckConfig, timeout: Duration) -> Self {
        Self { vm, pool, node, check, timeout }
    }
}

/// Checks whether VMs can be used.
///
/// The manager gives a check up when its time is over, and takes a panic for a failure.
#[async_trait]
pub trait Checker: std::fmt::Debug + Send + Sync + 'static {
    /// Checks one VM.
    ///
    /// # Errors
    ///
    /// What is wrong with the VM, for people.
    async fn check(&self, target: &CheckTarget) -> Result<(), String>;
}

/// Does the checks that a pool's configuration can name, over the network.
#[derive(Debug, Clone, Copy, Default)]
#[non_exhaustive]
pub struct NetworkChecker;

impl NetworkChecker {
    /// Makes a checker.
    #[must_use]
    pub fn new() -> Self {
        Self
    }
}

#[async_trait]
impl Checker for NetworkChecker {
    async fn check(&self, target: &CheckTarget) -> Result<(), String> {
        match &target.check {
            CheckConfig::None => Ok(()),
            CheckConfig::Tcp { port } => connect_to_any(target, *port).await,
            _ => Err(format!("this checker does not know how to do {:?}", target.check)),
        }
    }
}

/// Tries all addresses at once, because one that swallows packets would use up the time of the others.
async fn connect_to_any(target: &CheckTarget, port: u16) -> Result<(), String> {
    let mut attempts = JoinSet::new();
    for address in target.node.addresses.iter().map(|ip| SocketAddr::new(*ip, port)) {
        attempts.spawn(async move {
            TcpStream::connect(address).await.map_err(|err| format!("{address}: {err}"))
        });
    }
    let mut problems = Vec::new();
    while let Some(attempt) = attempts.join_next().await {
        match attempt {
            Ok(Ok(_connection)) => return Ok(()),
            Ok(Err(problem)) => problems.push(problem),
            Err(err) => problems.push(err.to_string()),
        }
    }
    problems.sort();
    match problems.is_empty() {
        true => Err("the node has no address".to_owned()),
        false => Err(problems.join("; ")),
    }
}
