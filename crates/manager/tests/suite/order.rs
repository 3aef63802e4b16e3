//! Commit, then answer, then act.

use crate::world::{World, pass, request, seconds, until_ready};

#[tokio::test(start_paused = true)]
async fn a_vm_is_recorded_as_spawning_before_its_provider_is_asked_for_it() {
    let world = World::new();
    let manager = world.start(1).await;
    until_ready(&manager.handle(), 1).await;

    let log = world.log.take();
    let create = log.iter().position(|line| line.starts_with("create ")).unwrap();
    let name = log[create].strip_prefix("create ").unwrap();
    let record = log.iter().position(|line| line.contains(&format!("{name}=spawning"))).unwrap();
    assert!(record < create, "{log:#?}");
}

#[tokio::test(start_paused = true)]
async fn a_lease_is_durable_before_it_is_answered() {
    let world = World::new();
    let manager = world.start(1).await;
    let handle = manager.handle();
    until_ready(&handle, 1).await;
    world.store.close_gate();

    let asking = tokio::spawn(async move { handle.acquire(request("r1")).await });
    pass(seconds(1)).await;
    assert!(!asking.is_finished(), "the answer came before the commit");

    world.store.let_through(100);
    let grant = asking.await.unwrap().unwrap();
    assert!(world.log.take().iter().any(|line| line.contains(&format!("lease of {}", grant.lease.vm))));
}

#[tokio::test(start_paused = true)]
async fn a_release_is_durable_before_the_node_is_destroyed() {
    let world = World::new();
    let manager = world.start(1).await;
    let handle = manager.handle();
    until_ready(&handle, 1).await;
    let grant = handle.acquire(request("r1")).await.unwrap();
    world.log.take();

    handle.release(grant.lease.id).await.unwrap();
    pass(seconds(1)).await;
    let log = world.log.take();
    let terminating = format!("{}=terminating", grant.lease.vm);
    let record = log.iter().position(|line| line.contains(&terminating)).unwrap();
    let destroy = log.iter().position(|line| line == "destroy").unwrap();
    assert!(record < destroy, "{log:#?}");
}
