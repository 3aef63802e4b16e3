//! Records that cannot be are put right (F14, W3).

use vmpool_engine::{Answer, Effect, Input, Outcome};
use vmpool_model::{Owner, PoolName, RecordState, VmRecord};

use crate::lab::{Lab, config, seconds, wish};

/// Damages the only VM of a pool, ready or leased, and restarts.
fn damaged(is_leased: bool, damage: impl Fn(&mut VmRecord)) -> Lab {
    let mut lab = Lab::ready(config(1));
    if is_leased {
        lab.granted(wish("r1", "ann"));
    }
    lab.damage(|vms, _| vms.values_mut().for_each(damage));
    lab.restart();
    lab
}

#[test]
fn f14_a_vm_without_a_node_that_should_have_one_is_looked_for_and_given_up() {
    let states = [
        RecordState::GotIp,
        RecordState::CheckHealth,
        RecordState::CheckHealthFailed,
        RecordState::Ready,
        RecordState::Releasing,
    ];
    for state in states {
        let mut lab = damaged(false, |vm| (vm.state, vm.node) = (state, None));
        assert_eq!((lab.only_vm().state, lab.finds()), (RecordState::Terminating, 1), "{state}");
        assert_eq!(lab.only_vm().problem.as_deref(), Some("its record lacks its node"));
        lab.found(vec![]);
        assert_eq!(lab.creates(), 1, "another one takes its place");
    }
}

#[test]
fn f14_a_leased_vm_without_a_node_stays_leased_and_gets_its_node_from_a_listing() {
    let mut lab = Lab::new(config(1));
    let node = lab.boot_all().remove(0);
    let lease = lab.granted(wish("r1", "ann")).lease;
    lab.damage(|vms, _| vms.values_mut().for_each(|vm| vm.node = None));
    lab.restart();
    assert_eq!(lab.only_vm().suspect.as_deref(), Some("its record lacks its node"));
    lab.list(std::slice::from_ref(&node));
    assert_eq!((lab.only_vm().suspect.clone(), lab.only_vm().lease.clone()), (None, Some(lease.id)));
    assert_eq!(lab.only_vm().node.as_ref().unwrap().id, node.id);
}

#[test]
fn f14_a_vm_that_somebody_leases_is_in_use_whatever_its_record_says() {
    let states = [
        RecordState::GotIp,
        RecordState::CheckHealth,
        RecordState::CheckHealthFailed,
        RecordState::Ready,
        RecordState::Releasing,
        RecordState::Held,
    ];
    for state in states {
        let lab = damaged(true, |vm| {
            (vm.state, vm.owner, vm.sandbox) = (state, None, crate::lab::sandbox("other"));
        });
        let vm = lab.only_vm();
        assert_eq!((vm.state, vm.owner.clone()), (RecordState::InUse, Some(Owner::new("ann").unwrap())));
        assert_eq!((vm.sandbox.clone(), lab.engine.leases().count()), (None, 1));
    }
}

#[test]
fn f14_a_vm_that_is_being_destroyed_is_leased_to_nobody() {
    let lab = damaged(true, |vm| vm.state = RecordState::Terminating);
    assert_eq!((lab.engine.leases().count(), lab.only_vm().lease.clone()), (0, None));
    assert_eq!(lab.destroys(), 1);
}

#[test]
fn f14_a_lease_that_is_not_its_own_is_taken_from_a_vm() {
    let mut lab = Lab::ready(config(2));
    let lease = lab.granted(wish("r1", "ann")).lease;
    lab.damage(|vms, _| vms.values_mut().for_each(|vm| vm.lease = Some(lease.id.clone())));
    lab.restart();
    assert_eq!(lab.counts([RecordState::InUse, RecordState::Ready]), [1, 1]);
    assert!(lab.vms().all(|vm| (vm.name == lease.vm) == vm.lease.is_some()));
}

#[test]
fn f14_a_lease_is_of_the_pool_of_its_vm() {
    let mut lab = Lab::ready(config(1));
    let lease = lab.granted(wish("r1", "ann")).lease;
    lab.damage(|_, leases| {
        leases.values_mut().for_each(|lease| lease.pool = PoolName::new("elsewhere").unwrap());
    });
    lab.restart();
    assert_eq!(lab.engine.leases().next(), Some(&lease));
}

#[test]
fn f14_a_held_vm_that_does_not_say_why_is_held_for_a_day() {
    let lab = damaged(false, |vm| vm.state = RecordState::Held);
    let hold = lab.only_vm().hold.clone().unwrap();
    assert_eq!((hold.since, hold.until), (lab.now, lab.now + seconds(86_400)));
}

#[test]
fn w3_a_vm_whose_record_is_gone_is_not_written_again_by_what_comes_late() {
    let mut lab = Lab::new(config(1));
    let node = lab.boot_all().remove(0);
    let vm = lab.only_vm().name.clone();
    lab.list(std::slice::from_ref(&node));
    let terminate = Input::Terminate { vm: vm.clone(), only_if: None, reason: String::new() };
    assert_eq!(lab.step(terminate.clone()), Answer::Accepted);
    let (id, _) =
        lab.effects.clone().into_iter().find(|(_, effect)| matches!(effect, Effect::Destroy { .. })).unwrap();
    lab.destroyed(Ok(()));
    lab.list(&[]);
    assert!(lab.vm(&vm).is_none());
    let late = Outcome::Destroyed(Err(crate::lab::timeout()));
    assert_eq!(lab.step(Input::Done { id, outcome: late }), Answer::Nothing);
    assert!(matches!(lab.step(terminate), Answer::Refused(_)) && lab.vm(&vm).is_none());
}
