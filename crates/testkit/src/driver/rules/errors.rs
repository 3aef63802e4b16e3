//! What errors say.

use vmpool_driver::{DriverError, Operation};
use vmpool_model::Certainty;

use crate::driver::{DriverHarness, RuleResult, RuleViolation, violation::ensure};

/// An error names the operation that was tried, in its fields and in its text, and the text says on what.
///
/// # Errors
///
/// If it names another operation or does not name the node.
pub async fn an_error_says_what_was_tried(harness: &DriverHarness) -> RuleResult {
    let id = harness.unknown()?;
    for (operation, err) in failures(harness).await? {
        ensure(err.operation() == operation, || {
            format!("{operation} fails as if it were {}: {err}", err.operation())
        })?;
        let text = err.to_string();
        ensure(text.starts_with(operation.as_str()), || format!("{operation} is not named in {text:?}"))?;
        ensure(text.contains(id.as_str()), || format!("node {id} is not named in {text:?}"))?;
    }
    Ok(())
}

/// A refusal certainly had no effect, and says so.
///
/// # Errors
///
/// If it leaves open whether it happened.
pub async fn a_refusal_is_certain(harness: &DriverHarness) -> RuleResult {
    for (operation, err) in failures(harness).await? {
        ensure(err.certainty() == Certainty::NotApplied, || {
            format!("{operation} is refused and leaves open whether it happened: {err}")
        })?;
    }
    Ok(())
}

/// Fails on purpose, each operation that a node can be unknown to.
async fn failures(harness: &DriverHarness) -> RuleResult<[(Operation, DriverError); 2]> {
    let id = harness.unknown()?;
    let works = |operation| RuleViolation::new(format!("{operation} of an unknown node works"));
    let get = harness.driver.get(&id).await.err().ok_or_else(|| works(Operation::Get))?;
    let destroy = harness.driver.destroy(&id).await.err().ok_or_else(|| works(Operation::Destroy))?;
    Ok([(Operation::Get, get), (Operation::Destroy, destroy)])
}
