//! One effect carried out: a call to a driver or a checker, always within its time.

use std::{future::Future, sync::Arc, time::Duration};

use vmpool_driver::{CreateRequest, Driver, DriverError, Listing, Operation};
use vmpool_engine::{CheckReport, Effect, ListedNodes, Outcome};
use vmpool_model::{Failure, FailureKind, Node, NodeId, Token};

use crate::{CheckTarget, Checker};

/// Creates a node.
pub(crate) async fn create(driver: &dyn Driver, limit: Duration, token: Token, template: &str) -> Outcome {
    let request = CreateRequest::new(template).with_token(token);
    Outcome::Created(within(limit, Operation::Create, driver.create(&request)).await.map(Box::new))
}

/// Destroys a node.
pub(crate) async fn destroy(driver: &dyn Driver, limit: Duration, node: &NodeId) -> Outcome {
    Outcome::Destroyed(within(limit, Operation::Destroy, driver.destroy(node)).await)
}

/// Lists all nodes.
pub(crate) async fn list(driver: &dyn Driver, limit: Duration) -> Result<Listing, Failure> {
    within(limit, Operation::List, driver.list()).await
}

/// Checks a VM.
pub(crate) async fn check(checker: Arc<dyn Checker>, target: CheckTarget) -> Outcome {
    match tokio::time::timeout(target.timeout, checker.check(&target)).await {
        Ok(result) => Outcome::Checked(result.map(|()| CheckReport::default())),
        Err(_) => Outcome::Checked(Err(format!("no answer within {:?}", target.timeout))),
    }
}

/// Says what a listing answers to an effect that waited for it.
pub(crate) fn listed(effect: &Effect, listing: &Result<Listing, Failure>) -> Option<Outcome> {
    match (effect, listing) {
        (Effect::List { provider }, Ok(listing)) => {
            let result = Ok(ListedNodes { nodes: listing.nodes.clone(), complete: listing.is_complete() });
            Some(Outcome::Listed { provider: provider.clone(), result })
        }
        (Effect::Find { token, .. }, Ok(listing)) => Some(Outcome::Found(found(token, listing))),
        (_, Err(failure)) => failed(effect, failure.clone()),
        _ => None,
    }
}

/// Says which nodes carry a token: only a complete listing proves anything.
fn found(token: &Token, listing: &Listing) -> Result<Vec<Node>, Failure> {
    match &listing.incomplete {
        Some(why) => {
            let message = format!("looking for {token}: the listing may lack nodes: {why}");
            Err(Failure::not_applied(FailureKind::Unavailable, message))
        }
        None => Ok(listing.nodes.iter().filter(|node| node.token.as_ref() == Some(token)).cloned().collect()),
    }
}

/// Says that an effect failed for a reason that is neither the driver's nor the checker's answer.
pub(crate) fn failed(effect: &Effect, failure: Failure) -> Option<Outcome> {
    Some(match effect {
        Effect::Create { .. } => Outcome::Created(Err(failure)),
        Effect::Find { .. } => Outcome::Found(Err(failure)),
        Effect::Destroy { .. } => Outcome::Destroyed(Err(failure)),
        Effect::Check { .. } => Outcome::Checked(Err(failure.message)),
        Effect::List { provider } => Outcome::Listed { provider: provider.clone(), result: Err(failure) },
        _ => return None,
    })
}

/// Bounds a call: the last resort against a driver that hangs (F15).
async fn within<T>(
    limit: Duration,
    operation: Operation,
    call: impl Future<Output = Result<T, DriverError>>,
) -> Result<T, Failure> {
    let err = match tokio::time::timeout(limit, call).await {
        Ok(Ok(value)) => return Ok(value),
        Ok(Err(err)) => err,
        Err(_) => DriverError::new(operation, FailureKind::Timeout)
            .with_context(format!("no answer within {}", vmpool_model::format_duration(limit))),
    };
    Err(Failure::from(&err))
}
