//! What a driver says of itself.

use crate::driver::{DriverHarness, RuleResult, violation::ensure};

/// The driver has a short name for configurations, a title for people, and an endpoint without credentials.
///
/// # Errors
///
/// If a name is empty or has characters that a configuration key has not, or if the endpoint holds a password.
pub async fn the_driver_says_who_it_is(harness: &DriverHarness) -> RuleResult {
    let info = harness.driver.info();
    let is_short = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte);
    ensure(!info.name.is_empty() && info.name.bytes().all(is_short), || {
        format!("the name {:?} is not made of a-z, 0-9, - and _", info.name)
    })?;
    ensure(!info.title.trim().is_empty(), || "the title is empty".to_owned())?;
    // In `scheme://user:password@host/path` only what stands before the first slash is the authority.
    let after_scheme = info.endpoint.split_once("://").map_or("", |(_, rest)| rest);
    let authority = after_scheme.split('/').next().unwrap_or_default();
    ensure(!authority.contains('@'), || "the endpoint holds credentials".to_owned())
}

/// Neither the driver's description nor its capabilities change while it is used.
///
/// # Errors
///
/// If one of them does.
pub async fn what_the_driver_says_of_itself_does_not_change(harness: &DriverHarness) -> RuleResult {
    let before = (harness.driver.info().clone(), harness.driver.capabilities());
    harness.running_node().await?;
    let after = (harness.driver.info().clone(), harness.driver.capabilities());
    ensure(before == after, || format!("first it says {before:?}, then {after:?}"))
}
