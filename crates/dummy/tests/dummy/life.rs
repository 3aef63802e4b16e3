//! The life of a node, from its creation to its end.

use vmpool_driver::{CreateRequest, Driver, PowerAction};
use vmpool_dummy::{Death, DummyConfig};
use vmpool_model::{FailureKind, Token, states::NodeState};

use crate::world::{cloud, config, create, seconds, state};

#[tokio::test]
async fn a_node_is_pending_without_an_address_until_it_has_booted() {
    let (_, driver, time) = cloud(config(r#"{"boot_latency": "2s"}"#));
    let node = driver.create(&CreateRequest::new("small")).await.unwrap();
    assert_eq!((node.state, node.public_ips.len()), (NodeState::Pending, 0));
    time.pass(2);
    let node = driver.get(&node.id).await.unwrap();
    assert_eq!((node.state, node.public_ips.len()), (NodeState::Running, 1));
}

#[tokio::test]
async fn a_node_carries_its_token_template_and_labels_in_listings() {
    let (_, driver, _) = cloud(DummyConfig::default());
    let token: Token = "lab/small/small-7f3k".parse().unwrap();
    let request = CreateRequest::new("any text").with_token(token.clone()).with_label("role", "web");
    driver.create(&request).await.unwrap();
    let listing = driver.list().await.unwrap();
    assert!(listing.is_complete());
    let node = &listing.nodes[0];
    assert_eq!((node.name.as_str(), node.token.as_ref()), ("small-7f3k", Some(&token)));
    assert_eq!((node.extra["template"].as_str(), node.extra["role"].as_str()), ("any text", "web"));
}

#[tokio::test]
async fn a_stopped_node_can_be_started_again() {
    let (_, driver, time) = cloud(config(r#"{"stop_latency": "1s"}"#));
    let id = create(&driver).await;
    driver.power(&id, PowerAction::Stop).await.unwrap();
    assert_eq!(state(&driver, &id).await, NodeState::Stopping);
    time.pass(1);
    assert_eq!(state(&driver, &id).await, NodeState::Stopped);
    driver.power(&id, PowerAction::Start).await.unwrap();
    assert_eq!(state(&driver, &id).await, NodeState::Running);
}

#[tokio::test]
async fn a_rebooting_node_runs_again_after_a_while() {
    let (_, driver, time) = cloud(config(r#"{"reboot_latency": "3s"}"#));
    let id = create(&driver).await;
    driver.power(&id, PowerAction::Reboot).await.unwrap();
    assert_eq!(state(&driver, &id).await, NodeState::Rebooting);
    let again = driver.power(&id, PowerAction::Reboot).await.unwrap_err();
    assert_eq!(again.kind(), FailureKind::InvalidState);
    time.pass(3);
    assert_eq!(state(&driver, &id).await, NodeState::Running);
}

#[tokio::test]
async fn power_in_the_wrong_state_is_refused_and_changes_nothing() {
    let (_, driver, _) = cloud(DummyConfig::default());
    let id = create(&driver).await;
    let err = driver.power(&id, PowerAction::Start).await.unwrap_err();
    assert_eq!(err.kind(), FailureKind::InvalidState);
    assert_eq!(state(&driver, &id).await, NodeState::Running);
}

#[tokio::test]
async fn a_destroyed_node_terminates_for_a_while_and_is_gone() {
    let (cloud, driver, time) = cloud(DummyConfig::default().with_destroy_latency(seconds(5)));
    let id = create(&driver).await;
    driver.destroy(&id).await.unwrap();
    assert_eq!(state(&driver, &id).await, NodeState::Terminating);
    time.pass(5);
    assert!(driver.get(&id).await.unwrap_err().is_not_found());
    assert!(driver.list().await.unwrap().nodes.is_empty() && cloud.nodes().is_empty());
}

#[tokio::test]
async fn destroying_again_does_not_prolong_the_end() {
    let (_, driver, time) = cloud(DummyConfig::default().with_destroy_latency(seconds(5)));
    let id = create(&driver).await;
    driver.destroy(&id).await.unwrap();
    time.pass(4);
    driver.destroy(&id).await.unwrap();
    time.pass(1);
    assert!(driver.get(&id).await.unwrap_err().is_not_found());
}

#[tokio::test]
async fn a_node_with_an_expiry_ends_by_itself() {
    let (_, driver, time) = cloud(DummyConfig::default().with_destroy_latency(seconds(5)));
    let id = create(&driver).await;
    driver.set_expiry(&id, time.now() + seconds(60)).await.unwrap();
    time.pass(59);
    assert_eq!(state(&driver, &id).await, NodeState::Running);
    time.pass(1);
    assert_eq!(state(&driver, &id).await, NodeState::Terminating);
    time.pass(5);
    assert!(driver.get(&id).await.unwrap_err().is_not_found());
}

#[tokio::test]
async fn a_later_expiry_replaces_the_earlier_one() {
    let (_, driver, time) = cloud(DummyConfig::default());
    let id = create(&driver).await;
    driver.set_expiry(&id, time.now() + seconds(10)).await.unwrap();
    driver.set_expiry(&id, time.now() + seconds(20)).await.unwrap();
    time.pass(10);
    assert_eq!(state(&driver, &id).await, NodeState::Running);
    time.pass(10);
    assert!(driver.get(&id).await.unwrap_err().is_not_found());
}

#[tokio::test]
async fn a_terminating_node_takes_no_expiry() {
    let (_, driver, time) = cloud(DummyConfig::default().with_destroy_latency(seconds(5)));
    let id = create(&driver).await;
    driver.destroy(&id).await.unwrap();
    let err = driver.set_expiry(&id, time.now() + seconds(60)).await.unwrap_err();
    assert_eq!(err.kind(), FailureKind::InvalidState);
}

#[tokio::test]
async fn a_killed_node_is_in_error_until_it_is_destroyed() {
    let (cloud, driver, _) = cloud(DummyConfig::default());
    let id = create(&driver).await;
    assert!(cloud.kill_node(&id, Death::Error));
    assert_eq!(state(&driver, &id).await, NodeState::Error);
    driver.destroy(&id).await.unwrap();
    assert!(!cloud.kill_node(&id, Death::Error));
}

#[tokio::test]
async fn a_vanished_node_is_gone_at_once() {
    let (cloud, driver, _) = cloud(DummyConfig::default());
    let id = create(&driver).await;
    assert!(cloud.kill_node(&id, Death::Vanished));
    assert!(driver.get(&id).await.unwrap_err().is_not_found());
}

#[tokio::test]
async fn the_quota_counts_nodes_that_are_still_terminating() {
    let (_, driver, time) = cloud(DummyConfig::default().with_quota(1).with_destroy_latency(seconds(5)));
    let id = create(&driver).await;
    driver.destroy(&id).await.unwrap();
    let err = driver.create(&CreateRequest::new("small")).await.unwrap_err();
    assert_eq!(err.kind(), FailureKind::Quota);
    time.pass(5);
    create(&driver).await;
}

#[tokio::test]
async fn what_the_catalog_does_not_offer_is_an_invalid_request() {
    let (cloud, driver, _) = cloud(DummyConfig::default());
    let err = driver.create(&CreateRequest::new("small").with_size("9")).await.unwrap_err();
    assert_eq!(err.kind(), FailureKind::InvalidRequest);
    assert!(err.to_string().contains(r#"there is no size "9"; there are 1, 2, 3, 4"#), "{err}");
    assert!(cloud.nodes().is_empty());
}

#[tokio::test]
async fn the_peak_is_the_largest_number_of_nodes_at_once() {
    let (cloud, driver, _) = cloud(DummyConfig::default());
    for _ in 0..3 {
        let id = create(&driver).await;
        create(&driver).await;
        driver.destroy(&id).await.unwrap();
    }
    assert_eq!((cloud.created(), cloud.peak(), cloud.nodes().len()), (6, 4, 3));
}

#[tokio::test]
async fn a_token_on_two_nodes_at_once_is_remembered() {
    let (cloud, driver, _) = cloud(DummyConfig::default());
    let token: Token = "lab/small/small-1".parse().unwrap();
    let request = CreateRequest::new("small").with_token(token.clone());
    let first = driver.create(&request).await.unwrap();
    driver.destroy(&first.id).await.unwrap();
    driver.create(&request).await.unwrap();
    assert!(cloud.find_duplicate_tokens().is_empty());
    let third = driver.create(&request).await.unwrap();
    driver.destroy(&third.id).await.unwrap();
    assert_eq!(cloud.find_duplicate_tokens(), [token]);
}

#[tokio::test]
async fn ids_and_addresses_come_back_if_they_are_told_to() {
    for (options, expected) in [
        (r"{}", ("3", "127.0.0.3")),
        (r#"{"reuse_addresses": true}"#, ("3", "127.0.0.1")),
        (r#"{"reuse_ids": true}"#, ("1", "127.0.0.1")),
    ] {
        let (_, driver, _) = cloud(config(options));
        let ids = [create(&driver).await, create(&driver).await];
        driver.destroy(&ids[0]).await.unwrap();
        let node = driver.create(&CreateRequest::new("small")).await.unwrap();
        let node = driver.get(&node.id).await.unwrap();
        let (id, address) = (node.id.as_str(), node.public_ips[0].to_string());
        assert_eq!((id, address.as_str()), expected, "{options}");
    }
}
