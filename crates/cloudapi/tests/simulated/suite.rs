//! The suite of rules for drivers.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use vmpool_cloudapi::{CloudApiDriver, DataCenter, Template};
use vmpool_testkit::driver::DriverHarness;

use crate::world::{IMAGE, PACKAGE, World, config};

/// Returns the one template of these tests.
pub(crate) fn templates() -> BTreeMap<String, Template> {
    let template = serde_json::json!({"package": PACKAGE, "image": IMAGE, "tags": {"owner": "tests"}});
    BTreeMap::from([("base".to_owned(), serde_json::from_value(template).unwrap())])
}

async fn harness(kind: &str) -> DriverHarness {
    let world = World::new().await;
    let datacenter = DataCenter::open(config(&world.server.endpoint(), kind)).await.unwrap();
    let driver = CloudApiDriver::new(datacenter, templates());
    DriverHarness::new(Arc::new(driver), "base")
        .with_patience(Duration::from_secs(12))
        .with_unknown_id("00000000-0000-4000-8000-000000000000")
        .keeping(world.server)
}

mod with_ed25519 {
    vmpool_testkit::driver_suite!(real_time, super::harness("ed25519").await);
}

mod with_rsa {
    vmpool_testkit::driver_suite!(real_time, super::harness("rsa").await);
}
