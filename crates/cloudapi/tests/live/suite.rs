//! The suite of rules for drivers.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use vmpool_cloudapi::{CloudApiDriver, Template};
use vmpool_driver::{Driver, LayerExt as _};
use vmpool_layers::RetryLayer;
use vmpool_testkit::driver::DriverHarness;

use crate::live;

async fn harness() -> Option<DriverHarness> {
    let (datacenter, package, image) = live().await?;
    let now = datacenter.now();
    let template = serde_json::json!({"package": package, "image": image});
    let template: Template = serde_json::from_value(template).unwrap();
    let driver: Arc<dyn Driver> =
        Arc::new(CloudApiDriver::new(datacenter, BTreeMap::from([("base".to_owned(), template)])));
    // Servers in production take some calls a second, of all tests together.
    let retry = RetryLayer::new(u64::from(std::process::id()))
        .with_max_attempts(20)
        .with_pauses(Duration::from_millis(500), Duration::from_secs(5));
    let harness = DriverHarness::new(driver.layer(&retry), "base")
        .with_patience(Duration::from_secs(300))
        .with_unknown_id("00000000-0000-4000-8000-000000000000")
        .with_name_prefix(crate::unique(now));
    Some(harness)
}

vmpool_testkit::driver_suite!(
    real_time,
    match harness().await {
        Some(harness) => harness,
        None => return Ok(()),
    }
);
