//! One effect carried out: a call to a driver or a checker, always within its time.

use std::{future::Future, time::Duration};

use vmpool_driver::{CreateRequest, Driver, DriverError, HintStream, Listing, Operation};
use vmpool_engine::{Effect, HookRun, ListedNodes, Outcome};
use vmpool_model::{Failure, FailureKind, Node, NodeId, ProviderName, Token, format_duration};
use vmpool_store::fail_point;

use crate::{CheckTarget, Checker, HookRunner};

/// How much longer than its time a check or hook gets, so that it can say itself what it waited for.
const SLACK: Duration = Duration::from_secs(1);

/// Makes the one call to a driver that an effect is for; `None` if it is not for one, or for a listing.
pub(crate) async fn call(driver: &dyn Driver, limit: Duration, effect: Effect) -> Option<Outcome> {
    Some(match effect {
        Effect::Create { token, template, .. } => {
            let request = CreateRequest::new(template).with_token(token);
            fail_point::reach("manager.create.asked");
            let created = within(limit, Operation::Create, driver.create(&request)).await;
            fail_point::reach("manager.create.answered");
            Outcome::Created(created.map(Box::new))
        }
        Effect::Destroy { node, .. } => {
            fail_point::reach("manager.destroy.asked");
            let destroyed = within(limit, Operation::Destroy, driver.destroy(&node)).await;
            fail_point::reach("manager.destroy.answered");
            Outcome::Destroyed(destroyed)
        }
        Effect::Get { node, .. } => Outcome::Got(get(driver, limit, &node).await),
        Effect::Glance { provider, node } => {
            let result = get(driver, limit, &node).await;
            Outcome::Glanced { provider, node, result }
        }
        Effect::SetExpiry { node, at, .. } => {
            Outcome::ExpirySet(within(limit, Operation::SetExpiry, driver.set_expiry(&node, at)).await)
        }
        _ => return None,
    })
}

/// Asks for one node; `None` if the provider says that there is no such node.
async fn get(driver: &dyn Driver, limit: Duration, node: &NodeId) -> Result<Option<Box<Node>>, Failure> {
    match within(limit, Operation::Get, driver.get(node)).await {
        Ok(node) => Ok(Some(Box::new(node))),
        Err(failure) if failure.kind == FailureKind::NotFound => Ok(None),
        Err(failure) => Err(failure),
    }
}

/// Opens the stream of hints.
pub(crate) async fn hints(driver: &dyn Driver, limit: Duration) -> Result<Box<dyn HintStream>, Failure> {
    within(limit, Operation::Hints, driver.hints()).await
}

/// Lists all nodes.
pub(crate) async fn list(driver: &dyn Driver, limit: Duration) -> Result<Listing, Failure> {
    within(limit, Operation::List, driver.list()).await
}

/// Checks a VM.
pub(crate) async fn check(checker: &dyn Checker, target: &CheckTarget) -> Outcome {
    let limit = target.timeout;
    Outcome::Checked(in_time(limit, checker.check(target)).await)
}

/// Runs a hook.
pub(crate) async fn hook(hooks: &dyn HookRunner, run: &HookRun) -> Outcome {
    Outcome::Hooked(in_time(run.hook.timeout, hooks.run(run)).await)
}

/// Says what a listing answers to the effects that waited for it, one outcome for each and in their order.
///
/// The nodes, of which there may be very many, are copied only if several effects want all of them.
pub(crate) fn listed(effects: &[Effect], listing: Result<Listing, Failure>) -> Vec<Outcome> {
    let last = effects.iter().rposition(|effect| matches!(effect, Effect::List { .. }));
    let others = effects.iter().enumerate().filter(|(place, _)| Some(*place) != last);
    let mut outcomes: Vec<_> = others.filter_map(|(_, effect)| answer(effect, &listing)).collect();
    if let Some(place) = last
        && let Some(Effect::List { provider }) = effects.get(place)
    {
        outcomes.insert(place.min(outcomes.len()), all(provider, listing));
    }
    outcomes
}

fn answer(effect: &Effect, listing: &Result<Listing, Failure>) -> Option<Outcome> {
    match (effect, listing) {
        (Effect::List { provider }, listing) => Some(all(provider, listing.clone())),
        (Effect::Find { token, .. }, Ok(listing)) => Some(Outcome::Found(found(token, listing))),
        (_, Err(failure)) => failed(effect, failure.clone()),
        _ => None,
    }
}

fn all(provider: &ProviderName, listing: Result<Listing, Failure>) -> Outcome {
    let result = listing.map(|listing| ListedNodes { nodes: listing.nodes, incomplete: listing.incomplete });
    Outcome::Listed { provider: provider.clone(), result }
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
        Effect::Get { .. } => Outcome::Got(Err(failure)),
        Effect::Hook(_) => Outcome::Hooked(Err(failure.message)),
        Effect::SetExpiry { .. } => Outcome::ExpirySet(Err(failure)),
        Effect::List { provider } => Outcome::Listed { provider: provider.clone(), result: Err(failure) },
        Effect::Glance { provider, node } => {
            Outcome::Glanced { provider: provider.clone(), node: node.clone(), result: Err(failure) }
        }
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
            .with_context(format!("no answer within {}", format_duration(limit))),
    };
    Err(Failure::from(&err))
}

/// Bounds a check or a hook.
async fn in_time<T>(limit: Duration, task: impl Future<Output = Result<T, String>>) -> Result<T, String> {
    match tokio::time::timeout(limit + SLACK, task).await {
        Ok(result) => result,
        Err(_) => Err(format!("no answer within {}", format_duration(limit))),
    }
}
