//! Starting, stopping and rebooting.

use vmpool_driver::PowerAction;
use vmpool_model::{FailureKind, NodeId, states::NodeState};

use crate::driver::{DriverHarness, RuleResult, steps::refused, violation::ensure};

/// A running node stops, is still there, and starts again; needs `Capabilities::stop`, and `start` for the last part.
///
/// # Errors
///
/// If it does not get to the state, or loses its id or name on the way.
pub async fn a_stopped_node_is_kept_and_starts_again(harness: &DriverHarness) -> RuleResult {
    let capabilities = harness.driver.capabilities();
    if !capabilities.stop {
        return Ok(());
    }
    let before = harness.running_node().await?;
    harness.driver.power(&before.id, PowerAction::Stop).await?;
    let stopped = harness.reaches(&before.id, NodeState::Stopped).await?;
    ensure(stopped.name == before.name, || format!("{:?} has stopped as {:?}", before.name, stopped.name))?;
    harness.appears(&before.id).await?;
    if capabilities.start {
        harness.driver.power(&before.id, PowerAction::Start).await?;
        harness.reaches(&before.id, NodeState::Running).await?;
    }
    Ok(())
}

/// A stopped node can be destroyed; needs `Capabilities::stop`.
///
/// # Errors
///
/// If it cannot.
pub async fn a_stopped_node_can_be_destroyed(harness: &DriverHarness) -> RuleResult {
    if !harness.driver.capabilities().stop {
        return Ok(());
    }
    let node = stopped_node(harness).await?;
    harness.driver.destroy(&node).await?;
    harness.vanishes(&node).await
}

/// A node that is rebooted runs again; needs `Capabilities::reboot`.
///
/// # Errors
///
/// If it does not.
pub async fn a_rebooted_node_runs_again(harness: &DriverHarness) -> RuleResult {
    if !harness.driver.capabilities().reboot {
        return Ok(());
    }
    let before = harness.running_node().await?;
    harness.driver.power(&before.id, PowerAction::Reboot).await?;
    let after = harness.reaches(&before.id, NodeState::Running).await?;
    ensure(after.name == before.name, || format!("{:?} was rebooted and is {:?}", before.name, after.name))
}

/// Starting a running node fails with `InvalidState`, and the node runs on; needs `Capabilities::start`.
///
/// # Errors
///
/// If it fails otherwise or succeeds, or if the node does not run on.
pub async fn a_running_node_cannot_be_started(harness: &DriverHarness) -> RuleResult {
    if !harness.driver.capabilities().start {
        return Ok(());
    }
    let node = harness.running_node().await?;
    is_forbidden(harness, &node.id, PowerAction::Start, NodeState::Running).await
}

/// Stopping or rebooting a stopped node fails with `InvalidState`, and it stays stopped; needs `Capabilities::stop`.
///
/// # Errors
///
/// If one of them fails otherwise or succeeds, or if the node does not stay stopped.
pub async fn a_stopped_node_can_only_be_started(harness: &DriverHarness) -> RuleResult {
    let capabilities = harness.driver.capabilities();
    if !capabilities.stop {
        return Ok(());
    }
    let node = stopped_node(harness).await?;
    is_forbidden(harness, &node, PowerAction::Stop, NodeState::Stopped).await?;
    match capabilities.reboot {
        true => is_forbidden(harness, &node, PowerAction::Reboot, NodeState::Stopped).await,
        false => Ok(()),
    }
}

async fn stopped_node(harness: &DriverHarness) -> RuleResult<NodeId> {
    let node = harness.running_node().await?;
    harness.driver.power(&node.id, PowerAction::Stop).await?;
    Ok(harness.reaches(&node.id, NodeState::Stopped).await?.id)
}

async fn is_forbidden(
    harness: &DriverHarness,
    id: &NodeId,
    action: PowerAction,
    state: NodeState,
) -> RuleResult {
    let what = format!("{} of a node that is {state}", action.operation());
    refused(harness.driver.power(id, action).await, &[FailureKind::InvalidState], &what)?;
    let now = harness.look(id).await?.map(|node| node.state);
    ensure(now == Some(state), || format!("{what}: it was refused, and now the node is {now:?}"))
}
