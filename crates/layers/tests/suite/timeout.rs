//! The limit on one call.

use std::{sync::Arc, time::Duration};

use vmpool_driver::{CreateRequest, Driver, DriverError, LayerExt, PowerAction};
use vmpool_layers::TimeoutLayer;
use vmpool_model::{Certainty, FailureKind, Timestamp};

use crate::script::{Act, Script, id};

const LIMIT: Duration = Duration::from_secs(60);

fn answering_after(time: Duration) -> Arc<dyn Driver> {
    let driver: Arc<dyn Driver> = Script::new([Act::WorkAfter(time)]);
    driver.layer(&TimeoutLayer::new(LIMIT))
}

fn check<T>(answer: Result<T, DriverError>, certainty: Certainty, text: &str) {
    let err = answer.map(|_| ()).unwrap_err();
    assert_eq!((err.kind(), err.certainty()), (FailureKind::Timeout, certainty));
    assert_eq!(err.to_string(), text);
}

#[tokio::test(start_paused = true)]
async fn an_answer_within_the_limit_passes() {
    let start = tokio::time::Instant::now();
    let _ = answering_after(LIMIT - Duration::from_millis(1)).list().await.unwrap();
    assert_eq!(start.elapsed(), LIMIT - Duration::from_millis(1));
}

#[tokio::test(start_paused = true)]
async fn a_call_ends_at_the_limit() {
    let start = tokio::time::Instant::now();
    answering_after(Duration::from_secs(3600)).list().await.unwrap_err();
    assert_eq!(start.elapsed(), LIMIT);
}

#[tokio::test(start_paused = true)]
async fn a_read_that_ran_out_of_time_changed_nothing() {
    let hour = Duration::from_secs(3600);
    let none = Certainty::NotApplied;
    check(answering_after(hour).list().await, none, "list failed: timeout: no answer in 1m");
    check(answering_after(hour).get(&id()).await, none, "get failed: timeout: node 0: no answer in 1m");
    check(answering_after(hour).catalog().await, none, "catalog failed: timeout: no answer in 1m");
}

#[tokio::test(start_paused = true)]
async fn a_change_that_ran_out_of_time_may_have_happened() {
    let hour = Duration::from_secs(3600);
    let open = Certainty::Unknown;
    let request = CreateRequest::new("small").with_name("web-1");
    let tail = "no answer in 1m (it may have happened)";
    check(
        answering_after(hour).create(&request).await,
        open,
        &format!("create failed: timeout: node web-1: {tail}"),
    );
    check(
        answering_after(hour).destroy(&id()).await,
        open,
        &format!("destroy failed: timeout: node 0: {tail}"),
    );
    check(
        answering_after(hour).power(&id(), PowerAction::Stop).await,
        open,
        &format!("stop failed: timeout: node 0: {tail}"),
    );
    check(
        answering_after(hour).set_expiry(&id(), Timestamp::from_millis(0)).await,
        open,
        &format!("set_expiry failed: timeout: node 0: {tail}"),
    );
}
