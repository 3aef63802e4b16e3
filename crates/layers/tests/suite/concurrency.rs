//! How many calls are under way at once.

use std::{sync::Arc, time::Duration};

use tokio::{task::JoinSet, time::Instant};
use vmpool_driver::{Driver, LayerExt};
use vmpool_layers::ConcurrencyLayer;

use crate::script::{Act, Script};

const CALL: Duration = Duration::from_secs(1);

fn slow(calls: usize) -> Arc<dyn Driver> {
    Script::new((0..calls).map(|_| Act::WorkAfter(CALL)))
}

/// Makes calls at once on several drivers, and returns how long they took together.
async fn take(drivers: impl IntoIterator<Item = Arc<dyn Driver>>) -> Duration {
    let (start, mut calls) = (Instant::now(), JoinSet::new());
    for driver in drivers {
        calls.spawn(async move { driver.list().await.map(drop) });
    }
    for answer in calls.join_all().await {
        answer.unwrap();
    }
    start.elapsed()
}

#[tokio::test(start_paused = true)]
async fn calls_beyond_the_limit_wait_for_one_to_end() {
    let driver = slow(6).layer(&ConcurrencyLayer::new(2));
    assert_eq!(take(vec![driver; 6]).await, 3 * CALL);
}

#[tokio::test(start_paused = true)]
async fn drivers_in_the_same_layer_share_the_limit() {
    let layer = ConcurrencyLayer::new(1);
    assert_eq!(take([slow(1).layer(&layer), slow(1).layer(&layer)]).await, 2 * CALL);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_dropped_gives_its_place_free() {
    let layer = ConcurrencyLayer::new(1);
    let driver = Script::new([Act::WorkAfter(Duration::from_secs(3600))]) as Arc<dyn Driver>;
    let driver = driver.layer(&layer);
    assert!(tokio::time::timeout(CALL, driver.list()).await.is_err());
    assert_eq!(layer.under_way(), 0);
    let _ = driver.list().await.unwrap();
}
