//! The check by a command on this host.

use vmpool_engine::CheckReport;

use crate::{
    CheckTarget,
    command::{self, Environment},
};

/// Runs a command with the VM in its environment; exit code 0 means that the VM can be used.
pub(super) async fn check(target: &CheckTarget, command: &[String]) -> Result<CheckReport, String> {
    let environment = Environment::of(&target.vm, &target.pool, Some(&target.node));
    command::run_well(command, &environment, target.timeout).await?;
    Ok(CheckReport::default())
}
