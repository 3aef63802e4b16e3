//! What the view shows of the VMs, for whoever looks one up.

use vmpool_manager::model::{Acquire, Owner, PoolName, RecordState, RequestId, Sandbox, TaskId};

use crate::world::{World, pool, seconds, small, until_ready};

#[tokio::test(start_paused = true)]
async fn c11_a_leased_vm_is_shown_with_who_uses_it_and_for_what() {
    let world = World::new();
    let manager = world.start(1).await;
    let handle = manager.handle();
    let (owner, sandbox, task) = (Owner::new("ann"), Sandbox::new("copr-1"), TaskId::new("build-7"));
    let (owner, sandbox, task) = (owner.unwrap(), Some(sandbox.unwrap()), Some(task.unwrap()));
    let request = Acquire::new(RequestId::new("r1").unwrap(), small(), owner.clone()).with_wait(seconds(300));
    let grant = handle.acquire(request.with_sandbox(sandbox.clone()).with_task(task.clone())).await.unwrap();

    let view = handle.view().await.unwrap();
    let [vm] = view.vms.as_slice() else { panic!("{view:#?}") };
    assert_eq!((&vm.name, vm.state), (&grant.lease.vm, RecordState::InUse));
    assert_eq!((vm.owner.as_ref(), &vm.sandbox), (Some(&owner), &sandbox));
    assert_eq!(vm.node.as_ref().unwrap().addresses, grant.node.addresses);
    let [lease] = view.leases.as_slice() else { panic!("{view:#?}") };
    assert_eq!((&lease.owner, &lease.sandbox, &lease.task), (&owner, &sandbox, &task));
}

#[tokio::test(start_paused = true)]
async fn c26_every_vm_is_shown_by_name_with_its_pool_and_state() {
    let world = World::new();
    let other: PoolName = "other".parse().unwrap();
    let manager = world.builder().pool(small(), pool(2)).pool(other.clone(), pool(1)).start().await.unwrap();
    let handle = manager.handle();
    until_ready(&handle, 3).await;
    let grant = handle.acquire(crate::world::request("r1")).await.unwrap();

    let vms = &handle.view().await.unwrap().vms;
    let mut of: Vec<_> = vms.iter().map(|vm| (vm.pool.clone(), vm.state)).collect();
    of.sort();
    let expected =
        [(other, RecordState::Ready), (small(), RecordState::Ready), (small(), RecordState::InUse)];
    assert_eq!(of, expected);
    let named: Vec<_> = vms.iter().filter(|vm| vm.name == grant.lease.vm).collect();
    assert_eq!(named.iter().map(|vm| vm.state).collect::<Vec<_>>(), [RecordState::InUse]);
}
