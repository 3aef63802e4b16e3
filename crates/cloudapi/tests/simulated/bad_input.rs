//! What goes wrong, one by one: each is told in a way that says what to do.

use std::{sync::Arc, time::Duration};

use vmpool_cloudapi::{
    CloudApiDriver, ConfigError, DataCenter, KeySource, MachineFilter, WaitError, types::CreateMachine,
};
use vmpool_driver::{CreateRequest, Driver as _, Operation};
use vmpool_dummy::Fault;
use vmpool_model::{
    Certainty, FailureKind, Timestamp,
    states::{NodeState, cloudapi::MachineState},
};
use vmpool_sim::cloudapi::Limit;

use crate::{
    suite::templates,
    world::{IMAGE, PACKAGE, World, config, file, soon},
};

#[tokio::test]
async fn a_wrong_key_is_refused_as_one_that_the_account_does_not_have() {
    let world = World::with(|config| {
        let mut config = config;
        config.accounts.clear();
        config.with_account(
            vmpool_sim::cloudapi::SimAccount::new("ops").with_key("a", crate::world::public("rsa")),
        )
    })
    .await;
    let err = world.open().await.get_account().await.unwrap_err();
    assert_eq!((err.kind, err.certainty), (FailureKind::Authentication, Certainty::NotApplied));
    assert_eq!((err.status, err.code.as_str()), (Some(401), "InvalidCredentials"));
}

#[tokio::test]
async fn an_encrypted_key_without_a_passphrase_is_named_before_anything_is_asked() {
    let mut locked = config("http://127.0.0.1:9", "ed25519");
    locked.key = KeySource::File { path: file("keys/ed25519.openssh-encrypted"), passphrase: None };
    let err = DataCenter::open(locked).await.unwrap_err();
    assert!(matches!(err, ConfigError::Key(_)), "{err}");
    assert!(err.to_string().contains("passphrase"), "{err}");
}

#[tokio::test]
async fn a_fingerprint_that_no_key_has_says_where_it_was_looked_for() {
    let mut lost = config("http://127.0.0.1:9", "ed25519");
    let folder = tempfile::tempdir().unwrap();
    lost.key = KeySource::Find {
        fingerprint: "00:11:22:33:44:55:66:77:88:99:aa:bb:cc:dd:ee:ff".parse().unwrap(),
        agent: None,
        folder: Some(folder.path().to_owned()),
        passphrase: None,
    };
    let err = DataCenter::open(lost).await.unwrap_err().to_string();
    assert!(err.contains("00:11:22") && err.contains(&folder.path().display().to_string()), "{err}");
}

#[tokio::test]
async fn a_clock_that_is_ten_minutes_off_is_told_by_how_much() {
    let world = World::new().await;
    for (minutes, side) in [(-10, "behind"), (10, "ahead of")] {
        let datacenter = world.open().await;
        let real = datacenter.now();
        let off = move || Timestamp::from_millis(real.as_millis() + minutes * 60_000);
        let err = datacenter.with_clock(Arc::new(off)).get_account().await.unwrap_err();
        assert_eq!(err.kind, FailureKind::Authentication);
        // The server tells whole seconds.
        let ends: Vec<String> = ["9m59s", "10m", "10m1s"]
            .iter()
            .map(|time| format!("the clock here is {time} {side} the server's: set it right"))
            .collect();
        let text = err.to_string();
        assert!(ends.iter().any(|end| text.ends_with(end.as_str())), "{text}");
    }
}

#[tokio::test]
async fn a_limit_is_told_with_how_long_to_wait_if_the_server_says_so() {
    for (retry_after, expected) in
        [(None, None), (Some(Duration::from_secs(7)), Some(Duration::from_secs(7)))]
    {
        let limit = Limit::new(1, 1);
        let limit = retry_after.map_or(limit, |wait| limit.with_retry_after(wait));
        let world = World::with(|config| config.with_limit(limit)).await;
        let datacenter = world.open().await;
        datacenter.get_account().await.unwrap();
        let err = datacenter.get_account().await.unwrap_err();
        assert_eq!((err.kind, err.retry_after), (FailureKind::RateLimited, expected));
        let err = err.into_driver_error(Operation::List);
        assert!(err.is_retryable());
    }
}

#[tokio::test]
async fn maintenance_is_told_with_how_long_to_wait_and_reads_go_on() {
    let world = World::new().await;
    let datacenter = world.open().await;
    world.sim.reconfigure(|config| config.is_read_only = true);
    let err = datacenter.create_machine(&CreateMachine::new(PACKAGE, IMAGE)).await.unwrap_err();
    assert_eq!((err.kind, err.code.as_str()), (FailureKind::Unavailable, "ServiceUnavailable"));
    let wait = err.retry_after.unwrap();
    assert!((58..=61).contains(&wait.as_secs()), "{wait:?}");
    assert!(datacenter.machines(&MachineFilter::default()).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_machine_that_fails_ends_the_wait_and_is_listed_by_the_driver_until_it_is_destroyed() {
    let world = World::new().await;
    let datacenter = world.open().await;
    world.sim.nodes().fail_next(Operation::Create, Fault::BootFailure);
    let mut machine = datacenter.create_machine(&CreateMachine::new(PACKAGE, IMAGE)).await.unwrap();
    let err = machine.wait_until(&MachineState::Running, &soon()).await.unwrap_err();
    assert!(matches!(err, WaitError::Never { .. }), "{err}");

    let driver = CloudApiDriver::new(datacenter, templates());
    world.sim.nodes().fail_next(Operation::Create, Fault::BootFailure);
    let request = CreateRequest::new("base").with_token("lab/base/base-1".parse().unwrap());
    let node = driver.create(&request).await.unwrap();
    let mut ticks = tokio::time::interval(Duration::from_millis(5));
    while driver.get(&node.id).await.unwrap().state != NodeState::Error {
        ticks.tick().await;
    }
    let listing = driver.list().await.unwrap();
    assert_eq!(listing.nodes.iter().map(|node| node.state).collect::<Vec<_>>(), [NodeState::Error]);
    driver.destroy(&node.id).await.unwrap();
    while !driver.list().await.unwrap().nodes.is_empty() {
        ticks.tick().await;
    }
}

#[tokio::test]
async fn a_machine_on_a_lost_server_is_unknown_and_stays() {
    let world = World::new().await;
    let driver = CloudApiDriver::new(world.open().await, templates());
    let node = driver.create(&CreateRequest::new("base")).await.unwrap();
    assert!(world.sim.set_state(node.id.as_str(), MachineState::Unknown));
    let listing = driver.list().await.unwrap();
    assert_eq!(listing.nodes.iter().map(|node| node.state).collect::<Vec<_>>(), [NodeState::Unknown]);
    assert!(listing.is_complete());
}

#[tokio::test]
async fn names_that_collide_and_a_full_data_center_are_told_apart() {
    let world = World::with(|config| config.with_capacity(1)).await;
    let datacenter = world.open().await;
    let request = CreateMachine::new(PACKAGE, IMAGE).with_name("web-1");
    datacenter.create_machine(&request).await.unwrap();
    let err = datacenter.create_machine(&request).await.unwrap_err();
    assert_eq!((err.kind, err.is_duplicate_name()), (FailureKind::AlreadyExists, true));
    let err = datacenter.create_machine(&request.with_name("web-10")).await.unwrap_err();
    assert_eq!((err.kind, err.certainty), (FailureKind::Capacity, Certainty::NotApplied));
}

#[tokio::test]
async fn a_lost_answer_leaves_a_machine_that_its_token_finds() {
    let world = World::new().await;
    let driver = CloudApiDriver::new(world.open().await, templates());
    world.sim.reconfigure(|config| config.faults.lost_answers = 1.0);
    let token: vmpool_model::Token = "lab/base/base-1".parse().unwrap();
    let err = driver.create(&CreateRequest::new("base").with_token(token.clone())).await.unwrap_err();
    assert_eq!(err.certainty(), Certainty::Unknown);
    let found = driver.list().await.unwrap().nodes;
    assert_eq!(found.iter().map(|node| node.token.clone()).collect::<Vec<_>>(), [Some(token)]);
}
