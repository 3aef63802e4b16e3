//! Hints: where they are declared, they come.

use std::time::Duration;

use vmpool_driver::{Hint, HintStream};
use vmpool_model::{FailureKind, Node};

use crate::driver::{DriverHarness, RuleResult};

/// How long one look into the stream takes, where time passes.
const LOOK: Duration = Duration::from_millis(20);

/// A stream that is open brings a hint about a node that is created then, by its id or without.
///
/// A provider that has no stream, which only itself can tell, is left in peace.
///
/// # Errors
///
/// If the stream cannot be opened or ends, or if no such hint comes.
pub async fn a_declared_hint_comes(harness: &DriverHarness) -> RuleResult {
    let Some(mut hints) = open(harness).await? else { return Ok(()) };
    let node = harness.running_node().await?;
    comes(harness, &mut *hints, &node, LOOK).await
}

/// Who stops waiting for a hint does not lose it.
///
/// # Errors
///
/// If a hint does not come after a wait that was given up.
pub async fn a_hint_that_is_not_waited_for_is_not_lost(harness: &DriverHarness) -> RuleResult {
    let Some(mut hints) = open(harness).await? else { return Ok(()) };
    // A wait that is given up before there is anything, then waits that are given up at any stage of what comes.
    let _ = tokio::time::timeout(LOOK, hints.next()).await;
    let node = harness.running_node().await?;
    comes(harness, &mut *hints, &node, Duration::ZERO).await
}

async fn open(harness: &DriverHarness) -> RuleResult<Option<Box<dyn HintStream>>> {
    if !harness.driver.capabilities().hints {
        return Ok(None);
    }
    match harness.driver.hints().await {
        Ok(hints) => Ok(Some(hints)),
        Err(err) if err.kind() == FailureKind::Unsupported => Ok(None),
        Err(err) => Err(err.into()),
    }
}

/// Waits until a hint calls for a look at the node; each wait for a hint is given up after its patience.
async fn comes(
    harness: &DriverHarness,
    hints: &mut dyn HintStream,
    node: &Node,
    patience: Duration,
) -> RuleResult {
    let calls_for_it = |hint: &Hint| match hint {
        Hint::Node(id) => *id == node.id,
        _ => true,
    };
    let look = async || {
        while let Ok(hint) = tokio::time::timeout(patience, hints.next()).await {
            if calls_for_it(&hint?) {
                return Ok(Some(()));
            }
        }
        Ok(None)
    };
    harness.eventually(&format!("a hint about node {} comes", node.id), look).await
}
