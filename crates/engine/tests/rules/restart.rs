//! After a restart everything is derived from the records again (F1, F9).

use std::collections::BTreeSet;

use vmpool_model::{EventKind, RecordState, states::NodeState};

use crate::lab::{Lab, config, seconds, with_check};

#[test]
fn f1_a_node_that_was_created_while_nobody_listened_is_adopted() {
    let mut lab = Lab::new(config(1));
    let (_, token) = lab.create();
    let node = lab.node(&token, NodeState::Running);
    lab.restart();
    assert_eq!((lab.creates(), lab.finds()), (0, 1), "it is looked for before it is asked for again");
    lab.list(std::slice::from_ref(&node));
    lab.boot_all();
    assert_eq!(lab.only_vm().state, RecordState::Ready);
    assert_eq!(lab.only_vm().name, token.vm);
    assert_eq!(lab.happened(EventKind::VmTerminating), 0);
}

#[test]
fn f1_a_vm_that_came_up_during_a_long_downtime_is_adopted_although_its_boot_timeout_is_over() {
    let mut lab = Lab::new(config(1));
    let mut node = lab.created(NodeState::Pending);
    lab.now = lab.now + seconds(3600);
    lab.restart();
    assert_eq!(lab.only_vm().state, RecordState::Spawning);
    node.state = NodeState::Running;
    lab.list(&[node]);
    lab.boot_all();
    assert_eq!(lab.only_vm().state, RecordState::Ready);
}

#[test]
fn a_vm_that_is_still_booting_after_a_long_downtime_and_a_grace_is_given_up() {
    let mut lab = Lab::new(config(1));
    let node = lab.created(NodeState::Pending);
    lab.now = lab.now + seconds(3600);
    lab.restart();
    lab.list(&[node]);
    lab.pass(seconds(30));
    assert_eq!(lab.only_vm().state, RecordState::Terminating);
}

#[test]
fn a_check_gets_its_whole_time_again() {
    let mut lab = Lab::new(with_check(config(1)));
    lab.created(NodeState::Running);
    lab.pass(seconds(20));
    lab.restart();
    assert_eq!(lab.checks(), 1);
    lab.pass(seconds(29));
    assert_eq!(lab.only_vm().state, RecordState::CheckHealth);
    lab.checked(Ok(()));
    assert_eq!(lab.only_vm().state, RecordState::Ready);
}

#[test]
fn a_vm_that_was_ready_before_the_restart_is_no_news() {
    let mut lab = Lab::ready(with_check(config(1)));
    lab.restart();
    lab.pass(seconds(120));
    lab.checked(Ok(()));
    assert_eq!(lab.happened(EventKind::VmReady), 1);
}

#[test]
fn a_failed_check_keeps_its_pause() {
    let mut lab = Lab::new(with_check(config(1)));
    lab.created(NodeState::Running);
    lab.checked(Err("refused"));
    lab.restart();
    lab.pass(std::time::Duration::from_millis(999));
    assert_eq!(lab.checks(), 0);
    lab.pass(seconds(1));
    assert_eq!(lab.checks(), 1);
}

#[test]
fn a_refused_destruction_keeps_its_pause() {
    let mut lab = Lab::ready(config(1));
    let vm = lab.only_vm().name.clone();
    let _ = lab.step(vmpool_engine::Input::Terminate { vm, only_if: None, reason: String::new() });
    lab.destroyed(Err(crate::lab::timeout()));
    lab.restart();
    lab.pass(std::time::Duration::from_millis(999));
    assert_eq!(lab.destroys(), 0);
    lab.pass(seconds(1));
    assert_eq!(lab.destroys(), 1);
}

#[test]
fn f14_records_that_do_not_fit_together_are_put_right() {
    let mut lab = Lab::ready(config(3));
    let lost = lab.granted(crate::lab::wish("r1", "ann")).lease;
    let bodiless = lab.granted(crate::lab::wish("r2", "ann")).lease;
    let sound = lab.granted(crate::lab::wish("r3", "ann")).lease;
    let mut twin = sound.clone();
    twin.id = vmpool_model::LeaseId::new("lease-twin").unwrap();
    twin.request = vmpool_model::RequestId::new("r-twin").unwrap();
    lab.damage(|vms, leases| {
        leases.remove(&lost.id);
        vms.remove(&bodiless.vm);
        leases.insert(twin.id.clone(), twin);
    });
    lab.restart();
    assert_eq!(lab.vm(&lost.vm).unwrap().state, RecordState::Terminating);
    let ends = lab.events.iter().filter(|event| event.kind == EventKind::VmTerminating);
    let ends: Vec<_> = ends.map(|event| (event.vm.clone().unwrap(), event.detail.as_str())).collect();
    assert_eq!(ends, [(lost.vm, "its lease is not recorded")], "the event log tells it");
    let leases: Vec<_> = lab.engine.leases().map(|lease| lease.id.clone()).collect();
    assert_eq!(leases, std::slice::from_ref(&sound.id), "nothing else is touched");
    assert_eq!(lab.vm(&sound.vm).unwrap().lease, Some(sound.id));
}

#[test]
fn effects_and_names_of_an_engine_are_never_those_of_the_one_before() {
    let mut lab = Lab::new(config(2));
    let ids: BTreeSet<_> = lab.effects.keys().copied().collect();
    let names: BTreeSet<_> = lab.vms().map(|vm| vm.name.clone()).collect();
    let mut spec = lab.engine.spec().clone();
    spec.epoch += 1;
    let mut other = Lab::of(spec);
    assert!(other.effects.keys().all(|id| !ids.contains(id)));
    assert!(other.vms().all(|vm| !names.contains(&vm.name)));
    lab.restart();
    other.restart();
    assert!(lab.effects.keys().all(|id| !ids.contains(id)));
}

#[test]
fn f9_the_pause_before_a_destruction_is_repeated_outlives_a_restart() {
    let mut lab = Lab::ready(config(1));
    let lease = lab.granted(crate::lab::wish("r1", "ann")).lease;
    lab.release(&lease);
    lab.destroyed(Err(crate::lab::quota()));
    let due = lab.only_vm().retry_at.unwrap();
    lab.restart();
    assert_eq!((lab.destroys(), lab.only_vm().retry_at), (0, Some(due)));
    lab.pass(due.since(lab.now));
    assert_eq!(lab.destroys(), 1);
}
