//! Checks whether a VM can be used.

mod exec;
mod http;
mod ssh;
mod tcp;

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use async_trait::async_trait;
use tokio::task::JoinSet;
use vmpool_engine::CheckReport;
use vmpool_model::{
    NodeView, PoolName, VmName,
    config::{CheckConfig, InvalidConfig},
};

use crate::command;

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
    /// The host key that it must show, if one is pinned.
    pub host_key: Option<String>,
    /// How long the check may take: it is given up after that.
    pub timeout: Duration,
}

impl CheckTarget {
    /// Makes a target whose host key is not known.
    #[must_use]
    pub fn new(vm: VmName, pool: PoolName, node: NodeView, check: CheckConfig, timeout: Duration) -> Self {
        Self { vm, pool, node, check, host_key: None, timeout }
    }

    /// Pins the host key that the VM must show.
    #[must_use]
    pub fn with_host_key(self, host_key: Option<String>) -> Self {
        Self { host_key, ..self }
    }
}

/// Checks whether VMs can be used.
///
/// The manager gives a check up when its time is over, and takes a panic for a failure.
///
/// # Examples
///
/// A check of your own; `NetworkChecker` can still do all others.
///
/// ```
/// use async_trait::async_trait;
/// use vmpool_manager::{CheckReport, CheckTarget, Checker, NetworkChecker, model::config::{CheckConfig, InvalidConfig}};
///
/// #[derive(Debug)]
/// struct NoTestNets(NetworkChecker);
///
/// #[async_trait]
/// impl Checker for NoTestNets {
///     async fn check(&self, target: &CheckTarget) -> Result<CheckReport, String> {
///         match target.node.addresses.iter().find(|ip| ip.is_loopback()) {
///             Some(ip) => Err(format!("{ip} is no address of a VM")),
///             None => self.0.check(target).await,
///         }
///     }
///
///     fn validate(&self, check: &CheckConfig) -> Result<(), InvalidConfig> {
///         self.0.validate(check)
///     }
/// }
/// ```
///
/// # Cancel safety
///
/// Dropping the future is to end whatever it began: that is how a check is given up.
#[async_trait]
pub trait Checker: std::fmt::Debug + Send + Sync + 'static {
    /// Checks one VM, and says what was found out about it.
    ///
    /// # Errors
    ///
    /// What is wrong with the VM, for people.
    async fn check(&self, target: &CheckTarget) -> Result<CheckReport, String>;

    /// Says early why a check could never be made. Default: nothing is known against it.
    ///
    /// # Errors
    ///
    /// The key below `check` that does not fit, and why.
    fn validate(&self, check: &CheckConfig) -> Result<(), InvalidConfig> {
        let _ = check;
        Ok(())
    }
}

/// Does the checks that a pool's configuration can name.
///
/// | check | passes if |
/// |---|---|
/// | `none` | always |
/// | `tcp` | one address takes a connection |
/// | `ssh` | a command on the VM prints what is expected; see [`SshCheck`](vmpool_model::config::SshCheck) |
/// | `http` | a `GET` is answered as expected; see [`HttpCheck`](vmpool_model::config::HttpCheck) |
/// | `exec` | a command on this host, with the VM in its environment, ends with exit code 0 |
///
/// All addresses of a node are tried at once, and one that passes is enough.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct NetworkChecker {
    ssh_program: PathBuf,
}

impl NetworkChecker {
    /// Makes a checker.
    #[must_use]
    pub fn new() -> Self {
        Self { ssh_program: PathBuf::from("ssh") }
    }

    /// Takes another program than the `ssh` in `PATH`; it must know the options of OpenSSH.
    #[must_use]
    pub fn with_ssh_program(self, ssh_program: impl Into<PathBuf>) -> Self {
        Self { ssh_program: ssh_program.into() }
    }
}

impl Default for NetworkChecker {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl Checker for NetworkChecker {
    async fn check(&self, target: &CheckTarget) -> Result<CheckReport, String> {
        match &target.check {
            CheckConfig::None => Ok(CheckReport::default()),
            CheckConfig::Tcp { port } => at_any_address(target, *port, tcp::check).await,
            CheckConfig::Ssh(check) => {
                let attempt =
                    |address| ssh::check(self.ssh_program.clone(), address, target.clone(), check.clone());
                at_any_address(target, check.port, attempt).await
            }
            CheckConfig::Http(check) => {
                at_any_address(target, check.port, |address| http::check(address, check.clone())).await
            }
            CheckConfig::Exec { command } => exec::check(target, command).await,
            _ => Err(format!("this checker does not know how to do {:?}", target.check)),
        }
    }

    fn validate(&self, check: &CheckConfig) -> Result<(), InvalidConfig> {
        match check {
            CheckConfig::Ssh(check) => ssh::validate(&self.ssh_program, check),
            CheckConfig::Http(check) => http::validate(check),
            CheckConfig::Exec { command } => {
                let program = command.first().map(String::as_str).unwrap_or_default();
                command::find_program(program).map(drop).map_err(|reason| misfit("command[0]", reason))
            }
            _ => Ok(()),
        }
    }
}

/// Tries all addresses of a node at once, because one that swallows packets would use up the time of the others; one
/// that passes is enough.
async fn at_any_address<F>(
    target: &CheckTarget,
    port: u16,
    attempt: impl Fn(SocketAddr) -> F,
) -> Result<CheckReport, String>
where
    F: Future<Output = Result<CheckReport, String>> + Send + 'static,
{
    let mut attempts = JoinSet::new();
    for ip in &target.node.addresses {
        attempts.spawn(attempt(SocketAddr::new(*ip, port)));
    }
    let mut problems = Vec::new();
    while let Some(ended) = attempts.join_next().await {
        match ended {
            Ok(Ok(report)) => return Ok(report),
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

fn misfit(key: &'static str, reason: String) -> InvalidConfig {
    InvalidConfig { key: key.into(), reason }
}
