//! A pool from its first VM to its last, with a crash and with a VM that the server cannot send.

use std::time::Duration;

use vmpool_manager::model::{RecordState, config::OnRelease};

use crate::world::{World, number, request, until, until_ready};

#[tokio::test]
async fn vms_boot_are_checked_leased_released_and_destroyed_and_none_is_left() {
    let world = World::new().await;
    let mut manager = world.start(|_| {}).await;
    let handle = manager.handle();
    let view = until_ready(&handle, 2).await;
    for vm in &view.vms {
        let found = world.vm(number(&view, &vm.name)).await;
        assert_eq!((found.str_lcm_state(), found.name.as_str()), ("RUNNING", vm.name.as_str()));
        let token = found.user_attribute("VMPOOL_TOKEN").unwrap();
        assert!(token.ends_with(vm.name.as_str()), "{token}");
        let address = found.addresses().all()[0].to_string();
        assert!(world.checked.all().contains(&(vm.name.clone(), address)), "{:?}", world.checked.all());
    }

    let grant = handle.acquire(request("build-1")).await.unwrap();
    let leased: i32 = grant.node.id.as_str().parse().unwrap();
    assert_eq!(grant.node.addresses, world.vm(leased).await.addresses().all());
    handle.release(grant.lease.id).await.unwrap();
    until(&handle, "the VM that was leased is gone", |view| {
        !world.alive().contains(&leased) && view.vms.iter().all(|vm| vm.state == RecordState::Ready)
    })
    .await;
    assert_eq!(world.vm(leased).await.str_state(), "DONE");
    until_ready(&handle, 2).await;

    handle.shutdown().await;
    manager.wait().await.unwrap();
    let last = world.start(|pool| (pool.size, pool.max_total) = (0, Some(2))).await;
    until(&last.handle(), "no VM is left", |view| view.vms.is_empty()).await;
    assert_eq!(world.alive(), [0; 0]);
    assert!(world.sim.nodes().nodes().is_empty());
}

#[tokio::test]
async fn a_manager_that_is_killed_at_any_moment_finds_its_vms_again_and_makes_none_twice() {
    let world = World::with(|config| config.with_latency(Duration::from_millis(5))).await;
    for moment in 0..8 {
        let manager = world.start(|_| {}).await;
        let mut ticks = tokio::time::interval(Duration::from_millis(7 * moment + 1));
        ticks.tick().await;
        ticks.tick().await;
        drop(manager);
    }
    let manager = world.start(|_| {}).await;
    let handle = manager.handle();
    let view = until_ready(&handle, 2).await;
    until(&handle, "there are no other VMs than the pool's", |_| world.alive().len() == 2).await;
    let own: Vec<i32> = view.vms.iter().map(|vm| number(&view, &vm.name)).collect();
    assert!(world.alive().iter().all(|id| own.contains(id)), "{:?} {own:?}", world.alive());

    // What was leased before a crash is leased after it.
    let grant = handle.acquire(request("build-1")).await.unwrap();
    drop(manager);
    let manager = world.start(|_| {}).await;
    let again = manager.handle().acquire(request("build-1")).await.unwrap();
    assert_eq!((again.lease.id, again.node.id), (grant.lease.id, grant.node.id));
}

#[tokio::test]
async fn a_pool_whose_answers_get_lost_is_full_in_the_end_and_nothing_is_left_over() {
    let world = World::new().await;
    world.sim.reconfigure(|config| config.faults.lost_answers = 0.5);
    let manager = world.start(|pool| pool.retry_max = pool.retry_min).await;
    let handle = manager.handle();
    until_ready(&handle, 2).await;
    world.sim.reconfigure(|config| config.faults.lost_answers = 0.0);
    let view = until_ready(&handle, 2).await;
    until(&handle, "there are no other VMs than the pool's", |_| world.alive().len() == 2).await;
    let own: Vec<i32> = view.vms.iter().map(|vm| number(&view, &vm.name)).collect();
    assert!(world.alive().iter().all(|id| own.contains(id)), "{:?} {own:?}", world.alive());
}

#[tokio::test]
async fn a_vm_that_the_server_cannot_send_is_named_and_the_pool_goes_on() {
    let world = World::new().await;
    let manager = world.start(|pool| pool.on_release = OnRelease::Destroy).await;
    let handle = manager.handle();
    let view = until_ready(&handle, 2).await;
    let (bad, good) = (&view.vms[0].name, &view.vms[1].name);
    let (bad, good) = (number(&view, bad), number(&view, good));
    world.poison(bad, "&#128640;");
    let named = format!("VM {bad}:");
    let view = until(&handle, "the VM is named", |view| {
        view.providers[0].problem.as_ref().is_some_and(|problem| problem.contains(&named))
    })
    .await;
    // Neither of them is given up for that.
    assert_eq!(view.vms.len(), 2);
    assert_eq!(world.alive(), [bad.min(good), bad.max(good)]);

    let mut first = handle.acquire(request("build-1")).await.unwrap();
    if first.node.id.as_str() == bad.to_string() {
        first = handle.acquire(request("build-2")).await.unwrap();
    }
    handle.release(first.lease.id).await.unwrap();
    until(&handle, "the other VM is gone and another is ready", |view| {
        let ready = view.vms.iter().filter(|vm| vm.state == RecordState::Ready).count();
        !world.alive().contains(&good) && 0 < ready && view.vms.len() == 2
    })
    .await;
    assert!(world.alive().contains(&bad));

    world.poison(bad, "ci");
    until(&handle, "the listing is complete again", |view| view.providers[0].problem.is_none()).await;
    assert!(world.alive().contains(&bad));
}
