//! What clients see.

use std::time::Duration;

use vmpool_manager::{
    ManagerError, Refusal,
    model::{EventKind, LeaseId},
    store::Cursor,
};

use crate::world::{World, pass, pool, request, seconds, small, until_ready, use_one};

#[tokio::test(start_paused = true)]
async fn the_same_request_again_yields_the_same_lease() {
    let world = World::new();
    let manager = world.start(2).await;
    let handle = manager.handle();
    let first = handle.acquire(request("r1")).await.unwrap();
    let again = handle.acquire(request("r1")).await.unwrap();
    assert_eq!(first.lease, again.lease);
}

#[tokio::test(start_paused = true)]
async fn a_request_that_was_polled_for_and_left_is_found_granted_later() {
    let world = World::new();
    let manager = world.start(1).await;
    let handle = manager.handle();
    let taken = handle.acquire(request("r1")).await.unwrap();
    assert_eq!(handle.acquire_within(request("r2"), seconds(1)).await.unwrap(), None);

    handle.release(taken.lease.id).await.unwrap();
    pass(seconds(60)).await;
    let grant =
        handle.acquire_within(request("r2"), Duration::from_millis(1)).await.unwrap().unwrap().remove(0);
    assert_ne!(grant.lease.vm, taken.lease.vm, "a used VM is destroyed by default");
}

#[tokio::test(start_paused = true)]
async fn a_freed_vm_goes_to_who_waits() {
    let world = World::new();
    let manager = world.start(1).await;
    let handle = manager.handle();
    let taken = handle.acquire(request("r1")).await.unwrap();
    let waiting = tokio::spawn({
        let handle = handle.clone();
        async move { handle.acquire(request("r2")).await }
    });
    pass(seconds(1)).await;
    handle.release(taken.lease.id).await.unwrap();
    assert!(waiting.await.unwrap().is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_request_whose_time_is_over_is_refused_with_what_is_known() {
    let world = World::new();
    let manager = world.start(1).await;
    let handle = manager.handle();
    handle.acquire(request("r1")).await.unwrap();
    let err = handle.acquire(request("r2").with_wait(seconds(5))).await.unwrap_err();
    let ManagerError::Refused(Refusal::TimedOut { waited, .. }) = err else { panic!("{err:?}") };
    assert_eq!(waited, seconds(5));
}

#[tokio::test(start_paused = true)]
async fn a_request_that_is_withdrawn_is_refused_to_who_waits() {
    let world = World::new();
    let manager = world.start(1).await;
    let handle = manager.handle();
    handle.acquire(request("r1")).await.unwrap();
    let waiting = tokio::spawn({
        let handle = handle.clone();
        async move { handle.acquire(request("r2")).await }
    });
    pass(seconds(1)).await;
    handle.cancel(request("r2").request).await.unwrap();
    let err = waiting.await.unwrap().unwrap_err();
    assert!(matches!(err, ManagerError::Refused(Refusal::Cancelled { .. })), "{err:?}");
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_is_renewed_lasts_and_one_that_is_not_ends() {
    let world = World::new();
    let manager = world.start(2).await;
    let handle = manager.handle();
    let ttl = Some(seconds(60));
    let renewed = handle.acquire(request("r1").with_ttl(ttl)).await.unwrap().lease.id;
    let left = handle.acquire(request("r2").with_ttl(ttl)).await.unwrap().lease.id;
    for _ in 0..4 {
        pass(seconds(30)).await;
        handle.renew(renewed.clone(), None).await.unwrap();
    }
    let leases: Vec<_> = handle.view().await.unwrap().leases.iter().map(|lease| lease.id.clone()).collect();
    assert_eq!(leases, [renewed]);
    let err = handle.renew(left, None).await.unwrap_err();
    assert!(matches!(err, ManagerError::Refused(Refusal::LeaseEnded { .. })), "{err:?}");
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_never_was_is_refused() {
    let world = World::new();
    let manager = world.start(1).await;
    let unknown = LeaseId::new("no-such").unwrap();
    let err = manager.handle().release(unknown).await.unwrap_err();
    assert!(matches!(err, ManagerError::Refused(Refusal::UnknownLease { .. })), "{err:?}");
}

#[tokio::test(start_paused = true)]
async fn an_operator_can_destroy_a_vm() {
    let world = World::new();
    let manager = world.start(1).await;
    let handle = manager.handle();
    until_ready(&handle, 1).await;
    let vm = handle.view().await.unwrap().vms[0].name.clone();
    handle.terminate(vm.clone(), "it smells").await.unwrap();
    pass(seconds(60)).await;
    let view = handle.view().await.unwrap();
    assert!(view.vms.iter().all(|record| record.name != vm), "{view:#?}");
}

#[tokio::test(start_paused = true)]
async fn the_cursor_of_new_events_is_told_and_they_can_be_read() {
    let world = World::new();
    let manager = world.start(1).await;
    let handle = manager.handle();
    until_ready(&handle, 1).await;
    let mut watch = handle.watch_events();
    let before = *watch.borrow_and_update();
    use_one(&handle, "r1").await;
    watch.changed().await.unwrap();
    let page = handle.events(before, 100).await.unwrap();
    let kinds: Vec<_> = page.events.iter().map(|stored| stored.event.kind).collect();
    assert!(kinds.contains(&EventKind::LeaseGranted), "{kinds:?}");
    assert!(handle.events(Cursor(0), 1).await.unwrap().events[0].event.kind == EventKind::DaemonStarted);
}

#[tokio::test(start_paused = true)]
async fn the_view_shows_pools_and_providers_with_their_configuration() {
    let world = World::new();
    let manager = world.start(2).await;
    let handle = manager.handle();
    until_ready(&handle, 2).await;
    // The first listing was asked for together with the VMs; this is after the second one.
    pass(seconds(15)).await;
    let view = handle.view().await.unwrap();
    assert_eq!(view.pools[0].pool.name, small());
    assert_eq!(view.pools[0].config, Some(pool(2)));
    assert_eq!((view.providers[0].nodes, view.providers[0].problem.as_deref()), (2, None));
    assert_eq!(view.installation, *handle.installation());
}
