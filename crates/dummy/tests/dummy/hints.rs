//! Hints: the cloud says by itself that nodes change, as well as it is told to.

use std::{sync::Arc, time::Duration};

use tokio::time::{Instant, timeout};
use vmpool_driver::{CreateRequest, Driver, Hint, HintStream, Operation};
use vmpool_dummy::{Death, DummyCloud, DummyConfig, DummyDriver, Fault, FaultConfig};
use vmpool_model::{FailureKind, NodeId, Timestamp};

use crate::world::{create, seconds};

/// A cloud on the paused clock of the runtime.
fn cloud(config: DummyConfig) -> (DummyCloud, DummyDriver) {
    let start = Instant::now();
    let clock = Arc::new(move || Timestamp::from_millis(0) + start.elapsed());
    let cloud = DummyCloud::in_memory(config.with_events()).unwrap().with_clock(clock);
    let pause = Arc::new(|time| Box::pin(pass(time)) as std::pin::Pin<Box<dyn Future<Output = ()> + Send>>);
    (cloud.clone(), DummyDriver::new(cloud).with_pause(pause))
}

async fn pass(time: Duration) {
    let _ = timeout(time, std::future::pending::<()>()).await;
}

/// Returns all that comes within a time.
async fn within(time: Duration, hints: &mut dyn HintStream) -> Vec<Hint> {
    let until = Instant::now() + time;
    let mut all = Vec::new();
    while let Ok(hint) = tokio::time::timeout_at(until, hints.next()).await {
        all.push(hint.unwrap());
    }
    all
}

fn faults(change: impl FnOnce(&mut FaultConfig)) -> DummyConfig {
    let mut faults = FaultConfig::default();
    change(&mut faults);
    DummyConfig::default().with_faults(faults)
}

#[tokio::test(start_paused = true)]
async fn each_change_of_a_node_is_told_when_it_comes() {
    let config = DummyConfig::default().with_boot_latency(seconds(20)).with_destroy_latency(seconds(5));
    let (cloud, driver) = cloud(config);
    let mut hints = driver.hints().await.unwrap();
    let start = Instant::now();
    let id = create(&driver).await;
    let hint = Hint::Node(id.clone());
    assert_eq!(hints.next().await.unwrap(), hint);
    assert_eq!(start.elapsed(), Duration::ZERO, "it is there");
    assert_eq!(hints.next().await.unwrap(), hint);
    assert_eq!(start.elapsed(), seconds(20), "it runs");
    driver.destroy(&id).await.unwrap();
    assert_eq!(hints.next().await.unwrap(), hint);
    assert_eq!(start.elapsed(), seconds(20), "it is terminating");
    assert_eq!(hints.next().await.unwrap(), hint);
    assert_eq!(start.elapsed(), seconds(25), "it is gone");
    assert_eq!(within(seconds(3600), &mut *hints).await, []);
    assert_eq!(cloud.calls(Operation::List) + cloud.calls(Operation::Get), 0, "nobody asked");
}

#[tokio::test(start_paused = true)]
async fn nothing_is_told_of_what_was_before_the_stream() {
    let (cloud, driver) = cloud(DummyConfig::default());
    let id = create(&driver).await;
    let mut hints = driver.hints().await.unwrap();
    assert_eq!(within(seconds(1), &mut *hints).await, []);
    cloud.kill_node(&id, Death::Vanished);
    assert_eq!(within(seconds(1), &mut *hints).await, [Hint::Node(id)]);
}

#[tokio::test(start_paused = true)]
async fn a_cloud_that_was_not_told_to_speak_refuses_the_stream() {
    let (cloud, driver) = cloud(DummyConfig::default());
    cloud.reconfigure(|config| config.events = false);
    assert!(!driver.capabilities().hints);
    assert_eq!(driver.hints().await.unwrap_err().kind(), FailureKind::Unsupported);
    assert_eq!(cloud.calls(Operation::Hints), 0);
}

#[tokio::test(start_paused = true)]
async fn opening_the_stream_can_be_refused_by_script() {
    let (cloud, driver) = cloud(DummyConfig::default());
    cloud.fail_next(Operation::Hints, Fault::Refuse(FailureKind::Unavailable));
    let err = driver.hints().await.unwrap_err();
    assert_eq!((err.operation(), err.kind()), (Operation::Hints, FailureKind::Unavailable));
    driver.hints().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_stream_can_be_ended_and_given_any_hint() {
    let (cloud, driver) = cloud(DummyConfig::default());
    let mut hints = driver.hints().await.unwrap();
    let nobodys = Hint::Node(NodeId::new("no such node").unwrap());
    cloud.hint(&nobodys);
    cloud.hint(&Hint::Provider);
    cloud.end_hints();
    assert_eq!(hints.next().await.unwrap(), nobodys);
    assert_eq!(hints.next().await.unwrap(), Hint::Provider);
    assert_eq!(hints.next().await.unwrap_err().kind(), FailureKind::Unavailable);
}

#[tokio::test(start_paused = true)]
async fn who_does_not_read_loses_the_oldest_hints() {
    let (cloud, driver) = cloud(DummyConfig::default());
    let mut hints = driver.hints().await.unwrap();
    for number in 0..10_000 {
        cloud.hint(&Hint::Node(NodeId::new(number.to_string()).unwrap()));
    }
    let all = within(seconds(1), &mut *hints).await;
    assert!(all.len() < 5_000, "{}", all.len());
    assert_eq!(all.last(), Some(&Hint::Node(NodeId::new("9999").unwrap())));
}

#[tokio::test(start_paused = true)]
async fn hints_are_lost_doubled_late_false_and_the_last_ones_as_told() {
    let (a, b) = (Hint::Node(NodeId::new("1").unwrap()), Hint::Node(NodeId::new("2").unwrap()));
    let told = async |config: DummyConfig| {
        let (_, driver) = cloud(config);
        let mut hints = driver.hints().await.unwrap();
        let mut all = Vec::new();
        for _ in 0..2 {
            driver.create(&CreateRequest::new("small")).await.unwrap();
            all.extend(within(seconds(1), &mut *hints).await);
        }
        all
    };
    assert_eq!(told(DummyConfig::default()).await, [a.clone(), b.clone()]);
    assert_eq!(told(faults(|faults| faults.lost_hints = 1.0)).await, []);
    let doubled = [a.clone(), a.clone(), b.clone(), b.clone()];
    assert_eq!(told(faults(|faults| faults.doubled_hints = 1.0)).await, doubled);
    assert_eq!(told(faults(|faults| faults.late_hints = 1.0)).await, [b.clone(), a.clone()]);
    let with_false = told(faults(|faults| faults.false_hints = 1.0)).await;
    assert_eq!((with_false.len(), &with_false[0], &with_false[2]), (4, &a, &b));
    assert!(![&a, &b].contains(&&with_false[1]), "{with_false:?}");

    let (_, driver) = cloud(faults(|faults| faults.broken_hints = 1.0));
    let mut hints = driver.hints().await.unwrap();
    create(&driver).await;
    assert_eq!(hints.next().await.unwrap(), a);
    hints.next().await.unwrap_err();
}
