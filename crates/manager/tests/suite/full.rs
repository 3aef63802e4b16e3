//! While the disk is full the pools can be looked at, and what ends goes on as long as there is room for that (F11).

use vmpool_manager::{ManagerError, Notice, Refusal, model::RequestId, store::CommitFault};

use crate::world::{World, pass, ready, request, seconds, until_ready, use_one};

#[tokio::test(start_paused = true)]
async fn f11_what_is_recorded_can_be_seen_while_nothing_can_be_written() {
    let world = World::new();
    let manager = world.start(1).await;
    let handle = manager.handle();
    until_ready(&handle, 1).await;
    let grant = handle.acquire(request("r1")).await.unwrap();
    (0..20).for_each(|_| world.memory.fail_next(CommitFault::Full));
    let err = handle.release(grant.lease.id.clone()).await.unwrap_err();
    assert!(matches!(err, ManagerError::Store { may_have_happened: false, .. }), "{err:?}");
    for _ in 0..30 {
        pass(seconds(1)).await;
        let view = handle.view().await.unwrap();
        assert_eq!((view.leases.len(), view.vms.len()), (1, 1));
        assert_eq!(view.leases[0].id, grant.lease.id, "the release that was not written did not happen");
        assert!(handle.vm(grant.lease.vm.clone()).await.unwrap().is_some());
        let unknown = handle.explain(RequestId::new("r9").unwrap()).await.unwrap_err();
        assert!(matches!(unknown, ManagerError::Refused(Refusal::UnknownRequest { .. })), "{unknown:?}");
        let err = handle.release(grant.lease.id.clone()).await.unwrap_err();
        assert!(matches!(err, ManagerError::Store { may_have_happened: false, .. }), "{err:?}");
    }
    pass(seconds(200)).await;
    handle.release(grant.lease.id).await.unwrap();
    use_one(&handle, "r2").await;
}

#[tokio::test(start_paused = true)]
async fn f11_a_store_that_is_short_of_room_takes_releases_and_no_new_leases() {
    let world = World::new();
    let manager = world.start(2).await;
    let handle = manager.handle();
    until_ready(&handle, 2).await;
    let grant = handle.acquire(request("r1")).await.unwrap();
    until_ready(&handle, 1).await;
    pass(seconds(60)).await;
    world.memory.set_short(true);
    handle.renew(grant.lease.id.clone(), None).await.unwrap();
    let err = handle.acquire(request("r2")).await.unwrap_err();
    assert!(matches!(err, ManagerError::Refused(Refusal::StoreFull)), "{err:?}");
    assert_eq!(handle.health().await.unwrap().1, [Notice::StoreFull]);
    let created = world.cloud.created();
    handle.release(grant.lease.id).await.unwrap();
    pass(seconds(100)).await;
    assert_eq!((ready(&handle).await, world.cloud.nodes().len()), (1, 1), "what was given back is destroyed");
    assert_eq!(world.cloud.created(), created);

    world.memory.set_short(false);
    pass(seconds(10)).await;
    until_ready(&handle, 2).await;
    assert_eq!(handle.health().await.unwrap().1, []);
    use_one(&handle, "r2").await;
}

#[tokio::test(start_paused = true)]
async fn f11_an_engine_that_is_made_anew_is_told_that_there_is_no_room() {
    let world = World::new();
    let manager = world.start(1).await;
    let handle = manager.handle();
    until_ready(&handle, 1).await;
    world.memory.set_short(true);
    world.memory.fail_next(CommitFault::Full);
    handle.acquire(request("r1")).await.unwrap_err();
    pass(seconds(1)).await;
    let err = handle.acquire(request("r2")).await.unwrap_err();
    assert!(matches!(err, ManagerError::Refused(Refusal::StoreFull)), "{err:?}");
}
