//! The suite of rules for drivers.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use vmpool_cloudapi::{CloudApiDriver, Template};
use vmpool_testkit::driver::DriverHarness;

use crate::live;

async fn harness() -> Option<DriverHarness> {
    let (datacenter, package, image) = live().await?;
    let now = datacenter.now();
    let template = serde_json::json!({"package": package, "image": image});
    let template: Template = serde_json::from_value(template).unwrap();
    let driver = CloudApiDriver::new(datacenter, BTreeMap::from([("base".to_owned(), template)]));
    let harness = DriverHarness::new(Arc::new(driver), "base")
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
