//! Every layer forwards every method and changes no answer.

use std::{sync::Arc, time::Duration};

use vmpool_driver::{CreateRequest, Driver, Hint, Layer, Operation, PowerAction};
use vmpool_layers::{ConcurrencyLayer, MetricsLayer, RateLimitLayer, RetryLayer, TimeoutLayer, TracingLayer};
use vmpool_model::{ProviderName, Timestamp};

use crate::script::{Script, id};

async fn check(layer: &dyn Layer) {
    let script = Script::new([]);
    let inner: Arc<dyn Driver> = script.clone();
    let driver = layer.wrap(inner);

    assert_eq!(driver.info(), script.info());
    assert_eq!(driver.capabilities(), script.capabilities());
    assert_eq!(driver.list().await.unwrap(), script.list().await.unwrap());
    assert_eq!(driver.get(&id()).await.unwrap().id, id());
    assert_eq!(driver.create(&CreateRequest::new("small")).await.unwrap().id, id());
    driver.destroy(&id()).await.unwrap();
    for action in [PowerAction::Start, PowerAction::Stop, PowerAction::Reboot] {
        driver.power(&id(), action).await.unwrap();
    }
    driver.catalog().await.unwrap();
    driver.set_expiry(&id(), Timestamp::from_millis(0)).await.unwrap();
    assert_eq!(driver.hints().await.unwrap().next().await.unwrap(), Hint::Node(id()));

    let expected = [
        Operation::List,
        Operation::List, // the one to compare with
        Operation::Get,
        Operation::Create,
        Operation::Destroy,
        Operation::Start,
        Operation::Stop,
        Operation::Reboot,
        Operation::Catalog,
        Operation::SetExpiry,
        Operation::Hints,
    ];
    assert_eq!(script.calls(), expected);
}

#[tokio::test(start_paused = true)]
async fn the_timeout_layer_forwards_everything() {
    check(&TimeoutLayer::new(Duration::from_secs(1))).await;
}

#[tokio::test(start_paused = true)]
async fn the_retry_layer_forwards_everything() {
    check(&RetryLayer::new(7)).await;
}

#[tokio::test(start_paused = true)]
async fn the_tracing_layer_forwards_everything() {
    check(&TracingLayer::new(ProviderName::new("lab").unwrap())).await;
}

#[tokio::test(start_paused = true)]
async fn the_rate_limit_layer_forwards_everything() {
    check(&RateLimitLayer::new(Duration::from_secs(1), 2)).await;
}

#[tokio::test(start_paused = true)]
async fn the_concurrency_layer_forwards_everything() {
    check(&ConcurrencyLayer::new(1)).await;
}

#[tokio::test(start_paused = true)]
async fn the_metrics_layer_forwards_everything() {
    check(&MetricsLayer::new()).await;
}
