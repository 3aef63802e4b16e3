//! Whatever comes in, and whatever becomes of outcomes, the loop goes on.

use vmpool_dummy::Fault;
use vmpool_manager::{driver::Operation, store::CommitFault};

use crate::{
    spy::Trick,
    world::{World, pass, ready, request, seconds, until_ready, use_one},
};

#[tokio::test(start_paused = true)]
async fn c71_whatever_comes_in_the_loop_goes_on() {
    let world = World::new();
    for operation in ["create", "list", "destroy"] {
        (0..3).for_each(|_| world.driver.trick(operation, Trick::Panic));
    }
    for operation in [Operation::Create, Operation::List, Operation::Get, Operation::Destroy] {
        for fault in [Fault::HalfDone, Fault::LostAnswer, Fault::LostRequest] {
            world.cloud.fail_next(operation, fault);
        }
    }
    let manager = world.start(3).await;
    let handle = manager.handle();
    for number in 0..20 {
        // Clients that go away while they wait, before and after they were served.
        let id = format!("r{number}");
        drop(handle.acquire_within(request(&id), seconds(number % 3)).await);
        drop(handle.cancel(request(&id).request).await);
        drop(tokio::time::timeout(seconds(0), handle.view()).await);
        if number % 7 == 0 {
            world.store.panic_once();
        }
    }
    pass(seconds(1200)).await;
    use_one(&handle, "good").await;
    pass(seconds(1200)).await;
    assert_eq!((ready(&handle).await, world.cloud.nodes().len()), (3, 3));
}

#[tokio::test(start_paused = true)]
async fn c70_a_manager_that_is_shut_down_asks_nobody_anything_more() {
    let world = World::new();
    let manager = world.start(2).await;
    until_ready(&manager.handle(), 2).await;
    pass(seconds(30)).await;
    assert!(world.log.take().contains(&"list".to_owned()));
    manager.handle().shutdown().await;
    world.log.take();
    pass(seconds(3600)).await;
    assert_eq!(world.log.take(), Vec::<String>::new());
}

/// Lets the outcome of a call meet a store that fails, and checks that the pool comes to rest all the same.
async fn outcome_is_lost(operation: &'static str) {
    let world = World::new();
    world.driver.trick(operation, Trick::Wait(5));
    let manager = world.start(2).await;
    let handle = manager.handle();
    if operation == "destroy" {
        until_ready(&handle, 2).await;
        let vm = handle.view().await.unwrap().vms[0].name.clone();
        handle.terminate(vm, "it is old").await.unwrap();
    }
    pass(seconds(4)).await;
    (0..3).for_each(|_| world.memory.fail_next(CommitFault::NotApplied));
    pass(seconds(300)).await;
    assert_eq!((ready(&handle).await, world.cloud.nodes().len()), (2, 2));
    assert_eq!(world.cloud.find_duplicate_tokens(), []);
}

#[tokio::test(start_paused = true)]
async fn c79_a_spawn_whose_outcome_cannot_be_recorded_is_found_again() {
    outcome_is_lost("create").await;
}

#[tokio::test(start_paused = true)]
async fn c85_a_destruction_whose_outcome_cannot_be_recorded_is_found_again() {
    outcome_is_lost("destroy").await;
}
