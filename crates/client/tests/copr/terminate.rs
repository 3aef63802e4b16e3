//! Ending VMs.

use vmpool_client::compat::copr::{VmError, states};

use crate::world::{TWO_GROUPS, World};

/// A cloud that takes an hour to destroy a node.
async fn slow() -> World {
    let text = TWO_GROUPS.replace("list_interval", "options = { destroy_latency = \"1h\" }\nlist_interval");
    World::with(&text, states::READY, [2, 1]).await
}

async fn ready(world: &World) -> String {
    world.until(0, states::READY, 2).await.remove(0).vm_name
}

#[tokio::test]
async fn c19_a_vm_is_terminated_by_one_request() {
    let world = slow().await;
    let vm = ready(&world).await;
    assert!(world.manager.start_vm_termination(&vm, None).await.unwrap());
    let shown = world.manager.get_vm_by_name(&vm).await.unwrap();
    assert_eq!((shown.state.as_str(), shown.terminating_since.is_some()), (states::TERMINATING, true));
    assert_eq!(world.events("vm_terminating", &vm).await, 1);
}

#[tokio::test]
async fn c20_a_vm_that_is_being_destroyed_is_asked_for_again_if_that_is_allowed() {
    let world = slow().await;
    let vm = ready(&world).await;
    assert!(world.manager.start_vm_termination(&vm, None).await.unwrap());
    assert!(world.manager.start_vm_termination(&vm, Some(states::TERMINATING)).await.unwrap());
    assert_eq!(world.manager.get_vm_by_name(&vm).await.unwrap().state, states::TERMINATING);
}

#[tokio::test]
async fn c21_a_vm_that_is_being_destroyed_is_left_alone_otherwise() {
    let world = slow().await;
    let vm = ready(&world).await;
    assert!(world.manager.start_vm_termination(&vm, None).await.unwrap());
    let before = world.manager.get_vm_by_name(&vm).await.unwrap();
    assert!(!world.manager.start_vm_termination(&vm, None).await.unwrap());
    assert!(!world.manager.start_vm_termination(&vm, Some(states::READY)).await.unwrap());
    assert_eq!(world.manager.get_vm_by_name(&vm).await.unwrap(), before);
    assert_eq!(world.events("vm_terminating", &vm).await, 1);
}

#[tokio::test]
async fn c22_a_vm_in_another_state_than_the_allowed_one_is_not_terminated() {
    let world = slow().await;
    let vm = ready(&world).await;
    assert!(!world.manager.start_vm_termination(&vm, Some(states::IN_USE)).await.unwrap());
    assert_eq!(world.manager.get_vm_by_name(&vm).await.unwrap().state, states::READY);
    assert_eq!(world.events("vm_terminating", &vm).await, 0);
    let unknown = world.manager.start_vm_termination("x86-0", None).await;
    assert!(matches!(unknown, Err(VmError::VmDescriptorNotFound { .. })), "{unknown:?}");
}

#[tokio::test]
async fn c23_c24_only_a_vm_that_is_being_destroyed_is_removed() {
    let world = slow().await;
    let vm = ready(&world).await;
    let refused = world.manager.remove_vm_from_pool(&vm).await;
    assert!(
        matches!(&refused, Err(VmError::WrongState { state, .. }) if state == states::READY),
        "{refused:?}"
    );
    world.manager.start_vm_termination(&vm, None).await.unwrap();
    world.manager.remove_vm_from_pool(&vm).await.unwrap();
    let gone = world.manager.get_vm_by_name(&vm).await;
    assert!(matches!(gone, Err(VmError::VmDescriptorNotFound { .. })), "{gone:?}");
}

#[tokio::test]
async fn a_vm_in_use_is_terminated_by_the_second_generation_and_by_the_first_only_if_that_is_allowed() {
    let world = slow().await;
    let [first, second] = [world.acquire(&[0], "bob", "s").await, world.acquire(&[0], "bob", "s").await];
    let (first, second) = (first.unwrap().vm_name, second.unwrap().vm_name);
    let generation_a = world.manager.generation_a();
    assert!(!generation_a.start_vm_termination(&first, None).await.unwrap());
    assert!(generation_a.start_vm_termination(&first, Some(states::IN_USE)).await.unwrap());
    assert!(world.manager.start_vm_termination(&second, None).await.unwrap());
    assert!(!world.manager.release_vm(&second).await.unwrap());
}
