//! Listings of more VMs than one answer can hold.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use tokio::sync::Notify;
use vmpool_driver::{CreateRequest, Driver, Listing};
use vmpool_model::{FailureKind, states::NodeState};
use vmpool_opennebula::{
    client::ClientConfig,
    driver::{OpenNebulaDriver, OpenNebulaOptions},
    rpc::Call,
};

use crate::{
    cloud::cloud,
    server::{Act, Server, http},
};

/// Makes so many VMs, and a driver whose answers may have so many bytes.
async fn small_answers(count: usize, bytes: u64) -> (Server, crate::cloud::Cloud, OpenNebulaDriver) {
    let (server, cloud, driver) = cloud(false).await;
    for _ in 0..count {
        driver.create(&CreateRequest::new("0")).await.unwrap();
    }
    let small = |mut config: ClientConfig| {
        config.limits.answer = bytes;
        config
    };
    let client = server.client_with(small);
    let driver = OpenNebulaDriver::connect_with(client, OpenNebulaOptions::default()).await.unwrap();
    (server, cloud, driver)
}

fn ids(listing: &Listing) -> BTreeSet<i32> {
    let ids: BTreeSet<i32> = listing.nodes.iter().map(|node| node.id.as_str().parse().unwrap()).collect();
    assert_eq!(ids.len(), listing.nodes.len(), "a VM is there twice");
    ids
}

/// Returns the ranges of ids that extended listings asked for.
fn ranges(calls: &[Call]) -> Vec<(i64, i64)> {
    let extended = calls.iter().filter(|call| call.method == "one.vmpool.infoextended");
    extended
        .map(|call| (call.params[2].as_integer().unwrap(), call.params[3].as_integer().unwrap()))
        .collect()
}

/// Waits until a range was asked for so often, and returns all that were.
async fn asked(server: &Server, range: (i64, i64), times: usize) -> Vec<(i64, i64)> {
    loop {
        let calls = server.calls();
        let ranges = ranges(&calls);
        if times <= ranges.iter().filter(|found| **found == range).count() {
            return ranges;
        }
        server.ended(calls.len() + 1).await;
    }
}

#[tokio::test]
async fn more_vms_than_one_answer_can_hold_are_listed_in_windows_and_none_is_missing() {
    let (server, _cloud, driver) = small_answers(40, 60_000).await;
    let listing = driver.list().await.unwrap();
    assert!(listing.is_complete());
    assert_eq!(ids(&listing), (0..40).collect());
    // What was too much once is not asked for again.
    assert_eq!(ids(&driver.list().await.unwrap()), (0..40).collect());
    // A VM that came in between has a higher id than all of them.
    driver.create(&CreateRequest::new("0")).await.unwrap();
    assert_eq!(ids(&driver.list().await.unwrap()), (0..41).collect());
    let ranges = asked(&server, (41, -1), 1).await;
    assert_eq!(ranges.iter().filter(|range| **range == (-1, -1)).count(), 1, "{ranges:?}");
    assert!(ranges.contains(&(40, -1)) && 9 < ranges.len(), "{ranges:?}");
}

#[tokio::test]
async fn as_soon_as_the_vms_may_fit_into_one_answer_it_is_asked_for() {
    let (server, cloud, driver) = small_answers(40, 60_000).await;
    drop(driver.list().await.unwrap());
    (5..40).for_each(|id| cloud.set_state(id, 6, 0));
    drop(driver.list().await.unwrap());
    assert_eq!(ids(&driver.list().await.unwrap()), (0..5).collect());
    asked(&server, (-1, -1), 2).await;
}

#[tokio::test]
async fn a_vm_that_the_server_cannot_send_is_named_in_windows_too() {
    let (_server, cloud, driver) = small_answers(40, 60_000).await;
    drop(driver.list().await.unwrap());
    cloud.poison(13);
    let listing = driver.list().await.unwrap();
    assert_eq!(ids(&listing), (0..40).collect());
    let unknown: Vec<_> = listing.nodes.iter().filter(|node| node.state == NodeState::Unknown).collect();
    assert_eq!((unknown.len(), unknown[0].id.as_str()), (1, "13"));
    assert!(listing.incomplete.unwrap().contains("VM 13"));
}

#[tokio::test]
async fn one_vm_that_is_larger_than_an_answer_may_be_makes_the_listing_fail() {
    let (_server, _cloud, driver) = small_answers(3, 2_000).await;
    let err = driver.list().await.unwrap_err();
    assert_eq!(err.kind(), FailureKind::Protocol, "{err}");
    let why = std::error::Error::source(&err).unwrap().to_string();
    assert!(why.contains("longer than 2000 bytes"), "{why}");
}

#[tokio::test]
async fn a_listing_that_takes_too_long_is_made_in_windows() {
    let (_inner, cloud, driver) = cloud(false).await;
    for _ in 0..3 {
        driver.create(&CreateRequest::new("0")).await.unwrap();
    }
    let never = Arc::new(Notify::new());
    let sim = cloud.answering();
    let server = Server::start(move |call| {
        let is_whole = call.method == "one.vmpool.infoextended" && call.params[2].as_integer() == Some(-1);
        match is_whole {
            true => vec![Act::Wait(Arc::clone(&never))],
            false => vec![Act::Send(http(sim.answer(call.to_xml().as_bytes()).as_bytes()))],
        }
    })
    .await;
    let client = server.client_with(|config| config.with_timeout(Duration::from_secs(2)));
    let driver = OpenNebulaDriver::connect(client).await.unwrap();
    let listing = driver.list().await.unwrap();
    assert!(listing.is_complete());
    assert_eq!(ids(&listing), (0..3).collect());
}

#[tokio::test]
async fn a_listing_that_somebody_had_no_patience_for_is_made_in_windows_the_next_time() {
    let (server, _cloud, driver) = cloud(false).await;
    driver.create(&CreateRequest::new("0")).await.unwrap();
    let listing = driver.list();
    tokio::select! {
        biased;
        _ = listing => panic!("nobody answers that fast"),
        () = tokio::task::yield_now() => {}
    }
    assert_eq!(ids(&driver.list().await.unwrap()), BTreeSet::from([0]));
    asked(&server, (0, 0), 1).await;
    asked(&server, (1, -1), 1).await;
}
