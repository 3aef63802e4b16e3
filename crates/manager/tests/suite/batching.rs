//! What waits together is committed together.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::task::JoinSet;
use vmpool_manager::{
    Clock, VmQuery,
    store::{CommitFault, Cursor},
};
use vmpool_model::{EventKind, TaskId, Timestamp};

use crate::world::{World, pass, pool, request, seconds, small, start_time, until_ready};

#[tokio::test(start_paused = true)]
async fn all_that_waits_shares_one_commit() {
    let world = World::new();
    let manager = world.start(50).await;
    let handle = manager.handle();
    until_ready(&handle, 50).await;
    world.log.take();

    let mut clients = JoinSet::new();
    for number in 0..50 {
        let handle = handle.clone();
        clients.spawn(async move { handle.acquire(request(&format!("r{number}"))).await.unwrap() });
    }
    let grants = clients.join_all().await;
    assert_eq!(grants.len(), 50);
    let log = world.log.take();
    let commits: Vec<_> = log.iter().filter(|line| line.contains("lease of")).collect();
    assert_eq!(commits.len(), 1, "{commits:#?}");
}

#[tokio::test(start_paused = true)]
async fn what_comes_during_a_commit_shares_the_next_one() {
    let world = World::new();
    let manager = world.start(10).await;
    let handle = manager.handle();
    until_ready(&handle, 10).await;
    world.log.take();
    world.store.close_gate();

    let mut clients = JoinSet::new();
    for number in 0..10 {
        let handle = handle.clone();
        clients.spawn(async move { handle.acquire(request(&format!("r{number}"))).await.unwrap() });
        // The first of them is on its way to the store before the others come.
        pass(Duration::from_millis(10)).await;
    }
    world.store.let_through(1000);
    clients.join_all().await;
    let log = world.log.take();
    assert_eq!(log.iter().filter(|line| line.contains("lease of")).count(), 2, "{log:#?}");
}

#[tokio::test(start_paused = true)]
async fn many_leases_are_renewed_by_one_commit_and_released_by_another_one() {
    let world = World::new();
    let manager = world.start(5).await;
    let handle = manager.handle();
    until_ready(&handle, 5).await;
    let grants = handle.acquire_all(request("r1").with_count(5)).await.unwrap();
    let mut leases: Vec<_> = grants.iter().map(|grant| (grant.lease.id.clone(), None)).collect();
    leases.push(("no-such".parse().unwrap(), None));
    pass(seconds(1)).await;
    world.log.take();

    let renewed = handle.renew_all(leases.clone(), None).await.unwrap();
    assert_eq!(renewed.iter().filter(|result| result.is_ok()).count(), 5);
    assert_eq!(commits(&world).len(), 1);
    let released = handle.release_all(leases).await.unwrap();
    assert_eq!(released.iter().filter(|result| result.is_ok()).count(), 5);
    assert!(renewed[5].is_err() && released[5].is_err());
    assert_eq!(commits(&world).len(), 1);
}

fn commits(world: &World) -> Vec<String> {
    world.log.take().into_iter().filter(|line| line.starts_with("commit")).collect()
}

#[tokio::test(start_paused = true)]
async fn however_many_wait_a_commit_takes_a_bounded_number() {
    let world = World::new();
    let manager = world.start(1).await;
    let handle = manager.handle();
    until_ready(&handle, 1).await;
    world.log.take();
    world.store.close_gate();

    let mut clients = JoinSet::new();
    for number in 0..2500 {
        let handle = handle.clone();
        clients.spawn(async move { handle.acquire(request(&format!("r{number}"))).await });
    }
    pass(Duration::from_millis(10)).await;
    world.store.let_through(1000);
    pass(Duration::from_millis(10)).await;
    let log = world.log.take();
    let requests = log.iter().map(|line| line.matches("request r").count());
    let requests: Vec<_> = requests.filter(|count| 0 < *count).collect();
    assert!(requests.iter().all(|count| *count <= 1024), "{requests:?}");
    assert_eq!(requests.iter().sum::<usize>(), 2500, "{requests:?}");
}

/// A clock that moves on a little whenever somebody looks at it: deciding takes time.
#[derive(Debug)]
struct Busy(AtomicU64);

impl Clock for Busy {
    fn now(&self) -> Timestamp {
        start_time() + Duration::from_micros(self.0.fetch_add(100, Ordering::Relaxed))
    }
}

#[tokio::test(start_paused = true)]
async fn however_long_it_takes_to_decide_a_commit_waits_for_a_bounded_time() {
    let world = World::new();
    let builder = world.builder().pool(small(), pool(1)).clock(Arc::new(Busy(AtomicU64::new(0))));
    let manager = builder.start().await.unwrap();
    let handle = manager.handle();
    until_ready(&handle, 1).await;
    world.log.take();

    let mut clients = JoinSet::new();
    for number in 0..1000 {
        let handle = handle.clone();
        clients.spawn(async move { handle.acquire(request(&format!("r{number:04}"))).await });
    }
    pass(Duration::from_millis(10)).await;
    let log = world.log.take();
    let requests = log.iter().map(|line| line.matches("request r").count());
    let requests: Vec<_> = requests.filter(|count| 0 < *count).collect();
    // 10 ms, and each decision takes 0.1 ms of this clock at least.
    assert!(requests.iter().all(|count| *count <= 101), "{requests:?}");
    assert_eq!(requests.iter().sum::<usize>(), 1000, "{requests:?}");
}

#[tokio::test(start_paused = true)]
async fn vms_and_leases_are_shown_as_they_are_recorded_while_a_commit_hangs() {
    let world = World::new();
    let manager = world.start(2).await;
    let handle = manager.handle();
    until_ready(&handle, 2).await;
    let task = TaskId::new("build-1").unwrap();
    let held = handle.acquire(request("r1").with_task(Some(task.clone()))).await.unwrap().lease;
    let before = handle.view().await.unwrap();
    world.store.close_gate();
    let waits = tokio::spawn({
        let handle = handle.clone();
        async move { tokio::join!(handle.acquire(request("r2")), handle.release(held.id.clone())) }
    });
    // The commit is on its way.
    pass(Duration::from_millis(10)).await;

    let vms = handle.find_vms(VmQuery::default()).await.unwrap();
    let shown: Vec<_> = vms.iter().map(|status| &status.vm).collect();
    assert_eq!(shown, before.vms.iter().collect::<Vec<_>>());
    let leases = handle.leases().await.unwrap();
    assert_eq!(
        leases.iter().map(|(lease, _)| lease).collect::<Vec<_>>(),
        before.leases.iter().collect::<Vec<_>>()
    );
    let (lease, vm) = handle.lease(leases[0].0.id.clone()).await.unwrap().unwrap();
    assert_eq!((Some(&lease), vm.as_ref()), (before.leases.first(), before.vm(&lease.vm)));
    assert_eq!(handle.vm(lease.vm.clone()).await.unwrap(), vm);
    assert_eq!(handle.vm_of_task(task).await.unwrap(), vm);
    assert_eq!(handle.health().await.unwrap().0, [small()]);
    assert!(!waits.is_finished());

    world.store.let_through(1000);
    let (acquired, released) = waits.await.unwrap();
    released.unwrap();
    let leases = handle.leases().await.unwrap();
    assert_eq!(leases.iter().map(|(lease, _)| lease).collect::<Vec<_>>(), [&acquired.unwrap().lease]);
}

#[tokio::test(start_paused = true)]
async fn what_a_failed_commit_would_have_made_so_is_never_shown() {
    let world = World::new();
    let manager = world.start(1).await;
    let handle = manager.handle();
    until_ready(&handle, 1).await;
    world.store.close_gate();
    let waits = tokio::spawn({
        let handle = handle.clone();
        async move { handle.acquire(request("r1")).await }
    });
    pass(Duration::from_millis(10)).await;
    assert!(handle.leases().await.unwrap().is_empty() && !waits.is_finished());
    world.memory.fail_next(CommitFault::Full);
    world.store.let_through(1000);
    waits.await.unwrap().unwrap_err();
    assert!(handle.leases().await.unwrap().is_empty());
}

/// Whoever follows the history, such as a dashboard, sees it however long the disk takes.
#[tokio::test(start_paused = true)]
async fn the_history_is_read_while_a_commit_is_under_way() {
    let world = World::new();
    let manager = world.start(1).await;
    let handle = manager.handle();
    until_ready(&handle, 1).await;
    world.store.close_gate();
    let waits = tokio::spawn({
        let handle = handle.clone();
        async move { handle.acquire(request("r1")).await }
    });
    pass(Duration::from_millis(10)).await;
    let page = handle.events(Cursor(0), 100).await.unwrap();
    assert!(!page.events.is_empty() && !waits.is_finished());
    assert!(page.events.iter().all(|stored| stored.event.kind != EventKind::LeaseGranted), "{page:?}");
    world.store.let_through(1000);
    waits.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_provider_is_listed_once_per_interval_for_all_its_pools() {
    let world = World::new();
    let mut builder = world.builder();
    for number in 0..5 {
        let name = format!("pool-{number}").parse().unwrap();
        builder = builder.pool(name, pool(3));
    }
    let manager = builder.start().await.unwrap();
    until_ready(&manager.handle(), 15).await;
    pass(seconds(9)).await;
    world.log.take();

    // The interval is 10 s by default.
    pass(seconds(100)).await;
    let listings = world.log.take().iter().filter(|line| *line == "list").count();
    assert!((10..=11).contains(&listings), "{listings} listings in 100 s");
}

#[tokio::test(start_paused = true)]
async fn several_may_wait_for_one_request_and_all_get_the_same_lease() {
    let world = World::new();
    let manager = world.start(1).await;
    let handle = manager.handle();
    let (one, two) = tokio::join!(handle.acquire(request("r1")), handle.acquire(request("r1")));
    assert_eq!(one.unwrap().lease.id, two.unwrap().lease.id);
}
