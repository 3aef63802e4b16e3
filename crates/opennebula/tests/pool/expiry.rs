//! VMs that the server ends by itself, once nobody is left who keeps them.

use std::time::Duration;

use vmpool_opennebula::vm::Vm;

use crate::world::{World, number, request, until, until_ready};

const HOUR: Duration = Duration::from_secs(3600);

/// Returns when the server ends a VM, in seconds since the epoch.
fn ends_at(vm: &Vm) -> i64 {
    let ends: Vec<_> = vm.scheduled.iter().filter(|action| action.action == "terminate-hard").collect();
    assert_eq!(ends.len(), 1, "{:?}", vm.scheduled);
    ends[0].time.parse().unwrap()
}

#[tokio::test]
async fn the_server_keeps_vms_as_long_as_the_manager_lives_and_ends_them_after_that() {
    let world = World::new().await;
    let manager = world.start(|pool| (pool.cloud_expiry, pool.max_lease_ttl) = (Some(HOUR), HOUR * 24)).await;
    let handle = manager.handle();
    let told = |view: &vmpool_manager::View| view.vms.iter().all(|vm| vm.cloud_expiry.is_some());
    until_ready(&handle, 2).await;
    let view = until(&handle, "the server is told when VMs end", told).await;
    let grant = handle.acquire(request("build-1").with_ttl(Some(HOUR * 24))).await.unwrap();
    let leased: i32 = grant.node.id.as_str().parse().unwrap();
    let first = world.vm(leased).await;
    let about_an_hour = 3590..3630;
    assert!(about_an_hour.contains(&(ends_at(&first) - first.stime)), "{first:?}");

    // Less than half is left, so it is moved, of the leased VM, too.
    world.skip(Duration::from_secs(40 * 60));
    let before = view.vms.iter().map(|vm| vm.cloud_expiry).max().unwrap();
    until(&handle, "the end is moved", |view| view.vms.iter().all(|vm| before < vm.cloud_expiry)).await;
    let moved = world.vm(leased).await;
    assert!(ends_at(&first) + 39 * 60 <= ends_at(&moved), "{moved:?}");
    let view = handle.view().await.unwrap();
    let ids: Vec<i32> = view.vms.iter().map(|vm| number(&view, &vm.name)).collect();
    assert_eq!(world.alive().len(), 2);

    // Nobody is left who could move it once more.
    drop(manager);
    world.skip(Duration::from_secs(45 * 60));
    assert_eq!(world.alive().len(), 2);
    world.skip(Duration::from_secs(20 * 60));
    // What the server does, it does step by step: it is looked at until the last step is over.
    let mut ticks = tokio::time::interval(Duration::from_millis(20));
    while !world.alive().is_empty() {
        ticks.tick().await;
    }
    for id in ids {
        assert_eq!(world.vm(id).await.str_state(), "DONE");
    }
    assert!(world.sim.nodes().nodes().is_empty());
}
