//! Records that are removed without proof.

use vmpool_engine::{Answer, Input, Refusal};
use vmpool_model::{EventKind, LeaseEnd, RecordState, VmName, states::NodeState};

use crate::lab::{Lab, config, hook, seconds, wish, with_check};

fn forget(lab: &mut Lab, vm: &VmName) -> Answer {
    lab.step(Input::Forget { vm: vm.clone(), reason: "the host burnt".to_owned() })
}

#[test]
fn a_vm_is_forgotten_at_once_and_its_pool_has_room_for_another() {
    let mut lab = Lab::ready(config(1));
    let vm = lab.only_vm().name.clone();
    let _ = lab.step(Input::Terminate { vm: vm.clone(), only_if: None, reason: String::new() });
    lab.destroyed(Err(crate::lab::timeout()));
    assert_eq!(lab.creates(), 0, "as long as it may exist it takes up room");
    assert_eq!(forget(&mut lab, &vm), Answer::Accepted);
    assert!(lab.vm(&vm).is_none());
    assert_eq!(lab.creates(), 1);
    let forgotten = lab.events.iter().find(|event| event.kind == EventKind::VmForgotten).unwrap();
    assert_eq!((forgotten.vm.as_ref(), forgotten.detail.as_str()), (Some(&vm), "the host burnt"));
}

#[test]
fn a_lease_of_a_vm_that_is_forgotten_ends_and_its_holder_is_told_why() {
    let mut lab = Lab::ready(config(1));
    let lease = lab.granted(wish("r1", "ann")).lease;
    assert_eq!(forget(&mut lab, &lease.vm), Answer::Accepted);
    assert_eq!(lab.engine.leases().count(), 0);
    let (vm, at) = (lease.vm, lab.now);
    let refusal = lab.refused(Input::Renew { lease: lease.id.clone(), fence: None, ttl: None });
    assert_eq!(refusal, Refusal::LeaseEnded { lease: lease.id, vm, at, how: LeaseEnd::Forgotten });
}

#[test]
fn a_node_that_is_there_although_its_vm_was_forgotten_is_found_and_destroyed() {
    for leased in [true, false] {
        let mut lab = Lab::new(config(1));
        let node = lab.boot_all().remove(0);
        let vm = lab.only_vm().name.clone();
        if leased {
            lab.granted(wish("r1", "ann"));
        }
        assert_eq!(forget(&mut lab, &vm), Answer::Accepted);
        for _ in 0..30 {
            lab.list(std::slice::from_ref(&node));
        }
        assert_eq!((lab.happened(EventKind::OrphanFound), lab.destroys()), (1, 1), "leased: {leased}");
    }
}

#[test]
fn a_node_that_is_made_after_its_vm_was_forgotten_is_found_and_destroyed() {
    let mut lab = Lab::new(config(1));
    let vm = lab.only_vm().name.clone();
    assert_eq!(forget(&mut lab, &vm), Answer::Accepted);
    let node = lab.created(NodeState::Running);
    assert_eq!(node.name, vm.as_str());
    for _ in 0..30 {
        lab.list(std::slice::from_ref(&node));
    }
    assert_eq!((lab.happened(EventKind::OrphanFound), lab.destroys()), (1, 1));
}

#[test]
fn what_was_under_way_for_a_vm_that_is_forgotten_changes_nothing() {
    let mut lab = Lab::new(with_check(config(1)));
    lab.created(NodeState::Running);
    let vm = lab.only_vm().name.clone();
    assert_eq!(forget(&mut lab, &vm), Answer::Accepted);
    lab.checked(Ok(()));
    lab.pass(seconds(1));
    assert_eq!(lab.counts([RecordState::Ready, RecordState::CheckHealth]), [0, 0]);
}

#[test]
fn a_vm_that_is_gone_and_whose_hook_hangs_is_forgotten() {
    let mut pool = config(1);
    pool.hooks.after_destroy = hook();
    let mut lab = Lab::ready(pool);
    let vm = lab.only_vm().name.clone();
    let _ = lab.step(Input::Terminate { vm: vm.clone(), only_if: None, reason: String::new() });
    lab.destroyed(Ok(()));
    lab.list(&[]);
    lab.list(&[]);
    assert!(lab.vm(&vm).unwrap().is_gone());
    assert_eq!(forget(&mut lab, &vm), Answer::Accepted);
    assert!(lab.vm(&vm).is_none());
}

#[test]
fn a_vm_that_does_not_exist_is_not_forgotten() {
    let mut lab = Lab::ready(config(1));
    let vm = VmName::new("small-nothing").unwrap();
    assert_eq!(forget(&mut lab, &vm), Answer::Refused(Refusal::UnknownVm { vm }));
}

#[test]
fn nothing_is_asked_for_a_vm_that_is_forgotten_in_the_same_step() {
    let mut pool = with_check(config(1));
    pool.check_interval = seconds(10);
    let mut lab = Lab::ready(pool);
    let lease = lab.granted(wish("r1", "ann")).lease;
    lab.now = lab.now + seconds(10);
    assert_eq!(forget(&mut lab, &lease.vm), Answer::Accepted);
    assert_eq!(lab.checks(), 0, "its periodic check was due when it was forgotten");
}

#[test]
fn who_holds_another_vm_keeps_it_when_one_that_cannot_be_read_is_forgotten() {
    let mut lab = Lab::ready(config(2));
    let (gone, kept) = (lab.granted(wish("r1", "ann")).lease, lab.granted(wish("r2", "bob")).lease);
    lab.unreadable.insert(gone.vm.clone());
    lab.restart();
    assert_eq!(lab.engine.leases().count(), 2);
    let step = lab.engine.step(lab.now, Input::Forget { vm: gone.vm, reason: String::new() });
    assert_eq!(step.answer, Answer::Accepted);
    assert_eq!(lab.engine.leases().map(|lease| &lease.id).collect::<Vec<_>>(), [&kept.id]);
}
