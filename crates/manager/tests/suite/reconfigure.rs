//! Another configuration takes the place of the one there is while the manager runs.

use std::{collections::BTreeMap, sync::Arc};

use vmpool_dummy::DummyDriver;
use vmpool_manager::{
    Drivers, Manager, ManagerError,
    model::{
        EventKind, PoolName,
        config::{LimitsConfig, PoolConfig},
    },
    store::{CommitFault, Cursor},
};

use crate::{
    spy::Trick,
    world::{World, lab, pass, pool, prompt, ready, request, seconds, small, until_ready},
};

fn big() -> PoolName {
    PoolName::new("big").unwrap()
}

fn drivers(world: &World) -> Drivers {
    [(lab(), (prompt(), world.driver.clone() as _))].into()
}

/// Gives a manager these pools at the provider there is.
async fn give(
    world: &World,
    manager: &Manager,
    pools: &[(PoolName, PoolConfig)],
) -> Result<(), ManagerError> {
    let pools = pools.iter().cloned().collect();
    manager.handle().reconfigure(pools, drivers(world), LimitsConfig::default()).await
}

#[tokio::test(start_paused = true)]
async fn a_pool_that_is_added_fills_and_one_that_is_taken_away_empties() {
    let world = World::new();
    let manager = world.start(2).await;
    let handle = manager.handle();
    until_ready(&handle, 2).await;
    give(&world, &manager, &[(small(), pool(2)), (big(), pool(3))]).await.unwrap();
    until_ready(&handle, 5).await;

    give(&world, &manager, &[(big(), pool(3))]).await.unwrap();
    pass(seconds(100)).await;
    assert_eq!((ready(&handle).await, world.cloud.nodes().len()), (3, 3));
    let view = handle.view().await.unwrap();
    assert_eq!((view.pools.len(), view.notices.len()), (1, 0), "{view:#?}");
    let events = handle.events(Cursor(0), 1000).await.unwrap().events;
    let changes = events.iter().filter(|stored| stored.event.kind == EventKind::ConfigChanged);
    assert_eq!(changes.count(), 2);
}

#[tokio::test(start_paused = true)]
async fn who_holds_a_vm_of_a_pool_that_is_taken_away_goes_on() {
    let world = World::new();
    let manager = world.start(1).await;
    let handle = manager.handle();
    let grant = handle.acquire(request("r1")).await.unwrap();
    give(&world, &manager, &[(big(), pool(1))]).await.unwrap();
    pass(seconds(300)).await;
    handle.renew(grant.lease.id.clone(), None).await.unwrap();
    assert!(world.cloud.nodes().iter().any(|node| node.id == grant.node.id));
    handle.release(grant.lease.id).await.unwrap();
    pass(seconds(100)).await;
    assert_eq!(world.cloud.nodes().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_new_configuration_whose_commit_fails_is_not_taken() {
    let world = World::new();
    let manager = world.start(1).await;
    let handle = manager.handle();
    until_ready(&handle, 1).await;
    for fault in [CommitFault::NotApplied, CommitFault::UnknownButApplied] {
        world.memory.fail_next(fault);
        let err = give(&world, &manager, &[(big(), pool(3))]).await.unwrap_err();
        assert!(matches!(err, ManagerError::Store { .. }), "{err:?}");
        pass(seconds(200)).await;
        let view = handle.view().await.unwrap();
        let pools: Vec<_> = view.pools.iter().map(|status| status.pool.name.clone()).collect();
        assert_eq!(
            (pools, ready(&handle).await, world.cloud.nodes().len()),
            (vec![small()], 1, 1),
            "{fault:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_create_that_is_under_way_when_the_driver_changes_leaks_nothing() {
    let world = World::new();
    world.driver.trick("create", Trick::Wait(20));
    let manager = world.start(1).await;
    let handle = manager.handle();
    pass(seconds(5)).await;
    // Another driver of the same cloud, as after a change of its options.
    let other = Arc::new(DummyDriver::new(world.cloud.clone()));
    let providers: Drivers = [(lab(), (prompt(), other as _))].into();
    let pools = BTreeMap::from([(small(), pool(1))]);
    handle.reconfigure(pools, providers, LimitsConfig::default()).await.unwrap();
    pass(seconds(200)).await;
    assert_eq!((ready(&handle).await, world.cloud.nodes().len(), world.cloud.created()), (1, 1, 1));
}

#[tokio::test(start_paused = true)]
async fn f14_a_pool_whose_creates_hang_changes_nothing_for_others() {
    let world = World::new();
    let manager = world.start(2).await;
    let handle = manager.handle();
    until_ready(&handle, 2).await;
    (0..1000).for_each(|_| world.driver.trick("create", Trick::Hang));
    give(&world, &manager, &[(small(), pool(2)), (big(), pool(50))]).await.unwrap();
    for id in 0..2 {
        let acquired = tokio::time::timeout(seconds(1), handle.acquire(request(&format!("r{id}")))).await;
        acquired.unwrap().unwrap();
    }
}
