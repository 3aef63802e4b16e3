//! Dummy clouds for the tests.

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;
use vmpool_driver::Driver;
use vmpool_dummy::{Clock, DummyCloud, DummyConfig, DummyDriver, Feature};
use vmpool_model::Timestamp;
use vmpool_testkit::driver::DriverHarness;

/// A cloud in which all happens at once.
pub(crate) fn instant() -> Arc<dyn Driver> {
    driver(DummyConfig::default().with_events())
}

/// A cloud in which everything takes its time, on the virtual clock of the runtime.
pub(crate) fn slow() -> Arc<dyn Driver> {
    let mut config = DummyConfig::default().with_events();
    config.boot_latency = Duration::from_secs(20);
    config.stop_latency = Duration::from_secs(3);
    config.reboot_latency = Duration::from_secs(7);
    config.destroy_latency = Duration::from_secs(5);
    config.call_latency = Duration::from_millis(300);
    config.visibility_delay = Duration::from_secs(2);
    driver(config)
}

/// A cloud that takes keys and passwords.
pub(crate) fn with_logins() -> Arc<dyn Driver> {
    let config = DummyConfig::default().with_feature(Feature::SshKey).with_feature(Feature::Password);
    driver(config.with_feature(Feature::GeneratesPassword))
}

pub(crate) fn harness(driver: Arc<dyn Driver>) -> DriverHarness {
    DriverHarness::new(driver, "small")
}

fn driver(config: DummyConfig) -> Arc<dyn Driver> {
    let cloud = DummyCloud::in_memory(config).unwrap().with_clock(runtime_clock());
    let harness = DriverHarness::new(Arc::new(DummyDriver::new(cloud.clone())), "");
    Arc::new(DummyDriver::new(cloud).with_pause(harness.pause))
}

/// Tells the time of the runtime, counted from now.
fn runtime_clock() -> Clock {
    let start = Instant::now();
    Arc::new(move || Timestamp::from_millis(0) + start.elapsed())
}
