//! The suite of rules for drivers, over a small cloud.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use vmpool_cloudapi::{CloudApiDriver, Template};
use vmpool_testkit::driver::DriverHarness;

use crate::{cloud::Cloud, open};

/// Returns the one template of these tests.
pub(crate) fn templates() -> BTreeMap<String, Template> {
    serde_json::from_str(r#"{"base": {"package": "small", "image": "i1", "tags": {"owner": "tests"}}}"#)
        .unwrap()
}

async fn harness() -> DriverHarness {
    let server = Cloud::default().serve().await;
    let driver = CloudApiDriver::new(open(&server.url).await, templates());
    DriverHarness::new(Arc::new(driver), "base")
        .with_patience(Duration::from_secs(12))
        .with_unknown_id("00000000-0000-4000-8000-000000000000")
        .keeping(server)
}

vmpool_testkit::driver_suite!(real_time, harness().await);
