//! Shutting down, crashing, and starting again on the same records and cloud.

use std::sync::Arc;

use vmpool_dummy::DummyConfig;
use vmpool_manager::{
    ManagerError, Notice, StartError, SystemClock,
    model::{DomainName, EventKind, InstallationId, Timestamp},
    store::{CommitFault, Cursor, Store},
};

use crate::{
    spy::Trick,
    world::{World, lab, pass, pool, ready, request, seconds, small, start_time, until_ready, use_one},
};

#[tokio::test(start_paused = true)]
async fn f1_what_was_being_created_when_the_manager_crashed_is_adopted() {
    let world = World::of(DummyConfig::default().with_boot_latency(seconds(30)));
    let manager = world.start(5).await;
    pass(seconds(10)).await;
    drop(manager);
    assert_eq!(world.cloud.nodes().len(), 5);

    let manager = world.start(5).await;
    until_ready(&manager.handle(), 5).await;
    assert_eq!((world.cloud.created(), world.cloud.nodes().len()), (5, 5));
}

#[tokio::test(start_paused = true)]
async fn a_crash_at_any_moment_of_the_start_leaks_nothing_and_makes_nothing_twice() {
    for moment in 0..60 {
        let mut config = DummyConfig::default().with_boot_latency(seconds(1));
        config.call_latency = std::time::Duration::from_millis(20);
        let world = World::of(config);
        let manager = world.start(3).await;
        pass(std::time::Duration::from_millis(moment * 5)).await;
        drop(manager);
        let manager = world.start(3).await;
        pass(seconds(300)).await;
        assert_eq!(ready(&manager.handle()).await, 3, "after {moment}");
        assert_eq!(world.cloud.nodes().len(), 3, "after {moment}");
        assert_eq!(world.cloud.find_duplicate_tokens(), [], "after {moment}");
    }
}

#[tokio::test(start_paused = true)]
async fn f9_a_lease_and_a_waiting_request_survive_a_crash() {
    let world = World::new();
    let manager = world.start(1).await;
    let handle = manager.handle();
    let grant = handle.acquire(request("r1")).await.unwrap();
    assert_eq!(handle.acquire_within(request("r2"), seconds(1)).await.unwrap(), None);
    drop(manager);
    let err = handle.acquire(request("r2")).await.unwrap_err();
    assert!(matches!(err, ManagerError::Stopped), "{err:?}");

    let manager = world.start(1).await;
    let handle = manager.handle();
    assert_eq!(handle.acquire(request("r1")).await.unwrap().lease.id, grant.lease.id);
    handle.release(grant.lease.id).await.unwrap();
    handle.acquire(request("r2")).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn leases_of_two_managers_in_a_row_have_growing_fences() {
    let world = World::new();
    let manager = world.start(1).await;
    let first = use_one(&manager.handle(), "r1").await.lease;
    drop(manager);
    let manager = world.start(1).await;
    let second = use_one(&manager.handle(), "r2").await.lease;
    assert!(first.fence < second.fence && first.id != second.id, "{first:?} {second:?}");
}

#[tokio::test(start_paused = true)]
async fn f19_a_shutdown_stops_who_waits_and_is_written_into_the_log() {
    let world = World::new();
    let mut manager = world.start(1).await;
    let handle = manager.handle();
    handle.acquire(request("r1")).await.unwrap();
    let waiting = tokio::spawn({
        let handle = handle.clone();
        async move { handle.acquire(request("r2")).await }
    });
    pass(seconds(1)).await;

    handle.shutdown().await;
    assert!(matches!(waiting.await.unwrap(), Err(ManagerError::Stopped)));
    assert!(manager.wait().await.is_ok());
    assert!(handle.is_stopped());
    let events = handle.events(Cursor(0), 1000).await.unwrap().events;
    assert_eq!(events.last().unwrap().event.kind, EventKind::DaemonStopped);
    let records = world.memory.load(&DomainName::new("default").unwrap()).await.unwrap();
    assert_eq!(records.requests.len(), 2, "the request that waited stays recorded");
}

#[tokio::test(start_paused = true)]
async fn f19_a_shutdown_waits_for_what_is_under_way_and_records_it() {
    let mut config = DummyConfig::default();
    config.call_latency = seconds(2);
    let world = World::of(config);
    let manager = world.start(1).await;
    pass(seconds(1)).await;
    manager.handle().shutdown().await;
    let records = world.memory.load(&DomainName::new("default").unwrap()).await.unwrap();
    assert!(records.vms[0].node.is_some(), "{records:#?}");
}

#[tokio::test(start_paused = true)]
async fn f19_a_shutdown_abandons_a_call_that_hangs() {
    let world = World::new();
    world.driver.trick("create", Trick::Hang);
    let manager = world.start(1).await;
    pass(seconds(1)).await;
    let begun = tokio::time::Instant::now();
    manager.handle().shutdown().await;
    assert_eq!(begun.elapsed().as_secs(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_while_the_store_fails_ends_at_once_and_loses_nothing() {
    let world = World::new();
    world.driver.trick("create", Trick::Wait(3));
    let mut manager = world.start(2).await;
    let handle = manager.handle();
    until_ready(&handle, 1).await;
    let held = handle.acquire(request("r1")).await.unwrap().lease;
    (0..2).for_each(|_| world.memory.fail_next(CommitFault::NotApplied));
    handle.release(held.id.clone()).await.unwrap_err();
    let begun = tokio::time::Instant::now();
    handle.shutdown().await;
    assert!(begun.elapsed() < seconds(1));
    assert!(manager.wait().await.is_ok());

    let manager = world.start(2).await;
    let leases = manager.handle().view().await.unwrap().leases.clone();
    assert_eq!(leases.iter().map(|lease| &lease.id).collect::<Vec<_>>(), [&held.id]);
    pass(seconds(60)).await;
    assert_eq!((world.cloud.nodes().len(), world.cloud.find_duplicate_tokens()), (2, vec![]));
}

#[tokio::test(start_paused = true)]
async fn shutting_down_twice_is_no_trouble() {
    let world = World::new();
    let manager = world.start(1).await;
    manager.handle().shutdown().await;
    manager.handle().shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_pool_that_left_the_configuration_keeps_its_vms_and_is_reported() {
    let world = World::new();
    let manager = world.start(2).await;
    until_ready(&manager.handle(), 2).await;
    drop(manager);

    let other = "other".parse().unwrap();
    let manager = world.builder().pool(other, pool(1)).start().await.unwrap();
    pass(seconds(3600)).await;
    assert_eq!(manager.notices(), [Notice::UnknownPool { pool: small(), vms: 2 }]);
    let view = manager.handle().view().await.unwrap();
    assert_eq!(view.vms.iter().filter(|vm| vm.pool == small()).count(), 2);
    assert_eq!(world.cloud.nodes().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn an_installation_that_is_not_the_one_of_the_records_is_refused() {
    let world = World::new();
    let made_up = world.start(1).await.handle().installation().clone();
    let again = world.start(1).await.handle().installation().clone();
    assert_eq!(made_up, again);
    let given = InstallationId::new("given").unwrap();
    let err = world.builder().installation(given.clone()).start().await.unwrap_err();
    let StartError::Installation { given: found, stored } = err else { panic!("{err}") };
    assert_eq!((found, stored), (given, made_up));
}

#[tokio::test(start_paused = true)]
async fn f10_a_clock_that_is_a_year_behind_after_a_restart_goes_on_from_the_records() {
    let world = World::new();
    let manager = world.start(1).await;
    let grant = manager.handle().acquire(request("r1").with_ttl(Some(seconds(600)))).await.unwrap();
    drop(manager);

    let behind = Timestamp::from_millis(start_time().as_millis() - 365 * 86_400_000);
    let builder = world.builder().clock(Arc::new(SystemClock::anchored_at(behind)));
    let manager = builder.pool(small(), pool(1)).start().await.unwrap();
    let handle = manager.handle();
    assert!(grant.lease.acquired_at <= handle.view().await.unwrap().now);
    pass(seconds(700)).await;
    assert_eq!(handle.view().await.unwrap().leases, [], "a lease that nobody renews ends in its time");
}

#[tokio::test(start_paused = true)]
async fn f10_a_clock_that_jumps_back_stops_nothing() {
    let world = World::new();
    let clock = Arc::new(Jumping(std::sync::atomic::AtomicI64::new(start_time().as_millis())));
    let builder = world.builder().clock(clock.clone());
    let provider = crate::world::prompt();
    let manager =
        builder.provider(lab(), provider, world.driver.clone()).pool(small(), pool(1)).start().await.unwrap();
    let handle = manager.handle();
    until_ready(&handle, 1).await;
    clock.0.fetch_sub(365 * 86_400_000, std::sync::atomic::Ordering::SeqCst);
    handle.acquire(request("r1")).await.unwrap();
}

/// A clock that a test sets.
#[derive(Debug)]
struct Jumping(std::sync::atomic::AtomicI64);

impl vmpool_manager::Clock for Jumping {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(std::sync::atomic::Ordering::SeqCst))
    }
}
