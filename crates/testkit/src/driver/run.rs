//! Running one rule.

use std::future::Future;

use super::{DriverHarness, RuleResult, RuleViolation};

/// How many times the patience of the harness a whole rule may take.
const WAITS_PER_RULE: u32 = 10;

/// The clock that the timers of a rule go by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clock {
    /// Time stands still while there is work, and jumps to the next timer when there is none: for clouds in memory.
    Virtual,
    /// Time passes: for clouds behind a socket.
    Real,
}

/// Runs a future on a runtime of its own; what [`driver_suite!`](crate::driver_suite) makes its tests of.
///
/// # Errors
///
/// What the future returns, and if there is no runtime to be had.
pub fn run(clock: Clock, rule: impl Future<Output = RuleResult>) -> RuleResult {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_all().start_paused(clock == Clock::Virtual);
    match builder.build() {
        Ok(runtime) => runtime.block_on(rule),
        Err(err) => Err(RuleViolation::new(format!("no runtime could be made: {err}"))),
    }
}

/// Checks one rule, and destroys afterwards what it made.
///
/// A rule that does not end, because a call is never answered, is broken, too.
///
/// # Errors
///
/// How the driver breaks the rule.
pub async fn check(
    harness: DriverHarness,
    rule: impl AsyncFnOnce(&DriverHarness) -> RuleResult,
) -> RuleResult {
    let limit = harness.patience.saturating_mul(WAITS_PER_RULE);
    let result = tokio::time::timeout(limit, rule(&harness)).await;
    let cleaned = tokio::time::timeout(limit, harness.clean_up()).await;
    let hangs = |_| RuleViolation::new(format!("a call is not answered within {limit:?}"));
    result.map_err(hangs)??;
    cleaned.map_err(hangs)
}
