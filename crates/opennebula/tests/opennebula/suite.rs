//! The suite for drivers, over a small OpenNebula in memory behind a socket.

use std::{sync::Arc, time::Duration};

use vmpool_testkit::driver::DriverHarness;

use crate::cloud::cloud;

async fn harness(is_admin: bool) -> DriverHarness {
    let (server, cloud, driver) = cloud(is_admin).await;
    DriverHarness::new(Arc::new(driver), "small")
        .with_patience(Duration::from_secs(3))
        .keeping((server.endpoint, cloud))
}

mod as_administrator {
    vmpool_testkit::driver_suite!(real_time, super::harness(true).await);
}

mod as_plain_user {
    vmpool_testkit::driver_suite!(real_time, super::harness(false).await);
}
