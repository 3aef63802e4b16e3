//! The suite for drivers, over the simulated OpenNebula behind its socket.

use std::{sync::Arc, time::Duration};

use vmpool_opennebula::driver::OpenNebulaDriver;
use vmpool_sim::opennebula::{OpenNebulaSim, SimConfig};
use vmpool_testkit::driver::DriverHarness;

use crate::cloud::{client, plain_user};

/// Makes a cloud in which VMs boot and go in some milliseconds, so that all the states on the way are seen.
async fn harness(is_admin: bool) -> DriverHarness {
    let milliseconds = Duration::from_millis;
    let config =
        SimConfig::default().with_boot(milliseconds(30)).with_step(milliseconds(10)).with_user(plain_user());
    let server = OpenNebulaSim::new(config).unwrap().start().await.unwrap();
    let driver = OpenNebulaDriver::connect(client(&server.endpoint(), is_admin)).await.unwrap();
    DriverHarness::new(Arc::new(driver), "small").with_patience(Duration::from_secs(3)).keeping(server)
}

mod as_administrator {
    vmpool_testkit::driver_suite!(real_time, super::harness(true).await);
}

mod as_plain_user {
    vmpool_testkit::driver_suite!(real_time, super::harness(false).await);
}
