//! A VM that is given back goes to who waits for it, in the same turn of the loop.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use tokio::{task::JoinSet, time::Instant};
use vmpool_manager::model::config::OnRelease;

use crate::world::{World, pool, request, small, until_ready};

/// How often all waiters together acquire and release, unless `PAIRS` in the environment says otherwise.
const PAIRS: u64 = 10_000;

fn pairs() -> u64 {
    std::env::var("PAIRS").map_or(PAIRS, |pairs| pairs.parse().unwrap())
}

#[tokio::test(start_paused = true)]
async fn f17_sixty_four_waiters_hand_vms_over_without_a_stall() {
    let world = World::new();
    let mut config = pool(8);
    config.on_release = OnRelease::Reuse;
    let manager = world.builder().pool(small(), config).start().await.unwrap();
    let handle = manager.handle();
    until_ready(&handle, 8).await;

    // Paused time stands still while anybody has something to do: it passes only if everybody waits for a timer.
    let before = Instant::now();
    let (pairs, next) = (pairs(), Arc::new(AtomicU64::new(0)));
    let mut waiters = JoinSet::new();
    for _ in 0..64 {
        let (handle, next) = (handle.clone(), Arc::clone(&next));
        waiters.spawn(async move {
            loop {
                let number = next.fetch_add(1, Ordering::SeqCst);
                if pairs <= number {
                    return;
                }
                let grant = handle.acquire(request(&format!("r{number}"))).await.unwrap();
                handle.release(grant.lease.id).await.unwrap();
            }
        });
    }
    waiters.join_all().await;
    assert_eq!(before.elapsed().as_millis(), 0, "somebody waited for a timer");
    assert_eq!(world.cloud.created(), 8, "the same VMs were handed over");
}

#[tokio::test(start_paused = true)]
async fn f17_whoever_waits_is_answered_by_the_turn_that_frees_the_vm() {
    let world = World::new();
    let mut config = pool(1);
    config.on_release = OnRelease::Reuse;
    let manager = world.builder().pool(small(), config).start().await.unwrap();
    let handle = manager.handle();
    let held = handle.acquire(request("r1")).await.unwrap();
    let waiting = tokio::spawn({
        let handle = handle.clone();
        async move { handle.acquire(request("r2")).await }
    });
    // Once the request is recorded, it waits.
    while handle.view().await.unwrap().requests.len() < 2 {}
    world.log.take();
    handle.release(held.lease.id).await.unwrap();
    waiting.await.unwrap().unwrap();
    let log = world.log.take();
    let commits = log.iter().filter(|line| line.starts_with("commit")).collect::<Vec<_>>();
    assert!(matches!(commits.as_slice(), [one] if one.contains("lease of small-")), "{commits:#?}");
}
