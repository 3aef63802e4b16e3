//! Stopping in good order, and going on after a restart.

use std::{sync::Arc, time::Duration};

use reqwest::{Method, StatusCode};
use vmpool::store::MemoryStore;
use vmpool_client::api::Problem;

use crate::world::{ONE_VM, World, config, wish};

#[tokio::test]
async fn f19_a_stop_ends_streams_and_who_waits_for_a_vm_is_told() {
    let world = World::start_holding(Duration::from_secs(60)).await;
    let client = world.client.clone();
    client.acquire(&wish("r1")).await.unwrap();
    let mut events = client.event_stream(None).await.unwrap();
    let request = world.raw(Method::POST, "/v1/leases").json(&wish("r2").with_wait(Duration::from_secs(60)));
    let waiting = tokio::spawn(request.send());
    while events.next().await.unwrap().unwrap().kind != "request_waiting" {}
    world.stop().await.unwrap();
    while events.next().await.unwrap().is_some() {}
    let problem: Problem = waiting.await.unwrap().unwrap().json().await.unwrap();
    assert_eq!(problem.code, "shutting_down");
    assert!(client.health().await.unwrap_err().is_temporary());
}

#[tokio::test]
async fn f9_a_client_that_waits_is_served_by_the_daemon_after_a_restart() {
    let store = Arc::new(MemoryStore::new());
    let mut config = config(ONE_VM);
    let world = World::start(config.clone(), store.clone()).await;
    config.daemon.listen = world.address;
    let client = world.client.clone();
    let held = client.acquire(&wish("r1").with_wait(Duration::from_secs(30))).await.unwrap();

    let waiting = tokio::spawn({
        let client = client.clone();
        async move { client.acquire(&wish("r2").with_wait(Duration::from_secs(60))).await }
    });
    let mut events = client.follow(Some(0));
    while events.next().await.unwrap().kind != "request_waiting" {}

    world.stop().await.unwrap();
    let world = World::start(config, store).await;
    // The daemon before this one gave the lease, and this one knows it.
    world.client.release(&held.id).await.unwrap();
    assert_eq!(waiting.await.unwrap().unwrap().request, "r2");
}

#[tokio::test]
async fn a_full_store_refuses_what_needs_a_record() {
    let store = Arc::new(MemoryStore::new());
    let world = World::start(config(ONE_VM), store.clone()).await;
    world.until_ready().await;
    store.fail_next(vmpool::store::CommitFault::Full);
    let response = world.raw(Method::POST, "/v1/leases").json(&wish("r1")).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::INSUFFICIENT_STORAGE);
    let problem: Problem = response.json().await.unwrap();
    assert_eq!((problem.code.as_str(), problem.may_have_happened), ("store_full", false));
}
