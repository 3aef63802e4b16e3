//! What listings show.

use std::collections::BTreeSet;

use vmpool_model::{Node, states::RawState};

use crate::driver::{DriverHarness, RuleResult, violation::ensure};

/// A listing of a healthy cloud is complete and holds each node once.
///
/// # Errors
///
/// If it says that nodes may be missing, or an id is in it twice.
pub async fn a_listing_is_complete_and_holds_each_node_once(harness: &DriverHarness) -> RuleResult {
    let made = [harness.any_node().await?, harness.any_node().await?];
    for node in &made {
        harness.appears(&node.id).await?;
    }
    let listing = harness.list().await?;
    let ids: BTreeSet<_> = listing.nodes.iter().map(|node| &node.id).collect();
    ensure(ids.len() == listing.nodes.len(), || {
        format!("{} entries of a listing have {} ids", listing.nodes.len(), ids.len())
    })
}

/// Every node comes with its provider's own state, and the uniform state is the one that belongs to it.
///
/// # Errors
///
/// If the provider's state is empty, or the two contradict each other.
pub async fn every_node_carries_its_raw_state(harness: &DriverHarness) -> RuleResult {
    let made = harness.any_node().await?;
    check_raw_state(&made)?;
    harness.appears(&made.id).await?;
    for node in &harness.list().await?.nodes {
        check_raw_state(node)?;
    }
    match harness.look(&made.id).await? {
        Some(node) => check_raw_state(&node),
        None => Ok(()),
    }
}

/// A node looks the same in a listing and when it is asked for alone.
///
/// # Errors
///
/// If its name or its token differ.
pub async fn a_node_is_the_same_in_listings_and_alone(harness: &DriverHarness) -> RuleResult {
    let made = harness.running_node().await?;
    let listed = harness.appears(&made.id).await?;
    let alone = harness.driver.get(&made.id).await?;
    let traits = |node: &Node| (node.id.clone(), node.name.clone(), node.token.clone(), node.created_at);
    ensure(traits(&listed) == traits(&alone), || {
        format!("it is {:?} in a listing and {:?} alone", traits(&listed), traits(&alone))
    })
}

fn check_raw_state(node: &Node) -> RuleResult {
    let raw = &node.raw_state;
    ensure(!raw.to_string().is_empty(), || format!("node {} has no state of its provider", node.id))?;
    // What a text means only its driver knows.
    let agrees = matches!(raw, RawState::Text(_)) || raw.node_state() == node.state;
    ensure(agrees, || format!("node {} is {} and at its provider {raw}", node.id, node.state))
}
