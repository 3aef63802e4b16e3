//! A driver in layers passes the suite that it passes without.

use std::{sync::Arc, time::Duration};

use vmpool_driver::{Driver, LayerExt};
use vmpool_layers::{RetryLayer, TimeoutLayer, TracingLayer};
use vmpool_model::ProviderName;
use vmpool_testkit::fault::{FaultLayer, FaultRates};

use crate::clouds;

fn layered(driver: Arc<dyn Driver>) -> Arc<dyn Driver> {
    driver
        .layer(&TimeoutLayer::new(Duration::from_secs(60)))
        .layer(&RetryLayer::new(7).with_max_attempts(20))
        .layer(&TracingLayer::new(ProviderName::new("lab").unwrap()))
}

/// A cloud that turns about every third call away.
fn shaky() -> Arc<dyn Driver> {
    let rates = FaultRates { refuse: 0.3, ..FaultRates::default() };
    clouds::instant().layer(&FaultLayer::by_chance(rates, 7))
}

mod in_layers {
    vmpool_testkit::driver_suite!(super::clouds::harness(super::layered(super::clouds::slow())));
}

mod over_a_shaky_cloud {
    vmpool_testkit::driver_suite!(super::clouds::harness(super::layered(super::shaky())));
}

mod without_faults {
    use vmpool_driver::LayerExt;
    use vmpool_testkit::fault::FaultLayer;

    vmpool_testkit::driver_suite!(super::clouds::harness(super::clouds::instant().layer(&FaultLayer::new())));
}
