//! Finding VMs by name, address, task, pool and state.

use vmpool_manager::{
    ManagerError, Refusal, VmQuery,
    model::{PoolName, RecordState, TaskId, VmName},
};

use crate::world::{World, pool, request, seconds, small, until_ready};

#[tokio::test(start_paused = true)]
async fn a_vm_is_found_by_its_name() {
    let world = World::new();
    let manager = world.start(2).await;
    let handle = manager.handle();
    until_ready(&handle, 2).await;
    let view = handle.view().await.unwrap();
    for vm in &view.vms {
        assert_eq!(handle.vm(vm.name.clone()).await.unwrap().as_ref(), Some(vm));
        assert_eq!(view.vm(&vm.name), Some(vm));
    }
    let unknown = VmName::new("small-zzzzzzzzzz").unwrap();
    assert_eq!((view.vm(&unknown), handle.vm(unknown.clone()).await.unwrap()), (None, None));
}

#[tokio::test(start_paused = true)]
async fn vms_are_found_part_by_part_in_the_order_of_their_names() {
    let world = World::new();
    let other: PoolName = "small-too".parse().unwrap();
    let manager = world.builder().pool(small(), pool(3)).pool(other.clone(), pool(2)).start().await.unwrap();
    let handle = manager.handle();
    until_ready(&handle, 5).await;
    let all = handle.view().await.unwrap();
    let find = |pool: Option<PoolName>, after: Option<&VmName>, limit| {
        let mut query = VmQuery::default();
        (query.pool, query.after, query.limit) = (pool, after.map(|name| name.as_str().to_owned()), limit);
        let handle = handle.clone();
        async move {
            let found = handle.find_vms(query).await.unwrap();
            found.into_iter().map(|status| status.vm.name).collect::<Vec<_>>()
        }
    };
    let names: Vec<_> = all.vms.iter().map(|vm| vm.name.clone()).collect();
    assert_eq!(find(None, None, Some(2)).await, names[..2]);
    assert_eq!(find(None, Some(&names[1]), None).await, names[2..]);
    for pool in [small(), other] {
        let its = all.vms_in(Some(&pool), &[RecordState::Ready]).map(|vm| vm.name.clone());
        assert_eq!(find(Some(pool.clone()), None, None).await, its.collect::<Vec<_>>());
    }
}

#[tokio::test(start_paused = true)]
async fn c27_vms_are_found_by_the_address_of_their_nodes() {
    let world = World::new();
    let manager = world.start(3).await;
    let handle = manager.handle();
    until_ready(&handle, 3).await;
    let view = handle.view().await.unwrap();
    for vm in &view.vms {
        let address = vm.node.as_ref().unwrap().addresses[0];
        assert_eq!(handle.vms_with_address(address).await.unwrap(), std::slice::from_ref(vm));
        assert_eq!(view.vms_with_address(address).collect::<Vec<_>>(), [vm]);
    }
    let nowhere = "203.0.113.77".parse().unwrap();
    assert_eq!(
        (handle.vms_with_address(nowhere).await.unwrap(), view.vms_with_address(nowhere).count()),
        (vec![], 0)
    );
}

#[tokio::test(start_paused = true)]
async fn a_vm_is_found_by_the_task_that_it_is_leased_for() {
    let world = World::new();
    let manager = world.start(2).await;
    let handle = manager.handle();
    let task = TaskId::new("build-17").unwrap();
    assert_eq!(handle.vm_of_task(task.clone()).await.unwrap(), None);
    let grant = handle.acquire(request("r1").with_task(Some(task.clone()))).await.unwrap();
    handle.acquire(request("r2").with_task(Some(TaskId::new("build-18").unwrap()))).await.unwrap();
    let vm = handle.vm_of_task(task.clone()).await.unwrap().unwrap();
    assert_eq!(vm.name, grant.lease.vm);
    let view = handle.view().await.unwrap();
    assert_eq!(view.vm_of_task(&task), Some(&vm));
    handle.release(grant.lease.id).await.unwrap();
    assert_eq!(handle.vm_of_task(task).await.unwrap(), None);
}

#[tokio::test(start_paused = true)]
async fn c26_vms_are_found_by_pool_and_states() {
    let world = World::new();
    let big = "big".parse().unwrap();
    let manager = world.builder().pool(small(), pool(3)).pool(big, pool(1)).start().await.unwrap();
    let handle = manager.handle();
    until_ready(&handle, 4).await;
    let leased = handle.acquire(request("r1")).await.unwrap().lease.vm;
    let (ready, in_use) = (RecordState::Ready, RecordState::InUse);
    let names = |pool, states: &[RecordState]| {
        let (handle, states) = (handle.clone(), states.to_vec());
        async move {
            let found = handle.vms_in(pool, &states).await.unwrap();
            let view = handle.view().await.unwrap();
            let seen: Vec<_> = view.vms.iter().filter(|vm| found.contains(vm)).cloned().collect();
            assert_eq!(seen, found, "by name");
            found.into_iter().map(|vm| vm.name).collect::<Vec<_>>()
        }
    };
    assert_eq!(names(Some(small()), &[in_use]).await, [leased]);
    assert_eq!(names(Some(small()), &[ready]).await.len(), 2);
    assert_eq!(names(None, &[ready, in_use]).await.len(), 4);
    assert_eq!(names(None, &[RecordState::Terminating]).await.len(), 0);
    let view = handle.view().await.unwrap();
    assert_eq!(view.vms_in(Some(&small()), &[ready]).count(), 2);
}

#[tokio::test(start_paused = true)]
async fn whoever_waits_is_told_where_and_for_what() {
    let world = World::new();
    let manager = world.start(1).await;
    let handle = manager.handle();
    handle.acquire(request("r1")).await.unwrap();
    for id in ["r2", "r3"] {
        assert_eq!(handle.acquire_within(request(id), seconds(1)).await.unwrap(), None);
    }
    let explained = handle.explain(request("r3").request).await.unwrap();
    assert_eq!((explained.position, explained.obstacles.len()), (Some(2), 1));
    assert_eq!(explained.obstacles[0].pool, small());
    let all = handle.explain_all().await.unwrap();
    assert_eq!(all.len(), 2);
    assert_eq!(all[1], handle.explain(request("r3").request).await.unwrap());

    let served = handle.explain(request("r1").request).await.unwrap();
    assert_eq!((served.position, served.obstacles.len()), (None, 0));
    let err = handle.explain(request("r9").request).await.unwrap_err();
    assert!(matches!(err, ManagerError::Refused(Refusal::UnknownRequest { .. })), "{err:?}");
}
