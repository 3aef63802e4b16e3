//! What `create` is asked for, and what comes of it.

use std::{collections::BTreeSet, sync::Arc};

use tokio::task::JoinSet;
use vmpool_model::FailureKind;

use crate::driver::{DriverHarness, RuleResult, RuleViolation, violation::ensure};

/// A node has the name that it was created with, in the answer and in listings.
///
/// # Errors
///
/// If the name is another one.
pub async fn a_name_is_kept(harness: &DriverHarness) -> RuleResult {
    let request = harness.request();
    let asked = request.name.clone().unwrap_or_default();
    let made = harness.create(&request).await?;
    ensure(made.name == asked, || format!("a node to be named {asked:?} is created as {:?}", made.name))?;
    let listed = harness.appears(&made.id).await?;
    ensure(listed.name == asked, || format!("a node to be named {asked:?} is listed as {:?}", listed.name))
}

/// A node without a name in the request gets one.
///
/// # Errors
///
/// If it has none.
pub async fn a_node_without_a_name_gets_one(harness: &DriverHarness) -> RuleResult {
    let mut request = harness.request();
    request.name = None;
    let made = harness.create(&request).await?;
    ensure(!made.name.is_empty(), || format!("node {} has no name", made.id))
}

/// A token given to `create` is on the node in the answer, in every listing that shows the node, and in look-ups.
///
/// # Errors
///
/// If it is missing or another one anywhere.
pub async fn a_token_is_on_the_node_from_the_first_moment(harness: &DriverHarness) -> RuleResult {
    if !harness.driver.capabilities().create_with_token {
        return Ok(());
    }
    let (request, token) = harness.request_with_token()?;
    let made = harness.create(&request).await?;
    let check = |node: &vmpool_model::Node, place: &str| {
        ensure(node.token.as_ref() == Some(&token), || {
            format!(
                "node {} was created with the token {token} and shows {:?} in {place}",
                node.id, node.token
            )
        })
    };
    check(&made, "the answer")?;
    // The first listing that holds the node is the one that counts.
    check(&harness.appears(&made.id).await?, "a listing")?;
    let what = format!("node {} is found by its id", made.id);
    check(&harness.eventually(&what, async || harness.look(&made.id).await).await?, "a look-up")
}

/// A token stays on its node while the node boots and runs.
///
/// # Errors
///
/// If a listing shows the node without it.
pub async fn a_token_stays_while_the_node_boots(harness: &DriverHarness) -> RuleResult {
    if !harness.driver.capabilities().create_with_token {
        return Ok(());
    }
    let (request, token) = harness.request_with_token()?;
    let made = harness.create(&request).await?;
    let boots = async || match harness.in_listing(&made.id).await? {
        Some(node) if node.token.as_ref() != Some(&token) => {
            Err(RuleViolation::new(format!("node {} loses its token while it is {}", node.id, node.state)))
        }
        Some(node) => Ok((!node.state.is_transient()).then_some(())),
        None => Ok(None),
    };
    harness.eventually(&format!("node {} has booted", made.id), boots).await
}

/// A node that was created without a token shows none.
///
/// # Errors
///
/// If it shows one: then some installation takes it for its own, and destroys it.
pub async fn a_node_without_a_token_shows_none(harness: &DriverHarness) -> RuleResult {
    let made = harness.any_node().await?;
    let listed = harness.appears(&made.id).await?;
    ensure(made.token.is_none() && listed.token.is_none(), || {
        format!("node {} was created without a token and shows {:?}", made.id, made.token.or(listed.token))
    })
}

/// A token that is used again makes no node that its caller does not learn of.
///
/// Whether the second `create` is refused, returns the first node or makes a second one is the driver's choice;
/// but as many nodes carry the token as ids were returned.
///
/// # Errors
///
/// If more or fewer nodes carry it, or if the second call fails otherwise than with `AlreadyExists`.
pub async fn a_repeated_token_makes_no_hidden_node(harness: &DriverHarness) -> RuleResult {
    if !harness.driver.capabilities().create_with_token {
        return Ok(());
    }
    let (request, token) = harness.request_with_token()?;
    let mut ids = BTreeSet::from([harness.create(&request).await?.id]);
    match harness.create(&request).await {
        Ok(node) => drop(ids.insert(node.id)),
        Err(err) if err.kind() == FailureKind::AlreadyExists => {}
        Err(err) => return Err(err.into()),
    }
    for id in &ids {
        harness.appears(id).await?;
    }
    let listing = harness.list().await?;
    let carrying = listing.nodes.iter().filter(|node| node.token.as_ref() == Some(&token));
    let carrying: BTreeSet<_> = carrying.map(|node| node.id.clone()).collect();
    ensure(carrying == ids, || format!("the nodes {ids:?} were returned, and {carrying:?} carry {token}"))
}

/// A new node never gets the id of one that lives, also after another one was destroyed.
///
/// # Errors
///
/// If two living nodes have the same id.
pub async fn living_nodes_have_ids_of_their_own(harness: &DriverHarness) -> RuleResult {
    let first = harness.any_node().await?;
    let second = harness.any_node().await?;
    harness.appears(&first.id).await?;
    harness.driver.destroy(&first.id).await?;
    harness.vanishes(&first.id).await?;
    let last = harness.any_node().await?;
    ensure(last.id != second.id, || format!("a new node has the id {} of one that lives", last.id))?;
    let shown = harness.appears(&second.id).await?;
    ensure(shown.name == second.name, || format!("node {} has become {:?}", second.id, shown.name))
}

/// Nodes that are created at the same time are as many as were asked for, each with its own id and name.
///
/// # Errors
///
/// If two answers show the same node, or a node is not listed under its name.
pub async fn nodes_created_at_once_are_distinct(harness: &DriverHarness) -> RuleResult {
    const AT_ONCE: usize = 4;
    let mut creates = JoinSet::new();
    for _ in 0..AT_ONCE {
        let (driver, request) = (Arc::clone(&harness.driver), harness.request());
        creates.spawn(async move { (driver.create(&request).await, request.name) });
    }
    let mut made = Vec::new();
    let mut failed = None;
    while let Some(ended) = creates.join_next().await {
        match ended {
            Ok((Ok(node), asked)) => {
                harness.remember(&node.id);
                made.push((node.id, asked.unwrap_or_default()));
            }
            Ok((Err(err), _)) => failed = Some(RuleViolation::from(err)),
            Err(err) => failed = Some(RuleViolation::new(format!("create ends abnormally: {err}"))),
        }
    }
    if let Some(violation) = failed {
        return Err(violation);
    }
    let ids: BTreeSet<_> = made.iter().map(|(id, _)| id).collect();
    ensure(ids.len() == AT_ONCE, || format!("{AT_ONCE} creates at once returned the ids {ids:?}"))?;
    for (id, asked) in &made {
        let listed = harness.appears(id).await?;
        ensure(listed.name == *asked, || format!("node {id} was to be {asked:?} and is {:?}", listed.name))?;
    }
    Ok(())
}
