//! Acquiring, renewing and releasing over HTTP.

#![expect(clippy::unwrap_used, reason = "the helpers of tests fail loudly")]

use std::{sync::Arc, time::Duration};

use reqwest::{Method, StatusCode};
use vmpool::store::MemoryStore;
use vmpool_client::{
    ClientError,
    api::{AcquireAnswer, RequestStatus, code, exit, routes::POLL_GRACE},
};

use crate::world::{ONE_VM, World, config, wish};

#[track_caller]
fn code_of<T: std::fmt::Debug>(answer: Result<T, ClientError>) -> String {
    answer.unwrap_err().problem().unwrap().code.clone()
}

#[tokio::test]
async fn a_vm_is_acquired_with_its_address_and_given_back() {
    let world = World::ready().await;
    let asked = wish("r1").with_task(Some("build 17".to_owned())).with_sandbox(Some("s".to_owned()));
    let lease = world.client.acquire(&asked).await.unwrap();
    assert_eq!((lease.pool.as_str(), lease.owner.as_str(), lease.request.as_str()), ("small", "ada", "r1"));
    assert_eq!((lease.task.as_deref(), lease.sandbox.as_deref()), (Some("build 17"), Some("s")));
    assert_eq!(lease.addresses, ["127.0.0.1"]);
    assert!(lease.node_id.is_some());
    assert_eq!(world.client.lease(&lease.id).await.unwrap(), lease);
    assert_eq!(world.client.vm(&lease.vm).await.unwrap().lease, Some(lease.id.clone()));

    world.client.release(&lease.id).await.unwrap();
    assert_eq!(code_of(world.client.release(&lease.id).await), "unknown_lease");
    assert_eq!(code_of(world.client.lease(&lease.id).await), "unknown_lease");
    let request = world.client.request("r1").await.unwrap();
    assert_eq!((request.status, request.vm), (RequestStatus::Ended, Some(lease.vm)));
}

#[tokio::test]
async fn f9_the_same_request_twice_yields_one_lease() {
    let world = World::ready().await;
    let first = world.client.acquire(&wish("r1")).await.unwrap();
    assert_eq!(world.client.acquire(&wish("r1")).await.unwrap(), first);
    assert_eq!(world.client.leases().await.unwrap(), [first]);
}

#[tokio::test]
async fn a_request_id_of_another_request_is_refused() {
    let world = World::ready().await;
    world.client.acquire(&wish("r1")).await.unwrap();
    let other = wish("r1").with_sandbox(Some("other".to_owned()));
    assert_eq!(code_of(world.client.acquire(&other).await), "request_conflict");
}

#[tokio::test]
async fn no_vm_is_told_at_once_to_who_does_not_wait() {
    let world = World::ready().await;
    world.client.acquire(&wish("r1")).await.unwrap();
    let err = world.client.acquire(&wish("r2")).await.unwrap_err();
    assert_eq!(err.exit_code(), exit::NO_VM);
    assert!(err.problem().unwrap().is(code::NO_VM));
}

#[tokio::test]
async fn who_waits_is_told_when_the_time_is_over() {
    let world = World::ready().await;
    world.client.acquire(&wish("r1")).await.unwrap();
    let err = world.client.acquire(&wish("r2").with_wait(Duration::from_millis(120))).await.unwrap_err();
    assert_eq!(err.exit_code(), exit::NO_VM);
    assert!(err.problem().unwrap().is(code::WAIT_TIMED_OUT), "{err}");
}

#[tokio::test]
async fn a_long_wait_is_answered_in_between_and_goes_on_with_the_same_request() {
    let world = World::ready().await;
    let held = world.client.acquire(&wish("r1")).await.unwrap();
    let asked = wish("r2").with_wait(Duration::from_secs(60));

    let response = world.raw(Method::POST, "/v1/leases").json(&asked).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::ACCEPTED);
    let AcquireAnswer::Waiting { request } = response.json().await.unwrap() else { panic!("granted") };
    assert_eq!((request.id.as_str(), request.status), ("r2", RequestStatus::Waiting));
    // The daemon holds a request 50 ms in these tests.
    let after = |until: jiff::Timestamp| until.duration_since(request.submitted_at);
    assert_eq!(after(request.deadline), Duration::from_secs(60).try_into().unwrap(), "its own time");
    let explained = world.client.explain("r2").await.unwrap().request;
    assert_eq!((explained.deadline, explained.kept_until), (request.deadline, request.kept_until));
    assert_eq!(
        after(request.kept_until.unwrap()),
        (POLL_GRACE + Duration::from_millis(50)).try_into().unwrap(),
        "f8: who does not ask again is gone"
    );
    assert_eq!(world.client.pool("small").await.unwrap().waiting, 1);

    world.client.release(&held.id).await.unwrap();
    let lease = world.client.acquire(&asked).await.unwrap();
    assert_eq!(lease.request, "r2");
}

#[tokio::test]
async fn a_request_for_several_vms_shows_all_its_leases_once_it_ended() {
    let text = ONE_VM.replace("size = 1", "size = 2");
    let world = World::start(config(&text), Arc::new(MemoryStore::new())).await;
    let asked = wish("r1").with_count(2).with_wait(Duration::from_secs(30));
    let leases = world.client.acquire_all(&asked).await.unwrap();
    for lease in &leases {
        world.client.release(&lease.id).await.unwrap();
    }
    let request = world.client.request("r1").await.unwrap();
    assert_eq!(request.status, RequestStatus::Ended);
    assert_eq!(request.leases, [leases[0].id.clone(), leases[1].id.clone()]);
}

#[tokio::test]
async fn a_request_that_was_cancelled_is_not_served() {
    let world = World::ready().await;
    world.client.acquire(&wish("r1")).await.unwrap();
    let asked = wish("r2").with_wait(Duration::from_secs(60));
    let response = world.raw(Method::POST, "/v1/leases").json(&asked).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::ACCEPTED);
    world.client.clone().with_by(Some("zoe".to_owned())).cancel("r2").await.unwrap();
    let again = world.client.acquire(&asked).await.unwrap_err();
    let problem = again.problem().unwrap();
    assert_eq!((problem.code.as_str(), again.exit_code()), ("request_cancelled", exit::REFUSED));
    assert!(problem.detail.contains(" by zoe: make a new request"), "{problem}");
    assert_eq!(world.client.pool("small").await.unwrap().waiting, 0);
    let request = world.client.explain("r2").await.unwrap().request;
    assert_eq!((request.status, request.lease), (RequestStatus::Cancelled, None));
    assert_eq!(request.end.as_deref(), Some("it was cancelled by zoe"));
    assert!(request.ended_at.is_some());
}

#[tokio::test]
async fn who_waits_no_longer_may_come_again_with_the_same_request() {
    let world = World::ready().await;
    world.client.acquire(&wish("r1")).await.unwrap();
    let asked = wish("r2").with_wait(Duration::from_secs(60));
    for _ in 0..2 {
        let response = world.raw(Method::POST, "/v1/leases").json(&asked).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::ACCEPTED);
        world.client.abandon("r2").await.unwrap();
    }
    assert_eq!(world.client.requests().await.unwrap().iter().filter(|request| request.id == "r2").count(), 0);
}

#[tokio::test]
async fn a_request_whose_time_was_over_is_told_so_when_it_is_sent_again() {
    let world = World::ready().await;
    world.client.acquire(&wish("r1")).await.unwrap();
    let asked = wish("r2").with_wait(Duration::from_millis(1));
    world.client.acquire(&asked).await.unwrap_err();
    let again = world.client.acquire(&asked.with_wait(Duration::from_secs(60))).await.unwrap_err();
    let problem = again.problem().unwrap();
    assert_eq!((problem.code.as_str(), again.exit_code()), ("wait_timed_out", exit::NO_VM));
    assert!(problem.detail.starts_with("request r2 timed out at "), "{problem}");
    let request = world.client.request("r2").await.unwrap();
    assert_eq!(request.status, RequestStatus::TimedOut);
    assert!(request.ended_at.is_some() && request.end.as_deref() == Some("its time was over"), "{request:?}");
}

#[tokio::test]
async fn cancelling_a_request_that_is_over_says_so() {
    let world = World::ready().await;
    let lease = world.client.acquire(&wish("r1")).await.unwrap();
    let asked = wish("r2").with_wait(Duration::from_secs(60));
    world.raw(Method::POST, "/v1/leases").json(&asked).send().await.unwrap();
    world.client.cancel("r2").await.unwrap();
    assert_eq!(code_of(world.client.cancel("r2").await), "request_cancelled");
    world.client.release(&lease.id).await.unwrap();
    assert_eq!(code_of(world.client.cancel("r1").await), "request_ended");
    assert_eq!(code_of(world.client.cancel("r3").await), "unknown_request");
}

#[tokio::test]
async fn f8_a_request_whose_client_is_gone_is_withdrawn_and_gets_no_vm() {
    let world = World::start_holding(Duration::from_secs(30)).await;
    let held = world.client.acquire(&wish("r1")).await.unwrap();
    let waiting = wish("r2").with_wait(Duration::from_secs(60));
    let gone = world.raw(Method::POST, "/v1/leases").json(&waiting).timeout(Duration::from_millis(100));
    assert!(gone.send().await.unwrap_err().is_timeout());
    assert_eq!(world.client.pool("small").await.unwrap().waiting, 1, "it may have lost the connection only");

    let mut events = world.client.follow(Some(0));
    while events.next().await.unwrap().kind != "request_cancelled" {}
    assert_eq!(world.client.pool("small").await.unwrap().waiting, 0);
    assert_eq!(code_of(world.client.request("r2").await), "unknown_request", "it may come back");
    world.client.release(&held.id).await.unwrap();
    assert_eq!(world.client.leases().await.unwrap(), []);
}

#[tokio::test]
async fn a_renewal_extends_the_lease_and_shows_all_of_it() {
    let world = World::ready().await;
    let lease = world.client.acquire(&wish("r1")).await.unwrap();
    let renewed = world.client.renew(&lease.id, Some(Duration::from_secs(3600))).await.unwrap();
    assert!(lease.expires_at + Duration::from_secs(2900) < renewed.expires_at);
    assert_eq!(renewed.addresses, lease.addresses);
    let too_long = world.client.renew(&lease.id, Some(Duration::from_secs(90_000))).await;
    assert_eq!(too_long.as_ref().unwrap_err().exit_code(), exit::USAGE);
    assert_eq!(code_of(too_long), "ttl_out_of_range");
    assert_eq!(code_of(world.client.renew("no-such", None).await), "unknown_lease");
}
