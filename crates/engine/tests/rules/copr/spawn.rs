//! Spawning: what a pool makes, and that what is forbidden leaves no trace.

use vmpool_model::{EventKind, Failure, FailureKind, PoolName, RecordState, states::NodeState};

use crate::lab::{Lab, config, quota, seconds, spec};

#[test]
fn c54_c81_a_spawn_that_fails_is_an_event_of_its_own_and_stops_nothing() {
    let mut spec = spec(config(1));
    let other: PoolName = "other".parse().unwrap();
    spec.pools.insert(other, config(1));
    let mut lab = Lab::of(spec);
    lab.not_created(quota());
    let failed = lab.events.iter().find(|event| event.kind == EventKind::SpawnFailed).unwrap();
    assert!(failed.detail.contains("the quota is used up") && failed.pool.is_some(), "{failed:?}");
    assert_eq!(lab.happened(EventKind::VmCreated), 0);
    lab.boot_all();
    assert_eq!(lab.counts([RecordState::Ready]), [1]);
    lab.pass(seconds(2));
    lab.boot_all();
    assert_eq!(lab.counts([RecordState::Ready]), [2]);
}

#[test]
fn c62_a_termination_becomes_the_destruction_of_its_node_at_its_provider() {
    let mut lab = Lab::new(config(1));
    let node = lab.created(NodeState::Running);
    let vm = lab.only_vm().clone();
    let _ = lab.step(vmpool_engine::Input::Terminate {
        vm: vm.name.clone(),
        only_if: None,
        reason: String::new(),
    });
    let destroy = vmpool_engine::Effect::Destroy { provider: vm.provider, vm: Some(vm.name), node: node.id };
    assert_eq!(lab.count(|effect| *effect == destroy), 1);
}

#[test]
fn c74_a_node_without_an_address_is_waited_for_until_boot_timeout() {
    let mut pool = config(1);
    pool.boot_timeout = seconds(60);
    let mut lab = Lab::new(pool);
    let (id, token) = lab.create();
    let mut node = lab.node(&token, NodeState::Running);
    node.public_ips.clear();
    lab.answer(id, vmpool_engine::Outcome::Created(Ok(Box::new(node.clone()))));
    for _ in 0..5 {
        lab.list(std::slice::from_ref(&node));
        assert_eq!(lab.only_vm().state, RecordState::Spawning);
    }
    lab.pass(seconds(60));
    assert_eq!(lab.counts([RecordState::Terminating, RecordState::Ready]), [1, 0]);
}

#[test]
fn c78_a_failure_of_an_unknown_kind_is_like_any_other() {
    let mut lab = Lab::new(config(1));
    lab.not_created(Failure::not_applied(FailureKind::Other, "the cloud said something new"));
    assert_eq!((lab.vms().count(), lab.happened(EventKind::SpawnFailed)), (0, 1));
    lab.pass(seconds(2));
    assert_eq!(lab.creates(), 1);
    // If it may have happened, it is looked for before anything is repeated.
    lab.not_created(Failure::unknown(FailureKind::Other, "the cloud said something new"));
    assert_eq!((lab.vms().count(), lab.creates()), (1, 0));
    lab.pass(seconds(2));
    assert_eq!(lab.finds(), 1);
}

#[test]
fn c80_a_vm_that_was_made_is_an_event_with_its_pool() {
    let mut lab = Lab::new(config(1));
    lab.created(NodeState::Pending);
    let event = lab.events.iter().find(|event| event.kind == EventKind::VmCreated).unwrap();
    assert_eq!(event.pool.as_ref(), Some(&crate::lab::pool()));
    assert_eq!(event.vm.as_ref(), Some(&lab.only_vm().name));
}

#[test]
fn c60_c91_w14_a_place_is_free_in_the_very_step_that_ends_what_held_it() {
    let mut pool = config(3);
    pool.max_starting = 1;
    let mut lab = Lab::new(pool);
    for started in 1..=3 {
        assert_eq!((lab.creates(), lab.vms().count()), (1, started));
        lab.created(NodeState::Running);
    }
    assert_eq!((lab.creates(), lab.counts([RecordState::Ready])), (0, [3]));
}

#[test]
fn c93_what_starts_is_counted_by_its_records_also_after_a_restart() {
    let mut pool = config(5);
    pool.max_starting = 2;
    let mut lab = Lab::new(pool);
    let node = lab.created(NodeState::Pending);
    lab.restart();
    lab.pass(seconds(5));
    assert_eq!(
        lab.counts([RecordState::Spawning]),
        [2],
        "one that boots, and one whose creation is looked up"
    );
    assert_eq!(lab.happened(EventKind::VmSpawning), 2);
    assert!(lab.vms().any(|vm| vm.node.as_ref().is_some_and(|known| known.id == node.id)));
}
