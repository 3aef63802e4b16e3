//! A provider that is taken out of the configuration is asked until its last VM is gone, and not after that.

use std::{collections::BTreeMap, sync::Arc};

use vmpool_dummy::{DummyCloud, DummyConfig, DummyDriver};
use vmpool_manager::{
    Drivers, Limit, ManagerHandle, Notice, ProviderStatus,
    model::{
        ProviderName, RecordState,
        config::{LimitsConfig, ProviderConfig},
    },
    store::CommitFault,
};

use crate::{
    spy::Trick,
    world::{World, lab, pass, pool, prompt, request, seconds, small, until_ready},
};

fn attic() -> ProviderName {
    ProviderName::new("attic").unwrap()
}

/// Gives the pool to another provider, and takes the one there is out; returns the cloud of the other one.
async fn move_to_attic(handle: &ManagerHandle) -> DummyCloud {
    let cloud = DummyCloud::in_memory(DummyConfig::default()).unwrap();
    let driver = Arc::new(DummyDriver::new(cloud.clone()));
    let providers: Drivers = [(attic(), (ProviderConfig::new("dummy"), driver as _))].into();
    let mut config = pool(2);
    config.provider = Some(attic());
    handle.reconfigure([(small(), config)].into(), providers, LimitsConfig::default()).await.unwrap();
    cloud
}

async fn statuses(handle: &ManagerHandle) -> BTreeMap<ProviderName, ProviderStatus> {
    let view = handle.view().await.unwrap();
    view.providers.iter().map(|status| (status.name.clone(), status.clone())).collect()
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_is_taken_away_is_emptied_and_then_left_alone() {
    let world = World::new();
    let manager = world.start(2).await;
    let handle = manager.handle();
    until_ready(&handle, 2).await;
    let grant = handle.acquire(request("r1")).await.unwrap();
    let other = move_to_attic(&handle).await;
    pass(seconds(100)).await;
    let nodes: Vec<_> = world.cloud.nodes().into_iter().map(|node| node.id).collect();
    assert_eq!((nodes, other.nodes().len()), (vec![grant.node.id], 1), "the pool may have 2");
    let shown = statuses(&handle).await;
    let lab = &shown[&lab()];
    assert!(lab.provider.retired_at.is_some() && lab.listed_at.is_some());
    assert_eq!(lab.provider.stop.as_ref().map(Limit::kind), Some("provider_retired"));
    assert!(handle.view().await.unwrap().notices.is_empty());

    handle.renew(grant.lease.id.clone(), None).await.unwrap();
    handle.release(grant.lease.id).await.unwrap();
    pass(seconds(100)).await;
    assert_eq!((world.cloud.nodes().len(), other.nodes().len()), (0, 2));
    assert_eq!(statuses(&handle).await.into_keys().collect::<Vec<_>>(), [attic()]);
    assert_eq!(handle.known_drivers().await.unwrap().len(), 1);
    world.log.take();
    pass(seconds(600)).await;
    assert!(!world.log.take().contains(&"list".to_owned()), "nobody asks a provider that is gone");
}

#[tokio::test(start_paused = true)]
async fn what_is_being_made_at_a_provider_that_is_taken_away_is_destroyed() {
    let world = World::new();
    world.driver.trick("create", Trick::Wait(20));
    let manager = world.start(2).await;
    let handle = manager.handle();
    pass(seconds(5)).await;
    move_to_attic(&handle).await;
    pass(seconds(200)).await;
    assert_eq!((world.cloud.created(), world.cloud.nodes().len()), (2, 0));
    assert_eq!(statuses(&handle).await.into_keys().collect::<Vec<_>>(), [attic()]);
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_is_taken_away_is_still_asked_after_a_commit_that_failed() {
    let world = World::new();
    let manager = world.start(2).await;
    let handle = manager.handle();
    until_ready(&handle, 2).await;
    let grant = handle.acquire(request("r1")).await.unwrap();
    move_to_attic(&handle).await;
    pass(seconds(100)).await;
    world.memory.fail_next(CommitFault::NotApplied);
    handle.release(grant.lease.id.clone()).await.unwrap_err();
    pass(seconds(60)).await;
    handle.release(grant.lease.id).await.unwrap();
    pass(seconds(100)).await;
    assert_eq!(world.cloud.nodes().len(), 0);
    assert_eq!(statuses(&handle).await.into_keys().collect::<Vec<_>>(), [attic()]);
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_comes_back_goes_on_with_what_is_there() {
    let world = World::new();
    let manager = world.start(2).await;
    let handle = manager.handle();
    until_ready(&handle, 2).await;
    let grant = handle.acquire(request("r1")).await.unwrap();
    let other = move_to_attic(&handle).await;
    pass(seconds(20)).await;
    let mut known = handle.known_drivers().await.unwrap();
    known.remove(&attic());
    assert_eq!(known[&lab()].0, prompt());
    handle.reconfigure([(small(), pool(2))].into(), known, LimitsConfig::default()).await.unwrap();
    pass(seconds(100)).await;
    assert_eq!((world.cloud.nodes().len(), world.cloud.created(), other.nodes().len()), (2, 3, 0));
    let vm = handle.vm(grant.lease.vm).await.unwrap().unwrap();
    assert_eq!((vm.state, vm.suspect), (RecordState::InUse, None));
    let shown = statuses(&handle).await;
    assert!(shown.len() == 1 && shown[&lab()].provider.retired_at.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_crash_while_a_provider_is_emptied_leaves_what_a_start_reports_until_it_is_back() {
    let world = World::new();
    let manager = world.start(2).await;
    let handle = manager.handle();
    until_ready(&handle, 2).await;
    let grant = handle.acquire(request("r1")).await.unwrap();
    move_to_attic(&handle).await;
    drop(manager);

    let cloud = DummyCloud::in_memory(DummyConfig::default()).unwrap();
    let mut config = pool(2);
    config.provider = Some(attic());
    let builder = vmpool_manager::Manager::builder(world.store.clone());
    let builder =
        builder.provider(attic(), ProviderConfig::new("dummy"), Arc::new(DummyDriver::new(cloud.clone())));
    let manager = builder.pool(small(), config).start().await.unwrap();
    assert_eq!(manager.notices(), [Notice::UnknownProvider { provider: lab(), vms: 2 }]);
    let told = manager.notices()[0].to_string();
    assert!(told.ends_with("configure the provider again, or forget the VMs"), "{told}");
    let handle = manager.handle();
    pass(seconds(100)).await;
    let view = handle.view().await.unwrap();
    let problem = "1 VM is at a provider that is not configured (lab): configure it again, or forget them";
    assert_eq!(view.pools[0].pool.problem.as_deref(), Some(problem));
    assert_eq!(
        (world.cloud.nodes().len(), cloud.nodes().len()),
        (1, 0),
        "nobody saw that the other one is gone"
    );

    let providers = [
        (lab(), (prompt(), world.driver.clone() as _)),
        (attic(), (ProviderConfig::new("dummy"), Arc::new(DummyDriver::new(cloud)) as _)),
    ];
    handle.reconfigure([(small(), pool(2))].into(), providers.into(), LimitsConfig::default()).await.unwrap();
    pass(seconds(100)).await;
    let vm = handle.vm(grant.lease.vm).await.unwrap().unwrap();
    assert_eq!((vm.state, vm.suspect), (RecordState::InUse, None));
    assert_eq!((world.cloud.nodes().len(), world.cloud.created()), (2, 3));
}
