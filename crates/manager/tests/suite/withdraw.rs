//! A create that waits for its turn is not sent once its VM is given up or forgotten.

use vmpool_manager::{Manager, SystemClock};

use crate::{
    spy::Trick,
    world::{World, lab, pass, pool, prompt, seconds, small, start_time},
};

/// A manager that makes one call at a time, whose first create takes 20 s, and that wants three VMs.
async fn start(world: &World) -> Manager {
    world.driver.trick("create", Trick::Wait(20));
    let mut one_at_a_time = prompt();
    (one_at_a_time.max_concurrent, one_at_a_time.max_creating) = (1, Some(9));
    let clock = std::sync::Arc::new(SystemClock::anchored_at(start_time()));
    let builder = Manager::builder(world.store.clone()).clock(clock).seed(7);
    let builder = builder.provider(lab(), one_at_a_time, world.driver.clone());
    let manager = builder.pool(small(), pool(3)).start().await.unwrap();
    pass(seconds(5)).await;
    manager
}

#[tokio::test(start_paused = true)]
async fn what_waits_when_its_pool_is_drained_is_never_made() {
    let world = World::new();
    let manager = start(&world).await;
    let handle = manager.handle();
    assert_eq!(handle.view().await.unwrap().vms.len(), 3);
    handle.drain(small(), "upgrade").await.unwrap();
    pass(seconds(1)).await;
    assert_eq!(handle.view().await.unwrap().vms.len(), 1, "two are gone at once");
    pass(seconds(200)).await;
    assert_eq!((world.cloud.created(), world.cloud.nodes().len()), (1, 0));
    assert!(handle.view().await.unwrap().vms.is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_waits_when_its_vm_is_forgotten_is_never_made() {
    let world = World::new();
    let manager = start(&world).await;
    let handle = manager.handle();
    for vm in &handle.view().await.unwrap().vms {
        handle.forget(vm.name.clone(), "no more").await.unwrap();
    }
    pass(seconds(200)).await;
    // The first was being made and is an orphan; two were never sent; three took their places.
    assert_eq!((world.cloud.created(), world.cloud.nodes().len()), (4, 3));
}
