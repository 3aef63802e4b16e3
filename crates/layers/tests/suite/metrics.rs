//! What is counted.

use std::{sync::Arc, time::Duration};

use vmpool_driver::{Driver, LayerExt};
use vmpool_layers::{BUCKETS_MS, MetricsLayer};
use vmpool_model::FailureKind;

use crate::script::{Act, Script, id};

fn counted(acts: impl IntoIterator<Item = Act>) -> (MetricsLayer, Arc<dyn Driver>) {
    let metrics = MetricsLayer::new();
    let driver: Arc<dyn Driver> = Script::new(acts);
    let driver = driver.layer(&metrics);
    (metrics, driver)
}

fn calls(metrics: &MetricsLayer) -> Vec<(&'static str, &'static str, u64)> {
    metrics.snapshot().iter().map(|series| (series.operation, series.outcome, series.calls)).collect()
}

#[tokio::test(start_paused = true)]
async fn calls_are_counted_by_operation_and_outcome() {
    let (metrics, driver) = counted([Act::Work, Act::Fail(FailureKind::Timeout), Act::Work]);
    let _ = driver.list().await;
    let _ = driver.list().await;
    let _ = driver.list().await;
    let _ = driver.get(&id()).await;
    assert_eq!(calls(&metrics), [("get", "ok", 1), ("list", "ok", 2), ("list", "timeout", 1)]);
}

#[tokio::test(start_paused = true)]
async fn a_duration_counts_in_the_bucket_that_it_just_fits() {
    let millis = [0, 5, 6, 60_000, 60_001];
    let (metrics, driver) = counted(millis.map(|time| Act::WorkAfter(Duration::from_millis(time))));
    for _ in millis {
        let _ = driver.list().await;
    }
    let list = &metrics.snapshot()[0];
    assert_eq!((BUCKETS_MS[0], BUCKETS_MS[1], BUCKETS_MS[8]), (5, 25, 60_000));
    assert_eq!(list.buckets, [2, 1, 0, 0, 0, 0, 0, 0, 1, 1]);
    assert_eq!(list.total, Duration::from_millis(120_012));
}

#[tokio::test(start_paused = true)]
async fn a_call_is_under_way_until_it_ends_or_is_given_up() {
    let (metrics, driver) = counted([Act::WorkAfter(Duration::from_secs(3600))]);
    {
        let call = driver.list();
        tokio::pin!(call);
        assert!(tokio::time::timeout(Duration::from_secs(1), &mut call).await.is_err());
        assert_eq!(metrics.under_way(), 1);
    }
    assert_eq!(metrics.under_way(), 0);
    assert_eq!(calls(&metrics), [("list", "canceled", 1)]);
}
