//! Managers that are stopped and started again under load, as by restarts and upgrades.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{task::JoinSet, time::Instant};
use vmpool_dummy::DummyConfig;
use vmpool_manager::{
    Grant, Manager, ManagerError, ManagerHandle,
    model::{EventKind, config::OnRelease},
    store::Cursor,
};

use crate::world::{World, pass, pool, request, seconds, small};

/// The manager of the moment, for clients that find it again.
type Door = Arc<Mutex<ManagerHandle>>;

async fn start(world: &World) -> Manager {
    let mut config = pool(4);
    config.on_release = OnRelease::Reuse;
    world.builder().pool(small(), config).start().await.unwrap()
}

fn at(door: &Door) -> ManagerHandle {
    door.lock().unwrap().clone()
}

/// Asks until there is an answer, with the same request.
async fn acquire(door: &Door, id: &str) -> Grant {
    loop {
        match at(door).acquire(request(id).with_wait(seconds(3600))).await {
            Ok(grant) => return grant,
            Err(ManagerError::Stopped) => pass(Duration::from_millis(100)).await,
            Err(err) => panic!("{id}: {err}"),
        }
    }
}

async fn release(door: &Door, grant: Grant) {
    loop {
        match at(door).release(grant.lease.id.clone()).await {
            // An attempt before may have happened.
            Ok(()) | Err(ManagerError::Refused(_)) => return,
            Err(ManagerError::Stopped) => pass(Duration::from_millis(100)).await,
            Err(err) => panic!("{err}"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn f9_a_manager_that_restarts_every_two_seconds_serves_every_request_once() {
    let world = World::of(DummyConfig::default().with_boot_latency(seconds(5)));
    let mut manager = start(&world).await;
    let door: Door = Arc::new(Mutex::new(manager.handle()));
    let mut clients = JoinSet::new();
    for client in 0..12 {
        let door = Arc::clone(&door);
        clients.spawn(async move {
            for number in 0..10 {
                let grant = acquire(&door, &format!("c{client}-{number}")).await;
                pass(Duration::from_millis(700)).await;
                release(&door, grant).await;
            }
        });
    }
    let mut restarts = 0;
    while !clients.is_empty() {
        pass(seconds(2)).await;
        // Crashes and orderly ends in turn.
        match restarts % 2 {
            0 => drop(manager),
            _ => manager.handle().shutdown().await,
        }
        manager = start(&world).await;
        *door.lock().unwrap() = manager.handle();
        restarts += 1;
        while let Some(client) = clients.try_join_next() {
            client.unwrap();
        }
    }
    assert!(5 < restarts, "{restarts}");
    let mut served = BTreeMap::<_, usize>::new();
    for stored in manager.handle().events(Cursor(0), 100_000).await.unwrap().events {
        if stored.event.kind == EventKind::LeaseGranted {
            *served.entry(stored.event.request.unwrap()).or_default() += 1;
        }
    }
    assert_eq!(served.len(), 120);
    assert!(served.values().all(|times| *times == 1), "{served:?}");
}

#[tokio::test(start_paused = true)]
async fn f19_an_upgrade_fails_no_lease_and_takes_less_than_five_seconds() {
    let world = World::new();
    let mut manager = start(&world).await;
    let door: Door = Arc::new(Mutex::new(manager.handle()));
    let mut holders = JoinSet::new();
    for number in 0..4 {
        let door = Arc::clone(&door);
        holders.spawn(async move {
            let wanted = request(&format!("r{number}")).with_ttl(Some(seconds(15)));
            let grant = at(&door).acquire(wanted).await.unwrap();
            for _ in 0..60 {
                pass(seconds(5)).await;
                match at(&door).renew(grant.lease.id.clone(), None).await {
                    // Who meets the moment of the upgrade asks again later, as clients do.
                    Ok(_) | Err(ManagerError::Stopped) => {}
                    Err(err) => panic!("{err}"),
                }
            }
            at(&door).release(grant.lease.id).await.unwrap();
        });
    }
    while !holders.is_empty() {
        pass(seconds(17)).await;
        let before = Instant::now();
        manager.handle().shutdown().await;
        assert!(manager.wait().await.is_ok());
        assert!(before.elapsed() < seconds(5), "{:?}", before.elapsed());
        // The new version may take its time to start.
        pass(seconds(8)).await;
        manager = start(&world).await;
        *door.lock().unwrap() = manager.handle();
        while let Some(holder) = holders.try_join_next() {
            holder.unwrap();
        }
    }
    let events = manager.handle().events(Cursor(0), 100_000).await.unwrap().events;
    let count = |kind| events.iter().filter(|stored| stored.event.kind == kind).count();
    assert_eq!((count(EventKind::LeaseGranted), count(EventKind::LeaseExpired)), (4, 0));
}
