//! A record that cannot be read keeps nobody from starting, and nobody but itself from working.

use vmpool_manager::{
    Manager, ManagerError, Notice, Refusal,
    model::{DomainName, EventKind},
    store::{Cursor, RecordKind, Store},
};

use crate::world::{World, pass, request, seconds, until_ready, use_one};

fn domain() -> DomainName {
    DomainName::new("default").unwrap()
}

/// Makes records with a first manager, damages one of them, and starts a second manager.
async fn restart_with_damage(world: &World, manager: Manager, kind: RecordKind, id: &str) -> Manager {
    drop(manager);
    assert!(world.memory.damage(&domain(), kind, id));
    world.start(3).await
}

/// Returns whether the record is still there, and still cannot be read.
async fn is_left_alone(world: &World, kind: RecordKind, id: &str) -> bool {
    let loaded = world.memory.load(&domain()).await.unwrap();
    loaded.unreadable.iter().any(|record| record.kind == kind && record.id == id)
}

async fn told(manager: &Manager) -> Vec<String> {
    let events = manager.handle().events(Cursor(0), 1000).await.unwrap().events;
    let told = events.into_iter().filter(|stored| stored.event.kind == EventKind::RecordUnreadable);
    told.map(|stored| format!("{:?}", stored.event)).collect()
}

#[tokio::test(start_paused = true)]
async fn f14_w4_a_vm_record_that_cannot_be_read_is_told_and_changes_nothing_for_others() {
    let world = World::new();
    let manager = world.start(3).await;
    until_ready(&manager.handle(), 3).await;
    let lost = manager.handle().view().await.unwrap().vms[0].clone();
    let name = lost.name.as_str();

    let manager = restart_with_damage(&world, manager, RecordKind::Vm, name).await;
    let handle = manager.handle();
    for id in 0..5 {
        use_one(&handle, &format!("r{id}")).await;
        pass(seconds(100)).await;
    }
    // Its node is left alone, and takes up its place.
    assert!(world.cloud.nodes().iter().any(|node| node.name == name));
    assert!(world.cloud.nodes().len() <= 3);
    assert!(is_left_alone(&world, RecordKind::Vm, name).await);

    let view = handle.view().await.unwrap();
    let is_told = |notice: &Notice| matches!(notice, Notice::Unreadable(record) if record.id == name);
    assert!(view.notices.iter().any(is_told) && manager.notices().iter().any(is_told), "{:?}", view.notices);
    let told = told(&manager).await;
    assert!(told.iter().any(|event| event.contains(name)), "{told:?}");
}

#[tokio::test(start_paused = true)]
async fn f14_a_lease_that_cannot_be_read_ends_for_nobody() {
    let world = World::new();
    let manager = world.start(3).await;
    let grant = manager.handle().acquire(request("r1")).await.unwrap();
    let (lease, vm) = (grant.lease.id.clone(), grant.lease.vm.clone());

    let manager = restart_with_damage(&world, manager, RecordKind::Lease, lease.as_str()).await;
    let handle = manager.handle();
    pass(seconds(7200)).await;
    use_one(&handle, "r2").await;
    pass(seconds(600)).await;
    assert!(world.cloud.nodes().iter().any(|node| node.id == grant.node.id), "its VM lives on");
    assert!(world.cloud.nodes().len() <= 3);
    assert!(is_left_alone(&world, RecordKind::Lease, lease.as_str()).await);
    let records = world.memory.load(&domain()).await.unwrap();
    assert!(records.vms.iter().any(|record| record.name == vm && record.lease == Some(lease.clone())));

    let notice = Notice::LeaseUnreadable { vm, lease: lease.clone() };
    assert!(manager.notices().contains(&notice), "{:?}", manager.notices());
    let told = told(&manager).await;
    assert!(told.iter().any(|event| event.contains(lease.as_str())), "{told:?}");
    // Who repeats the request gets no second VM for it.
    let err = handle.acquire(request("r1")).await.unwrap_err();
    assert!(matches!(err, ManagerError::Refused(Refusal::RequestConflict { .. })), "{err:?}");
}

#[tokio::test(start_paused = true)]
async fn f14_a_request_that_cannot_be_read_is_not_made_anew() {
    let world = World::new();
    let manager = world.start(3).await;
    let grant = manager.handle().acquire(request("r1")).await.unwrap();
    let manager = restart_with_damage(&world, manager, RecordKind::Request, "r1").await;
    let handle = manager.handle();
    let err = handle.acquire(request("r1")).await.unwrap_err();
    assert!(matches!(err, ManagerError::Refused(Refusal::RequestConflict { .. })), "{err:?}");
    // What it was given is known by itself.
    handle.renew(grant.lease.id.clone(), None).await.unwrap();
    handle.release(grant.lease.id).await.unwrap();
    use_one(&handle, "r2").await;
    assert!(is_left_alone(&world, RecordKind::Request, "r1").await);
    assert!(told(&manager).await.iter().any(|event| event.contains("r1")));
}

#[tokio::test(start_paused = true)]
async fn a_store_that_fails_later_forgets_no_record_that_cannot_be_read() {
    let world = World::new();
    let manager = world.start(3).await;
    until_ready(&manager.handle(), 3).await;
    let lost = manager.handle().view().await.unwrap().vms[0].name.clone();
    let manager = restart_with_damage(&world, manager, RecordKind::Vm, lost.as_str()).await;
    let handle = manager.handle();
    world.store.panic_once();
    handle.acquire(request("r1")).await.unwrap_err();
    pass(seconds(30)).await;
    use_one(&handle, "r2").await;
    pass(seconds(600)).await;
    assert!(world.cloud.nodes().iter().any(|node| node.name == lost.as_str()));
    assert!(is_left_alone(&world, RecordKind::Vm, lost.as_str()).await);
}
