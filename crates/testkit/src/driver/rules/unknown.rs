//! Ids that no node has.

use vmpool_driver::PowerAction;
use vmpool_model::{FailureKind, NodeId, Timestamp, states::NodeState};

use crate::driver::{DriverHarness, RuleResult, steps::refused, violation::ensure};

const NOT_FOUND: &[FailureKind] = &[FailureKind::NotFound];

/// Asking for an unknown node fails with `NotFound`.
///
/// # Errors
///
/// If it fails otherwise, or a node is returned.
pub async fn an_unknown_node_is_not_found(harness: &DriverHarness) -> RuleResult {
    let answer = harness.driver.get(&harness.unknown()?).await;
    refused(answer, NOT_FOUND, "getting an unknown node").map(drop)
}

/// Destroying an unknown node fails with `NotFound`.
///
/// # Errors
///
/// If it fails otherwise or succeeds, or if a node is gone.
pub async fn destroying_an_unknown_node_is_not_found(harness: &DriverHarness) -> RuleResult {
    let other = harness.running_node().await?;
    let answer = harness.driver.destroy(&harness.unknown()?).await;
    refused(answer, NOT_FOUND, "destroying an unknown node")?;
    is_untouched(harness, &other.id).await
}

/// Whatever else a driver declares fails with `NotFound` on an unknown node.
///
/// # Errors
///
/// If something fails otherwise or succeeds.
pub async fn nothing_works_on_an_unknown_node(harness: &DriverHarness) -> RuleResult {
    let (capabilities, id) = (harness.driver.capabilities(), harness.unknown()?);
    let actions = [
        (PowerAction::Start, capabilities.start),
        (PowerAction::Stop, capabilities.stop),
        (PowerAction::Reboot, capabilities.reboot),
    ];
    for (action, declared) in actions {
        if declared {
            let what = format!("{} of an unknown node", action.operation());
            refused(harness.driver.power(&id, action).await, NOT_FOUND, &what)?;
        }
    }
    if capabilities.set_expiry {
        let answer = harness.driver.set_expiry(&id, Timestamp::from_millis(i64::MAX / 2)).await;
        refused(answer, NOT_FOUND, "setting when an unknown node ends")?;
    }
    Ok(())
}

/// An id that only resembles a node's is not that node's: ids are compared as they are, and nothing in them is a path.
///
/// # Errors
///
/// If a node is found or destroyed by it, or if it fails otherwise than with `NotFound` or `InvalidRequest`.
pub async fn an_id_that_only_resembles_a_nodes_is_unknown(harness: &DriverHarness) -> RuleResult {
    let kinds = &[FailureKind::NotFound, FailureKind::InvalidRequest];
    let node = harness.running_node().await?;
    let id = &node.id;
    let similar = [
        format!("0{id}"),
        format!("{id}0"),
        format!("./{id}"),
        format!("x/../{id}"),
        format!("{id}/"),
        format!("{id}?x=1"),
        format!("{id}#x"),
        format!("{id}%20"),
    ];
    for text in similar {
        let similar = NodeId::new(&text)?;
        refused(harness.driver.get(&similar).await, kinds, &format!("getting {text:?} beside node {id}"))?;
        let what = format!("destroying {text:?} beside node {id}");
        refused(harness.driver.destroy(&similar).await, kinds, &what)?;
    }
    is_untouched(harness, id).await
}

async fn is_untouched(harness: &DriverHarness, id: &NodeId) -> RuleResult {
    let state = harness.look(id).await?.map(|node| node.state);
    ensure(state == Some(NodeState::Running), || format!("node {id} ran before, and now it is {state:?}"))
}
