//! From the creation of a node to its end.

use std::{future::poll_fn, task::Poll};

use vmpool_model::states::NodeState;

use crate::driver::{DriverHarness, RuleResult, RuleViolation, violation::ensure};

/// A node that was created appears in a listing, stays there, and is gone after it was destroyed.
///
/// # Errors
///
/// If it does not appear, vanishes by itself, or does not vanish when it should.
pub async fn a_created_node_is_listed_until_it_is_destroyed(harness: &DriverHarness) -> RuleResult {
    let node = harness.any_node().await?;
    harness.appears(&node.id).await?;
    ensure(harness.in_listing(&node.id).await?.is_some(), || {
        format!("node {} is in one listing and not in the next", node.id)
    })?;
    harness.driver.destroy(&node.id).await?;
    harness.vanishes(&node.id).await
}

/// A node that was created is found by the id that `create` returned.
///
/// # Errors
///
/// If it is not found, or another node is.
pub async fn a_created_node_is_found_by_its_id(harness: &DriverHarness) -> RuleResult {
    let made = harness.any_node().await?;
    let what = format!("node {} is found by its id", made.id);
    let found = harness.eventually(&what, async || harness.look(&made.id).await).await?;
    ensure(found.id == made.id && found.name == made.name, || {
        format!("asked for node {} ({}), got {} ({})", made.id, made.name, found.id, found.name)
    })
}

/// A node that was created runs in the end.
///
/// # Errors
///
/// If it does not.
pub async fn a_created_node_runs_in_the_end(harness: &DriverHarness) -> RuleResult {
    let node = harness.any_node().await?;
    harness.reaches(&node.id, NodeState::Running).await.map(drop)
}

/// A node can be destroyed before it has booted.
///
/// # Errors
///
/// If it cannot.
pub async fn a_new_node_can_be_destroyed_at_once(harness: &DriverHarness) -> RuleResult {
    let node = harness.any_node().await?;
    harness.appears(&node.id).await?;
    harness.driver.destroy(&node.id).await?;
    harness.vanishes(&node.id).await
}

/// Destroying a node destroys that node and no other.
///
/// # Errors
///
/// If another node is gone or being destroyed, too.
pub async fn destroying_a_node_leaves_the_others(harness: &DriverHarness) -> RuleResult {
    let doomed = harness.running_node().await?;
    let other = harness.running_node().await?;
    harness.driver.destroy(&doomed.id).await?;
    harness.vanishes(&doomed.id).await?;
    still_runs(harness, &other).await
}

/// Destroying a node twice is accepted or answered with `NotFound`, and harms no other node.
///
/// # Errors
///
/// If the second call fails otherwise, or another node is gone.
pub async fn destroying_a_node_twice_harms_no_other(harness: &DriverHarness) -> RuleResult {
    let doomed = harness.running_node().await?;
    let other = harness.running_node().await?;
    harness.driver.destroy(&doomed.id).await?;
    again(harness, &doomed).await?;
    harness.vanishes(&doomed.id).await?;
    again(harness, &doomed).await?;
    still_runs(harness, &other).await
}

/// A call whose caller goes away leaves the driver usable.
///
/// # Errors
///
/// If a later call fails, or is never answered.
pub async fn a_dropped_call_leaves_the_driver_usable(harness: &DriverHarness) -> RuleResult {
    let node = harness.running_node().await?;
    begin_and_drop(harness.driver.list()).await;
    begin_and_drop(harness.driver.get(&node.id)).await;
    begin_and_drop(harness.driver.destroy(&node.id)).await;
    let _ = harness.list().await?;
    harness.running_node().await.map(drop)
}

async fn begin_and_drop<T>(mut call: std::pin::Pin<Box<dyn Future<Output = T> + Send + '_>>) {
    poll_fn(|context| {
        let _ = call.as_mut().poll(context);
        Poll::Ready(())
    })
    .await;
}

async fn again(harness: &DriverHarness, doomed: &vmpool_model::Node) -> RuleResult {
    match harness.driver.destroy(&doomed.id).await {
        Ok(()) => Ok(()),
        Err(err) if err.is_not_found() => Ok(()),
        Err(err) => {
            Err(RuleViolation::new("destroying a node again fails with something else than not_found")
                .with_cause(err))
        }
    }
}

async fn still_runs(harness: &DriverHarness, node: &vmpool_model::Node) -> RuleResult {
    let found = harness.look(&node.id).await?;
    ensure(found.as_ref().is_some_and(|found| found.state == NodeState::Running), || {
        format!("node {} was not to be destroyed, and now it is {:?}", node.id, found.map(|node| node.state))
    })?;
    harness.appears(&node.id).await.map(drop)
}
