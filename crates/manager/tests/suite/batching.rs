//! What waits together is committed together.

use std::time::Duration;

use tokio::task::JoinSet;
use vmpool_manager::store::Cursor;
use vmpool_model::EventKind;

use crate::world::{World, pass, pool, request, seconds, until_ready};

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
