//! When calls begin.

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;
use vmpool_driver::{CreateRequest, Driver, LayerExt};
use vmpool_layers::RateLimitLayer;
use vmpool_model::{Certainty, FailureKind};

use crate::script::{Act, Script};

const SECOND: Duration = Duration::from_secs(1);

fn limited(acts: impl IntoIterator<Item = Act>, layer: &RateLimitLayer) -> Arc<dyn Driver> {
    let driver: Arc<dyn Driver> = Script::new(acts);
    driver.layer(layer)
}

/// Makes calls one after the other and returns when each one ended, in milliseconds.
async fn ends(driver: &Arc<dyn Driver>, calls: usize) -> Vec<u128> {
    let start = Instant::now();
    let mut ends = Vec::new();
    for _ in 0..calls {
        let _ = driver.list().await;
        ends.push(start.elapsed().as_millis());
    }
    ends
}

#[tokio::test(start_paused = true)]
async fn a_burst_begins_at_once_and_then_one_call_each_interval() {
    let driver = limited([], &RateLimitLayer::new(SECOND, 3));
    assert_eq!(ends(&driver, 5).await, [0, 0, 0, 1000, 2000]);
}

#[tokio::test(start_paused = true)]
async fn a_quiet_time_allows_one_burst_and_no_more() {
    let driver = limited([], &RateLimitLayer::new(SECOND, 2));
    ends(&driver, 2).await;
    tokio::time::advance(Duration::from_secs(3600)).await;
    assert_eq!(ends(&driver, 3).await, [0, 0, 1000]);
}

#[tokio::test(start_paused = true)]
async fn drivers_in_the_same_layer_share_the_rate() {
    let layer = RateLimitLayer::new(SECOND, 1);
    let (one, other) = (limited([], &layer), limited([], &layer));
    assert_eq!(ends(&one, 1).await, [0]);
    assert_eq!(ends(&other, 1).await, [1000]);
}

#[tokio::test(start_paused = true)]
async fn f13_a_provider_that_asks_for_it_is_left_alone_by_all_and_gets_no_burst_afterwards() {
    let layer = RateLimitLayer::new(SECOND, 10);
    let asking = limited([Act::AskToWait(Duration::from_secs(20))], &layer);
    let other = limited([], &layer);
    assert_eq!(ends(&asking, 1).await, [0]);
    assert_eq!(ends(&other, 3).await, [20_000, 21_000, 22_000]);
}

#[tokio::test(start_paused = true)]
async fn an_interval_beyond_all_time_lets_one_call_begin_and_no_other() {
    let driver = limited([], &RateLimitLayer::new(Duration::MAX, 1));
    let _ = driver.list().await.unwrap();
    assert_eq!(driver.list().await.unwrap_err().kind(), FailureKind::RateLimited);
}

#[tokio::test(start_paused = true)]
async fn a_call_whose_turn_is_too_far_away_fails_at_once_and_made_no_request() {
    let script = Script::new([Act::AskToWait(Duration::from_secs(120))]);
    let inner: Arc<dyn Driver> = script.clone();
    let driver = inner.layer(&RateLimitLayer::new(SECOND, 1).with_max_wait(Duration::from_secs(60)));
    driver.list().await.unwrap_err();
    let err = driver.create(&CreateRequest::new("small")).await.unwrap_err();
    assert_eq!((err.kind(), err.certainty()), (FailureKind::RateLimited, Certainty::NotApplied));
    assert_eq!(err.retry_after(), Some(Duration::from_secs(120)));
    assert_eq!(script.calls().len(), 1);
}
