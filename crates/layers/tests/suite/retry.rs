//! What is repeated, how often, and after how long.

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;
use vmpool_driver::{CreateRequest, Driver, LayerExt, Operation, PowerAction};
use vmpool_layers::RetryLayer;
use vmpool_model::FailureKind;

use crate::script::{Act, Script, id};

const MIN: Duration = Duration::from_millis(200);
const MAX: Duration = Duration::from_secs(10);

fn retrying(script: &Arc<Script>) -> Arc<dyn Driver> {
    let inner: Arc<dyn Driver> = script.clone();
    inner.layer(&RetryLayer::new(7).with_max_attempts(4).with_pauses(MIN, MAX))
}

fn failing(kind: FailureKind, times: usize) -> Arc<Script> {
    Script::new((0..times).map(|_| Act::Fail(kind)))
}

#[tokio::test(start_paused = true)]
async fn a_read_is_repeated_until_it_works() {
    for kind in [FailureKind::Timeout, FailureKind::Unavailable, FailureKind::RateLimited] {
        let script = failing(kind, 3);
        let _ = retrying(&script).list().await.unwrap();
        assert_eq!(script.calls(), [Operation::List; 4], "{kind}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_last_error_is_returned_when_the_attempts_are_used_up() {
    let script = failing(FailureKind::Unavailable, 9);
    let err = retrying(&script).list().await.unwrap_err();
    assert_eq!(err.kind(), FailureKind::Unavailable);
    assert_eq!(script.calls().len(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_change_that_may_have_happened_is_never_repeated() {
    for kind in [FailureKind::Timeout, FailureKind::Unavailable, FailureKind::Protocol, FailureKind::Other] {
        let script = failing(kind, 9);
        let driver = retrying(&script);
        driver.create(&CreateRequest::new("small")).await.unwrap_err();
        driver.destroy(&id()).await.unwrap_err();
        driver.power(&id(), PowerAction::Reboot).await.unwrap_err();
        assert_eq!(script.calls(), [Operation::Create, Operation::Destroy, Operation::Reboot], "{kind}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_create_that_was_turned_away_is_repeated() {
    let script = failing(FailureKind::RateLimited, 1);
    retrying(&script).create(&CreateRequest::new("small")).await.unwrap();
    assert_eq!(script.calls(), [Operation::Create; 2]);
}

#[tokio::test(start_paused = true)]
async fn what_waiting_does_not_cure_is_returned_at_once() {
    let kinds = [
        FailureKind::NotFound,
        FailureKind::InvalidRequest,
        FailureKind::Authentication,
        FailureKind::Unsupported,
        FailureKind::Quota,
        FailureKind::Capacity,
    ];
    for kind in kinds {
        let script = failing(kind, 9);
        assert_eq!(retrying(&script).list().await.unwrap_err().kind(), kind);
        assert_eq!(script.calls().len(), 1, "{kind}");
    }
}

#[tokio::test(start_paused = true)]
async fn pauses_double_and_lose_at_most_half() {
    let script = failing(FailureKind::Unavailable, 3);
    let start = Instant::now();
    let _ = retrying(&script).list().await.unwrap();
    // 200 + 400 + 800 ms, less up to a half; tokio's timers round up to the next millisecond.
    let waited = start.elapsed();
    assert!(Duration::from_millis(700) <= waited && waited <= Duration::from_millis(1403), "{waited:?}");
}

#[tokio::test(start_paused = true)]
async fn the_same_seed_waits_for_the_same_time() {
    let mut waited = Vec::new();
    for _ in 0..2 {
        let script = failing(FailureKind::Unavailable, 3);
        let start = Instant::now();
        let _ = retrying(&script).list().await.unwrap();
        waited.push(start.elapsed());
    }
    assert_eq!(waited[0], waited[1]);
}

#[tokio::test(start_paused = true)]
async fn the_provider_is_given_the_time_it_asks_for() {
    let script = Script::new([Act::AskToWait(Duration::from_secs(5))]);
    let start = Instant::now();
    let _ = retrying(&script).list().await.unwrap();
    assert_eq!(start.elapsed(), Duration::from_secs(5));
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_asks_for_more_than_the_longest_pause_is_left_to_the_caller() {
    let hour = Duration::from_secs(3600);
    let script = Script::new([Act::AskToWait(hour)]);
    let start = Instant::now();
    let err = retrying(&script).list().await.unwrap_err();
    assert_eq!(err.retry_after(), Some(hour));
    assert_eq!((script.calls().len(), start.elapsed()), (1, Duration::ZERO));
}
