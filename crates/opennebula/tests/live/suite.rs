//! The suite of rules for drivers.

use std::{sync::Arc, time::Duration};

use vmpool_opennebula::driver::OpenNebulaDriver;
use vmpool_testkit::driver::{DriverHarness, RuleViolation};

use crate::account::live;

async fn harness() -> Result<Option<DriverHarness>, RuleViolation> {
    let live = live().await.map_err(|err| RuleViolation::new(err.to_string()))?;
    let Some(live) = live else { return Ok(None) };
    let driver = OpenNebulaDriver::connect(live.client.clone()).await?;
    // The rules are checked side by side by one account, and a rule looks for its nodes by their names.
    let harness = DriverHarness::new(Arc::new(driver), live.template.to_string())
        .with_name_prefix(live.prefix.trim_end_matches('-'))
        .with_patience(Duration::from_secs(300))
        .keeping(live);
    Ok(Some(harness))
}

vmpool_testkit::driver_suite!(
    real_time,
    match harness().await? {
        Some(harness) => harness,
        None => return Ok(()),
    }
);
