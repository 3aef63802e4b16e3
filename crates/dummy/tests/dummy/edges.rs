//! The edges of libcloud's dummy driver, D01 to D09: what it does, and what it should.

use std::{collections::HashSet, sync::Arc};

use vmpool_driver::{CreateRequest, Driver, HandleExt, PowerAction};
use vmpool_dummy::{Creds, DummyCloud, DummyConfig, DummyDriver, libcloud_v1_uuid};
use vmpool_model::{FailureKind, NodeId, states::NodeState};

use crate::world::create;

fn driver(creds: impl Into<Creds>) -> DummyDriver {
    DummyDriver::libcloud(creds).unwrap()
}

fn id(text: &str) -> NodeId {
    NodeId::new(text).unwrap()
}

/// Checks how many nodes credentials begin with, the last of them, and the one that is created then.
async fn check(creds: impl Into<Creds>, count: usize, last: (&str, &str), created: (&str, &str)) {
    let driver = driver(creds);
    let nodes = driver.cloud().nodes();
    let seen = nodes.last().map(|node| (node.name.clone(), node.public_ips[0].to_string()));
    let expected = (0 < count).then(|| (last.0.to_owned(), last.1.to_owned()));
    assert_eq!((nodes.len(), seen), (count, expected), "{:?}", driver.creds());
    let node = driver.create(&CreateRequest::default()).await.unwrap();
    assert_eq!((node.name.as_str(), node.public_ips[0].to_string().as_str()), created);
}

#[tokio::test]
async fn d01_credentials_that_are_nothing_or_no_number_begin_with_two_nodes() {
    let (last, created) = (("dummy-2", "127.0.0.2"), ("dummy-3", "127.0.0.3"));
    for text in ["0", "", "abc"] {
        check(text, 2, last, created).await;
    }
    check(0, 2, last, created).await;
    check(false, 2, last, created).await;
    check(f64::NAN, 2, last, created).await;
}

#[tokio::test]
async fn d01_a_number_begins_with_as_many_nodes() {
    check(1, 1, ("dummy-0", "127.0.0.1"), ("dummy-2", "127.0.0.2")).await;
    check(true, 1, ("dummy-0", "127.0.0.1"), ("dummy-2", "127.0.0.2")).await;
    check(3, 3, ("dummy-2", "127.0.0.3"), ("dummy-4", "127.0.0.4")).await;
    check("3", 3, ("dummy-2", "127.0.0.3"), ("dummy-4", "127.0.0.4")).await;
    check(" 3 ", 3, ("dummy-2", "127.0.0.3"), ("dummy-4", "127.0.0.4")).await;
    check(22, 22, ("dummy-21", "127.0.0.22"), ("dummy-23", "127.0.0.23")).await;
    check(72, 72, ("dummy-71", "127.0.0.72"), ("dummy-73", "127.0.0.73")).await;
    check(2.9, 2, ("dummy-1", "127.0.0.2"), ("dummy-3", "127.0.0.3")).await;
}

#[tokio::test]
async fn d01_d07_addresses_carry_beyond_255() {
    check(256, 256, ("dummy-255", "127.0.1.0"), ("dummy-257", "127.0.1.1")).await;
}

#[tokio::test]
async fn d01_a_negative_number_begins_with_no_nodes() {
    check(-1, 0, ("", ""), ("dummy-1", "127.0.0.1")).await;
}

#[test]
fn d01_more_nodes_than_there_is_room_for_are_refused() {
    for creds in [Creds::Integer(1_000_001), Creds::Float(f64::INFINITY), Creds::from("99999999")] {
        let err = DummyDriver::libcloud(creds).unwrap_err().to_string();
        assert!(err.starts_with("a dummy cloud cannot begin with"), "{err}");
    }
}

#[tokio::test]
async fn d02_the_id_zero_is_an_id_and_hashes_as_none_in_the_old_way() {
    let driver = Arc::new(driver(3));
    let node = driver.get_node(&id("0")).await.unwrap();
    assert_eq!(node.name, "dummy-0");
    assert_eq!(libcloud_v1_uuid(&node), "ffae7da296f9bfadc5cd4e637136bfb50a7f3dbb");
    assert_eq!(node.uuid(), "8ddcc2706c7e86b692ff268df6732af2ff11e457");
}

#[tokio::test]
async fn d03_b1_an_id_is_never_used_again() {
    let driver = driver(0);
    let (first, second) = (create(&driver).await, create(&driver).await);
    driver.destroy(&first).await.unwrap();
    let third = create(&driver).await;
    assert_eq!((first, second, third), (id("3"), id("4"), id("5")));
}

#[tokio::test]
async fn d04_b2_a_list_is_a_copy() {
    let driver = driver(0);
    let mut listing = driver.list().await.unwrap();
    listing.nodes.clear();
    assert_eq!(driver.list().await.unwrap().nodes.len(), 2);
}

#[tokio::test]
async fn d05_b3_destroying_a_node_that_is_gone_or_foreign_is_not_found() {
    let driver = driver(0);
    driver.destroy(&id("1")).await.unwrap();
    for unknown in ["1", "99", "i-2", "02"] {
        assert!(driver.destroy(&id(unknown)).await.unwrap_err().is_not_found(), "{unknown}");
    }
    assert_eq!(driver.get(&id("2")).await.unwrap().state, NodeState::Running);
}

#[tokio::test]
async fn d05_a_handle_whose_destroy_fails_stays_as_it_was() {
    let driver = Arc::new(driver(0));
    let mut node = driver.list_nodes().await.unwrap().remove(0);
    let mut same = node.clone();
    node.destroy().await.unwrap();
    assert!(same.destroy().await.unwrap_err().is_not_found());
    assert_eq!((node.state, same.state), (NodeState::Terminated, NodeState::Running));
}

#[tokio::test]
async fn d06_b4_a_terminated_node_neither_reboots_nor_starts() {
    let driver = driver(0);
    driver.destroy(&id("1")).await.unwrap();
    for action in [PowerAction::Reboot, PowerAction::Start, PowerAction::Stop] {
        let err = driver.power(&id("1"), action).await.unwrap_err();
        assert_eq!(err.kind(), FailureKind::InvalidState);
    }
    assert!(driver.get(&id("1")).await.unwrap_err().is_not_found());
    let never_there = driver.power(&id("3"), PowerAction::Reboot).await.unwrap_err();
    assert!(never_there.is_not_found());
}

#[tokio::test]
async fn b6_a_node_can_be_stopped_and_does_not_reboot_then() {
    let driver = driver(0);
    driver.power(&id("1"), PowerAction::Stop).await.unwrap();
    assert_eq!(driver.get(&id("1")).await.unwrap().state, NodeState::Stopped);
    let err = driver.power(&id("1"), PowerAction::Reboot).await.unwrap_err();
    assert_eq!(err.kind(), FailureKind::InvalidState);
}

#[tokio::test]
async fn b5_the_default_nodes_have_an_address_each() {
    let ips: HashSet<_> = driver(0).cloud().nodes().into_iter().flat_map(|node| node.public_ips).collect();
    assert_eq!(ips.len(), 2);
}

#[tokio::test]
async fn d08_the_unique_id_of_a_node_never_changes() {
    let driver = Arc::new(driver(0));
    let mut node = driver.create_node(CreateRequest::default()).await.unwrap();
    let uuid = (node.uuid(), libcloud_v1_uuid(&node));
    node.reboot().await.unwrap();
    assert_eq!((node.uuid(), libcloud_v1_uuid(&node)), uuid);
    node.destroy().await.unwrap();
    assert_eq!((node.uuid(), libcloud_v1_uuid(&node)), uuid);
}

#[test]
fn d09_b9_a_thousand_concurrent_creates_make_a_thousand_nodes() {
    let cloud = DummyCloud::in_memory(DummyConfig::default()).unwrap();
    let create_some = || {
        let driver = DummyDriver::new(cloud.clone());
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            for _ in 0..125 {
                create(&driver).await;
            }
        });
    };
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(create_some);
        }
    });
    let nodes = cloud.nodes();
    let ids: HashSet<_> = nodes.iter().map(|node| &node.id).collect();
    let ips: HashSet<_> = nodes.iter().flat_map(|node| &node.public_ips).collect();
    assert_eq!((ids.len(), ips.len()), (1000, 1000));
}
