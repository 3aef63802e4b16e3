//! Runs the hooks of pools.

use async_trait::async_trait;
use vmpool_engine::HookRun;
use vmpool_model::config::HookConfig;

use crate::command::{self, Environment};

/// Runs hooks.
///
/// The manager gives a hook up when its time is over, and takes a panic for a failure. A hook may be run twice: after
/// a restart those are run again whose end is not recorded.
///
/// # Cancel safety
///
/// Dropping the future is to end whatever it began: that is how a hook is given up.
#[async_trait]
pub trait HookRunner: std::fmt::Debug + Send + Sync + 'static {
    /// Runs one hook.
    ///
    /// # Errors
    ///
    /// Why it did not end well, for people.
    async fn run(&self, run: &HookRun) -> Result<(), String>;

    /// Says early why a hook could never be run. Default: nothing is known against it.
    ///
    /// # Errors
    ///
    /// What is wrong with the hook's command, for people.
    fn validate(&self, hook: &HookConfig) -> Result<(), String> {
        let _ = hook;
        Ok(())
    }
}

/// Runs hooks as commands on this host, each in a process group of its own that is killed when its time is over.
///
/// The command finds the VM in its environment: `VMPOOL_HOOK`, `VMPOOL_VM`, `VMPOOL_POOL`, `VMPOOL_PROVIDER`,
/// `VMPOOL_NODE_ID`, `VMPOOL_ADDRESS`, `VMPOOL_ADDRESSES` (separated by commas), `VMPOOL_OWNER`, `VMPOOL_SANDBOX`,
/// `VMPOOL_TASK` and `VMPOOL_LEASE`; what is not known is not set. It has no input. If it does not end well, the last
/// 4 KiB of what it printed are in the failure.
///
/// What a command leaves behind when it ends by itself is not touched. If this process is killed by force, its hooks go
/// on; those that were under way are run again after the next start.
#[derive(Debug, Clone, Copy, Default)]
#[non_exhaustive]
pub struct CommandHooks;

impl CommandHooks {
    /// Makes a runner.
    #[must_use]
    pub fn new() -> Self {
        Self
    }
}

#[async_trait]
impl HookRunner for CommandHooks {
    async fn run(&self, run: &HookRun) -> Result<(), String> {
        let environment = Environment::of_hook(run.kind, &run.vm, run.lease.as_ref());
        command::run_well(&run.hook.command, &environment, run.hook.timeout).await
    }

    fn validate(&self, hook: &HookConfig) -> Result<(), String> {
        command::find_program(hook.command.first().map(String::as_str).unwrap_or_default()).map(drop)
    }
}
