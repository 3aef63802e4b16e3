//! Checks whether a VM can be used.

mod exec;
mod tcp;

use std::time::Duration;

use async_trait::async_trait;
use vmpool_engine::CheckReport;
use vmpool_model::{NodeView, PoolName, VmName, config::CheckConfig};

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
/// use vmpool_manager::{CheckReport, CheckTarget, Checker, NetworkChecker, model::config::CheckConfig};
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
///     fn validate(&self, check: &CheckConfig) -> Result<(), String> {
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
    /// What is wrong with the configuration, for people.
    fn validate(&self, check: &CheckConfig) -> Result<(), String> {
        let _ = check;
        Ok(())
    }
}

/// Does the checks that a pool's configuration can name.
#[derive(Debug, Clone, Default)]
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
    async fn check(&self, target: &CheckTarget) -> Result<CheckReport, String> {
        match &target.check {
            CheckConfig::None => Ok(CheckReport::default()),
            CheckConfig::Tcp { port } => tcp::check(target, *port).await,
            CheckConfig::Exec { command } => exec::check(target, command).await,
            _ => Err(format!("this checker does not know how to do {:?}", target.check)),
        }
    }

    fn validate(&self, check: &CheckConfig) -> Result<(), String> {
        match check {
            CheckConfig::Exec { command } => {
                command::find_program(command.first().map(String::as_str).unwrap_or_default()).map(drop)
            }
            _ => Ok(()),
        }
    }
}
