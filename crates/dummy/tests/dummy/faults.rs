//! Faults: ordered ones, and those that come by chance from a seed.

use vmpool_driver::{CreateRequest, Driver, Operation, PowerAction};
use vmpool_dummy::{DummyConfig, DummyDriver, Fault, FaultConfig, Outcome};
use vmpool_model::{Certainty, FailureKind, NodeId, Timestamp, states::NodeState};

use crate::world::{cloud, config, create, state};

async fn creates(driver: &DummyDriver, count: usize) -> Vec<Option<FailureKind>> {
    let mut kinds = Vec::new();
    for _ in 0..count {
        kinds.push(driver.create(&CreateRequest::new("small")).await.err().map(|err| err.kind()));
    }
    kinds
}

#[tokio::test]
async fn a_lost_answer_leaves_a_node_that_the_caller_does_not_know_of() {
    let (cloud, driver, _) = cloud(DummyConfig::default());
    cloud.fail_next(Operation::Create, Fault::LostAnswer);
    let err = driver.create(&CreateRequest::new("small")).await.unwrap_err();
    assert_eq!((err.kind(), err.certainty()), (FailureKind::Timeout, Certainty::Unknown));
    assert_eq!(cloud.nodes().len(), 1);
    assert_eq!(cloud.history()[0].outcome, Outcome::AnswerLost);
    assert_eq!(cloud.history()[0].node.as_ref(), Some(&cloud.nodes()[0].id));
}

#[tokio::test]
async fn a_lost_request_looks_the_same_to_the_caller_and_leaves_nothing() {
    let (cloud, driver, _) = cloud(DummyConfig::default());
    cloud.fail_next(Operation::Create, Fault::LostRequest);
    let err = driver.create(&CreateRequest::new("small")).await.unwrap_err();
    assert_eq!((err.kind(), err.certainty()), (FailureKind::Timeout, Certainty::Unknown));
    assert!(cloud.nodes().is_empty());
}

#[tokio::test]
async fn a_refused_call_certainly_had_no_effect() {
    let (cloud, driver, _) = cloud(DummyConfig::default());
    let id = create(&driver).await;
    cloud.fail_next(Operation::Destroy, Fault::Refuse(FailureKind::Unavailable));
    let err = driver.destroy(&id).await.unwrap_err();
    assert_eq!((err.kind(), err.certainty()), (FailureKind::Unavailable, Certainty::NotApplied));
    assert_eq!(state(&driver, &id).await, NodeState::Running);
    driver.destroy(&id).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_hung_call_is_never_answered_and_does_not_hold_up_others() {
    let (cloud, driver, _) = cloud(DummyConfig::default());
    cloud.fail_next(Operation::List, Fault::Hang);
    let hung = tokio::time::timeout(std::time::Duration::from_secs(3600), driver.list()).await;
    assert!(hung.is_err());
    assert!(driver.list().await.unwrap().is_complete());
}

#[tokio::test]
async fn a_create_that_stops_halfway_leaves_a_node_in_error() {
    let (cloud, driver, _) = cloud(DummyConfig::default());
    cloud.fail_next(Operation::Create, Fault::HalfDone);
    let err = driver.create(&CreateRequest::new("small")).await.unwrap_err();
    assert_eq!(err.certainty(), Certainty::Unknown);
    assert_eq!(cloud.nodes()[0].state, NodeState::Error);
}

#[tokio::test]
async fn a_node_can_run_without_ever_having_an_address() {
    let (cloud, driver, _) = cloud(DummyConfig::default());
    cloud.fail_next(Operation::Create, Fault::NoAddress);
    let node = driver.create(&CreateRequest::new("small")).await.unwrap();
    assert_eq!((node.state, node.addresses().count()), (NodeState::Running, 0));
}

#[tokio::test]
async fn a_boot_can_end_in_error() {
    let (cloud, driver, time) = cloud(config(r#"{"boot_latency": "2s"}"#));
    cloud.fail_next(Operation::Create, Fault::BootFailure);
    let id = create(&driver).await;
    assert_eq!(state(&driver, &id).await, NodeState::Pending);
    time.pass(2);
    assert_eq!(state(&driver, &id).await, NodeState::Error);
}

#[tokio::test]
async fn a_new_node_is_invisible_for_as_long_as_the_cloud_was_told() {
    let (cloud, driver, time) = cloud(config(r#"{"visibility_delay": "30s"}"#));
    let id = create(&driver).await;
    assert!(driver.get(&id).await.unwrap_err().is_not_found());
    let listing = driver.list().await.unwrap();
    assert!(listing.is_complete() && listing.nodes.is_empty() && cloud.nodes().len() == 1);
    time.pass(30);
    assert_eq!(driver.list().await.unwrap().nodes.len(), 1);
}

#[tokio::test]
async fn a_listing_that_lacks_nodes_says_so() {
    let (_, driver, _) = cloud(config(r#"{"faults": {"partial_listings": 1.0}}"#));
    for _ in 0..100 {
        create(&driver).await;
    }
    let mut seen = 0;
    for _ in 0..100 {
        let listing = driver.list().await.unwrap();
        assert!(!listing.is_complete());
        seen += listing.nodes.len();
    }
    // The share that is left out differs from listing to listing; on average it is half.
    assert!((4000..6000).contains(&seen), "{seen}");
}

#[tokio::test]
async fn an_empty_listing_can_be_ordered_and_is_partial() {
    let (cloud, driver, _) = cloud(DummyConfig::default());
    create(&driver).await;
    cloud.fail_next(Operation::List, Fault::EmptyListing);
    let listing = driver.list().await.unwrap();
    assert!(listing.nodes.is_empty() && !listing.is_complete());
}

#[tokio::test]
async fn a_stale_listing_shows_what_the_one_before_it_showed() {
    let (_, driver, _) = cloud(config(r#"{"faults": {"stale_listings": 1.0}}"#));
    let id = create(&driver).await;
    assert_eq!(driver.list().await.unwrap().nodes.len(), 1);
    driver.destroy(&id).await.unwrap();
    let listing = driver.list().await.unwrap();
    assert!(listing.is_complete());
    assert_eq!(listing.nodes.len(), 1);
}

#[tokio::test]
async fn nodes_die_at_the_rate_that_the_cloud_was_told() {
    let (cloud, driver, time) = cloud(config(r#"{"faults": {"death_rate": 2.0}}"#));
    for _ in 0..1000 {
        create(&driver).await;
    }
    time.pass(1800);
    let dead = cloud.nodes().iter().filter(|node| node.state == NodeState::Error).count();
    // Of those that live half an hour on average, 63 % die in the first half hour.
    assert!((580..690).contains(&dead), "{dead}");
}

#[tokio::test]
async fn creates_fail_as_often_as_the_cloud_was_told() {
    let mut faults = FaultConfig::default();
    faults.fail_create = 0.3;
    let (cloud, driver, _) = cloud(DummyConfig::default().with_faults(faults));
    let failed = creates(&driver, 1000).await.iter().filter(|kind| kind.is_some()).count();
    assert!((250..350).contains(&failed), "{failed}");
    assert_eq!(cloud.nodes().len(), 1000 - failed);
}

#[tokio::test]
async fn the_same_calls_with_the_same_seed_go_the_same_way() {
    let story = async |seed: u64| {
        let faults = r#"{"faults": {"fail_create": 0.3, "lost_answers": 0.2, "lost_requests": 0.2}}"#;
        let (_, driver, _) = cloud(config(faults).with_seed(seed));
        creates(&driver, 50).await
    };
    assert_eq!(story(7).await, story(7).await);
    assert_ne!(story(7).await, story(8).await);
}

#[tokio::test]
async fn faults_can_be_switched_off_while_the_cloud_runs() {
    let (cloud, driver, _) = cloud(config(r#"{"faults": {"fail_create": 1.0}}"#));
    assert_eq!(creates(&driver, 1).await, [Some(FailureKind::Capacity)]);
    cloud.reconfigure(|config| config.faults.fail_create = 0.0);
    assert_eq!(creates(&driver, 1).await, [None]);
}

#[tokio::test]
async fn the_history_keeps_as_many_calls_as_it_was_told() {
    let (cloud, driver, _) = cloud(config(r#"{"history": 2}"#));
    for _ in 0..3 {
        create(&driver).await;
    }
    let _ = driver.list().await;
    let operations: Vec<_> = cloud.history().iter().map(|call| call.operation).collect();
    assert_eq!(operations, [Operation::Create, Operation::List]);
    assert_eq!(cloud.calls(Operation::Create), 3);
}

/// Calls every method of a driver once, whatever comes of it.
async fn call_each(driver: &DummyDriver, id: &NodeId) -> Vec<Option<FailureKind>> {
    let kind = |err: vmpool_driver::DriverError| err.kind();
    vec![
        driver.list().await.map_err(kind).err(),
        driver.get(id).await.map_err(kind).err(),
        driver.create(&CreateRequest::new("small")).await.map_err(kind).err(),
        driver.power(id, PowerAction::Stop).await.map_err(kind).err(),
        driver.power(id, PowerAction::Start).await.map_err(kind).err(),
        driver.power(id, PowerAction::Reboot).await.map_err(kind).err(),
        driver.catalog().await.map_err(kind).err(),
        driver.set_expiry(id, Timestamp::from_millis(1_000_000)).await.map_err(kind).err(),
        driver.destroy(id).await.map_err(kind).err(),
    ]
}

#[tokio::test]
async fn each_method_is_one_attempt_whether_it_is_answered_refused_or_lost() {
    const EACH: [Operation; 9] = [
        Operation::List,
        Operation::Get,
        Operation::Create,
        Operation::Stop,
        Operation::Start,
        Operation::Reboot,
        Operation::Catalog,
        Operation::SetExpiry,
        Operation::Destroy,
    ];
    let faults = [
        (None, None),
        (Some(Fault::Refuse(FailureKind::Unavailable)), Some(FailureKind::Unavailable)),
        (Some(Fault::Refuse(FailureKind::RateLimited)), Some(FailureKind::RateLimited)),
        (Some(Fault::LostRequest), Some(FailureKind::Timeout)),
        (Some(Fault::LostAnswer), Some(FailureKind::Timeout)),
    ];
    for (fault, kind) in faults {
        let (cloud, driver, time) = cloud(DummyConfig::default());
        let id = create(&driver).await;
        time.pass(60);
        let before = EACH.map(|operation| cloud.calls(operation));
        if let Some(fault) = fault {
            EACH.into_iter().for_each(|operation| cloud.fail_next(operation, fault));
        }
        assert_eq!(call_each(&driver, &id).await, EACH.map(|_| kind), "{fault:?}");
        let seen = EACH.map(|operation| cloud.calls(operation));
        assert_eq!(seen, before.map(|calls| calls + 1), "{fault:?}");
    }
}
