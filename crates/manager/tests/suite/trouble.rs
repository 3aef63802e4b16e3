//! When the store fails.

use vmpool_manager::{
    ManagerError, ManagerHandle, StopError,
    model::DomainName,
    store::{CommitFault, Store},
};

use crate::{
    spy::Trick,
    world::{World, pass, request, seconds, until_ready, use_one},
};

/// Lets one acquire meet a fault of the store; returns whether its error says that it may have happened.
async fn acquire_and_fail(world: &World, fault: CommitFault) -> bool {
    let manager = world.start(2).await;
    let handle = manager.handle();
    until_ready(&handle, 2).await;
    world.memory.fail_next(fault);
    let err = handle.acquire(request("r1")).await.unwrap_err();
    let ManagerError::Store { may_have_happened, .. } = err else { panic!("{err:?}") };

    pass(seconds(1)).await;
    // Whatever became of it, asking again is safe, and there is one lease then.
    let grant = handle.acquire(request("r1")).await.unwrap();
    let view = handle.view().await.unwrap();
    assert_eq!(view.leases, [grant.lease]);
    use_one(&handle, "r2").await;
    may_have_happened
}

#[tokio::test(start_paused = true)]
async fn a_failed_commit_is_an_error_and_the_pool_goes_on() {
    assert!(!acquire_and_fail(&World::new(), CommitFault::NotApplied).await);
}

#[tokio::test(start_paused = true)]
async fn f11_a_full_disk_is_an_error_and_the_pool_goes_on() {
    assert!(!acquire_and_fail(&World::new(), CommitFault::Full).await);
}

#[tokio::test(start_paused = true)]
async fn a_commit_that_may_have_happened_says_so_when_it_did() {
    assert!(acquire_and_fail(&World::new(), CommitFault::UnknownButApplied).await);
}

#[tokio::test(start_paused = true)]
async fn a_commit_that_may_have_happened_says_so_when_it_did_not() {
    assert!(acquire_and_fail(&World::new(), CommitFault::UnknownAndNotApplied).await);
}

#[tokio::test(start_paused = true)]
async fn no_effect_of_a_failed_commit_is_carried_out() {
    let world = World::new();
    let manager = world.start(1).await;
    let handle = manager.handle();
    until_ready(&handle, 1).await;
    let grant = handle.acquire(request("r1")).await.unwrap();
    world.log.take();
    // Once for the release, and often enough for the attempts to go on for a while.
    (0..20).for_each(|_| world.memory.fail_next(CommitFault::NotApplied));

    handle.release(grant.lease.id.clone()).await.unwrap_err();
    pass(seconds(20)).await;
    let log = world.log.take();
    assert!(!log.contains(&"destroy".to_owned()), "{log:#?}");
    assert!(log.iter().any(|line| line.starts_with("failed commit")), "{log:#?}");
}

#[tokio::test(start_paused = true)]
async fn while_the_store_fails_every_wish_is_answered_with_an_error() {
    let world = World::new();
    let manager = world.start(1).await;
    let handle = manager.handle();
    until_ready(&handle, 1).await;
    (0..20).for_each(|_| world.memory.fail_next(CommitFault::Full));
    handle.acquire(request("r1")).await.unwrap_err();

    let err = handle.acquire(request("r2")).await.unwrap_err();
    assert!(matches!(err, ManagerError::Store { may_have_happened: false, .. }), "{err:?}");
    pass(seconds(200)).await;
    use_one(&handle, "r2").await;
}

/// Lets each commit on the way to the grant of a waiting request fail, the grant's own among them; the
/// request must be served all the same.
async fn fail_the_grant_of_a_waiting_request(fault: CommitFault) {
    let mut failed_grants = 0;
    for commits_before in 0..12 {
        let world = World::new();
        let manager = world.start(1).await;
        let handle = manager.handle();
        let taken = handle.acquire(request("r1")).await.unwrap();
        let waiting = tokio::spawn({
            let handle = handle.clone();
            async move { handle.acquire(request("r2")).await }
        });
        handle.release(taken.lease.id).await.unwrap();
        world.store.close_gate();
        world.store.let_through(commits_before);
        pass(seconds(15)).await;
        world.memory.fail_next(fault);
        let was_granted = waiting.is_finished();
        world.log.take();
        world.store.let_through(1);
        pass(seconds(1)).await;
        failed_grants +=
            usize::from(!was_granted && world.log.take().iter().any(|line| line.contains("lease of")));
        world.store.let_through(1000);

        let grant = waiting.await.unwrap().unwrap();
        pass(seconds(30)).await;
        // An engine that is made anew gives leases back the time in which nothing was recorded.
        let leases = &handle.view().await.unwrap().leases;
        assert_eq!((leases.len(), &leases[0].id, &leases[0].vm), (1, &grant.lease.id, &grant.lease.vm));
        assert!(grant.lease.expires_at <= leases[0].expires_at);
        assert_eq!(world.cloud.find_duplicate_tokens(), []);
    }
    assert_eq!(failed_grants, 1, "the grant's own commit was not among them");
}

#[tokio::test(start_paused = true)]
async fn a_request_that_waits_goes_on_waiting_when_a_commit_fails() {
    fail_the_grant_of_a_waiting_request(CommitFault::NotApplied).await;
}

#[tokio::test(start_paused = true)]
async fn a_request_that_waits_gets_what_a_commit_granted_that_seemed_to_fail() {
    fail_the_grant_of_a_waiting_request(CommitFault::UnknownButApplied).await;
}

#[tokio::test(start_paused = true)]
async fn f7_a_manager_whose_domain_was_taken_over_stops_and_says_why() {
    let world = World::new();
    let mut manager = world.start(1).await;
    let handle = manager.handle();
    until_ready(&handle, 1).await;
    let domain = DomainName::new("default").unwrap();
    world.memory.claim(&domain, "somebody else").await.unwrap();

    handle.acquire(request("r1")).await.unwrap_err();
    let err = manager.wait().await.unwrap_err();
    assert!(matches!(err, StopError::Fenced { .. }), "{err}");
    let err = handle.acquire(request("r2")).await.unwrap_err();
    assert!(matches!(err, ManagerError::Stopped), "{err}");
    assert!(world.memory.load(&domain).await.unwrap().leases.is_empty());
}

/// Makes the engine anew by a commit that fails.
async fn make_the_engine_anew(world: &World, handle: &ManagerHandle) {
    world.memory.fail_next(CommitFault::NotApplied);
    handle.acquire(request("lost")).await.unwrap_err();
    pass(seconds(1)).await;
}

#[tokio::test(start_paused = true)]
async fn a_look_up_of_a_new_engine_waits_for_the_create_of_the_old_one() {
    let world = World::new();
    world.driver.trick("create", Trick::Wait(20));
    let manager = world.start(1).await;
    let handle = manager.handle();
    pass(seconds(1)).await;
    make_the_engine_anew(&world, &handle).await;
    until_ready(&handle, 1).await;
    pass(seconds(60)).await;
    assert_eq!((world.cloud.created(), world.cloud.find_duplicate_tokens()), (1, vec![]));
}

#[tokio::test(start_paused = true)]
async fn an_outcome_of_the_old_engine_is_not_taken_for_one_of_the_new_one() {
    let world = World::new();
    (0..6).for_each(|_| world.driver.trick("create", Trick::Wait(20)));
    let manager = world.start(6).await;
    let handle = manager.handle();
    pass(seconds(1)).await;
    make_the_engine_anew(&world, &handle).await;
    for _ in 0..60 {
        pass(seconds(1)).await;
        let nodes = world.cloud.nodes();
        for vm in &handle.view().await.unwrap().vms {
            let Some(known) = &vm.node else { continue };
            let node = nodes.iter().find(|node| node.id == known.id).unwrap();
            assert_eq!(node.name, vm.name.as_str());
        }
    }
    assert_eq!(world.cloud.created(), 6);
}

#[tokio::test(start_paused = true)]
async fn a_commit_that_hangs_is_an_error_and_may_happen_late() {
    let world = World::new();
    let manager = world.start(1).await;
    let handle = manager.handle();
    until_ready(&handle, 1).await;
    world.store.close_gate();
    let err = handle.acquire(request("r1")).await.unwrap_err();
    assert!(matches!(err, ManagerError::Store { may_have_happened: true, .. }), "{err:?}");

    world.store.let_through(1000);
    pass(seconds(60)).await;
    let grant = handle.acquire(request("r1")).await.unwrap();
    assert_eq!(handle.view().await.unwrap().leases, [grant.lease]);
}

#[tokio::test(start_paused = true)]
async fn a_store_that_panics_ends_one_commit_and_not_the_manager() {
    let world = World::new();
    let manager = world.start(1).await;
    let handle = manager.handle();
    until_ready(&handle, 1).await;
    world.store.panic_once();
    handle.acquire(request("r1")).await.unwrap_err();
    pass(seconds(1)).await;
    use_one(&handle, "r2").await;
}

#[tokio::test(start_paused = true)]
async fn a_manager_does_not_take_its_own_claim_for_that_of_another() {
    let world = World::new();
    let manager = world.start(1).await;
    let handle = manager.handle();
    until_ready(&handle, 1).await;
    world.store.lose_claim_once();
    make_the_engine_anew(&world, &handle).await;
    use_one(&handle, "r1").await;
}
