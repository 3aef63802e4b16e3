//! Why the order of layers matters.

use std::{sync::Arc, time::Duration};

use vmpool_driver::{Driver, LayerExt};
use vmpool_layers::{RetryLayer, TimeoutLayer};
use vmpool_model::FailureKind;

use crate::script::{Act, Script};

/// A provider that drops its first request on the floor and then works.
fn provider() -> Arc<dyn Driver> {
    Script::new([Act::WorkAfter(Duration::from_secs(3600))])
}

#[tokio::test(start_paused = true)]
async fn a_timeout_inside_a_retry_gives_each_attempt_its_own_time() {
    let driver = provider().layer(&TimeoutLayer::new(Duration::from_secs(60))).layer(&RetryLayer::new(7));
    let _ = driver.list().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_timeout_outside_a_retry_ends_before_the_second_attempt() {
    let driver = provider().layer(&RetryLayer::new(7)).layer(&TimeoutLayer::new(Duration::from_secs(60)));
    assert_eq!(driver.list().await.unwrap_err().kind(), FailureKind::Timeout);
}
