//! The end of VMs: by their holders' end, and again and again until they are gone.

use vmpool_engine::Input;
use vmpool_model::{EventKind, Node, RecordState, config::OnRelease, states::NodeState};

use super::{list_anew, listed};
use crate::lab::{Lab, config, seconds, timeout, wish, with_check};

/// Two VMs that share an address, the first of which is to be destroyed.
fn sharing() -> (Lab, Vec<Node>) {
    let mut lab = Lab::new(config(2));
    let mut nodes = Vec::new();
    while lab.creates() != 0 {
        let (id, token) = lab.create();
        let mut node = lab.node(&token, NodeState::Running);
        node.public_ips = vec![[10, 0, 0, 99].into()];
        lab.answer(id, vmpool_engine::Outcome::Created(Ok(Box::new(node.clone()))));
        nodes.push(node);
    }
    let vm = nodes[0].name.parse().unwrap();
    let _ = lab.step(Input::Terminate { vm, only_if: None, reason: String::new() });
    lab.destroyed(Ok(()));
    (lab, nodes)
}

#[test]
fn c24_c68_a_vm_that_is_proven_gone_leaves_nothing_behind() {
    let mut lab = Lab::ready(config(1));
    let vm = lab.only_vm().name.clone();
    let _ = lab.step(Input::Terminate { vm: vm.clone(), only_if: None, reason: String::new() });
    lab.destroyed(Ok(()));
    list_anew(&mut lab, &[]);
    assert!(lab.vm(&vm).is_none() && lab.engine.vm(&vm).is_none());
    assert_eq!(lab.counts([RecordState::Terminating]), [0]);
    assert_eq!(lab.engine.pools()[0].counts[RecordState::Terminating as usize], 0);
    assert_eq!(lab.happened(EventKind::VmGone), 1);
}

#[test]
fn c31_w7_the_vm_of_a_holder_that_is_gone_ends_and_that_of_a_living_one_does_not() {
    let mut lab = Lab::ready(config(3));
    let ttl = Some(seconds(60));
    let gone = lab.granted(wish("r1", "ann").with_ttl(ttl)).lease;
    let living = lab.granted(wish("r2", "bob").with_ttl(ttl)).lease;
    for _ in 0..3 {
        lab.pass(seconds(30));
        let _ = lab.step(Input::Renew { lease: living.id.clone(), fence: None, ttl: None });
    }
    let state = |vm| lab.vm(vm).map(|vm| vm.state);
    assert_eq!(state(&gone.vm), Some(RecordState::Terminating));
    assert_eq!(state(&living.vm), Some(RecordState::InUse));
    assert_eq!(lab.counts([RecordState::Ready]), [1], "nobody's VM has no holder to lose");
}

#[test]
fn c36_without_a_vm_that_is_being_destroyed_nothing_is_destroyed() {
    let mut lab = Lab::ready(config(2));
    lab.granted(wish("r1", "ann").with_ttl(Some(seconds(7200))));
    lab.pass(seconds(3600));
    assert_eq!((lab.destroys(), lab.happened(EventKind::VmTerminating)), (0, 0));
}

#[test]
fn c37_c39_a_destruction_that_was_accepted_is_not_asked_for_again_at_once() {
    let (mut lab, nodes) = sharing();
    for _ in 0..5 {
        lab.list(&nodes);
        assert_eq!(lab.destroys(), 0);
    }
    assert_eq!(lab.counts([RecordState::Terminating, RecordState::Ready]), [1, 1]);
}

#[test]
fn c69_a_destruction_that_fails_removes_nothing_and_is_tried_again() {
    let mut lab = Lab::ready(config(1));
    let vm = lab.only_vm().name.clone();
    let _ = lab.step(Input::Terminate { vm: vm.clone(), only_if: None, reason: String::new() });
    for failed in 1..=3 {
        lab.destroyed(Err(timeout()));
        assert_eq!(lab.vm(&vm).map(|vm| vm.state), Some(RecordState::Terminating));
        assert_eq!((lab.destroys(), lab.happened(EventKind::DestroyFailed)), (0, failed));
        lab.pass(seconds(10));
        assert_eq!(lab.destroys(), 1);
    }
}

#[test]
fn c43_everything_is_due_at_a_time_of_its_own() {
    let mut pool = with_check(config(2));
    pool.on_release = OnRelease::Reuse;
    (pool.dirty_timeout, pool.check_interval) = (seconds(90), seconds(60));
    let mut lab = Lab::ready(pool);
    let lease = lab.granted(wish("r1", "ann")).lease;
    lab.release(&lease);
    lab.pass(seconds(59));
    assert_eq!((lab.checks(), lab.destroys()), (0, 0));
    lab.pass(seconds(1));
    assert_eq!(lab.checks(), 2, "checks are due");
    lab.checked(Ok(()));
    lab.checked(Ok(()));
    lab.pass(seconds(29));
    assert_eq!(lab.counts([RecordState::Terminating]), [0]);
    lab.pass(seconds(1));
    assert_eq!(lab.vm(&lease.vm).map(|vm| vm.state), Some(RecordState::Terminating), "a used VM is due");
    lab.destroyed(Ok(()));
    let left = listed(&mut lab, |vm| vm.name != lease.vm);
    list_anew(&mut lab, &left);
    assert_eq!(lab.creates(), 1, "a spawn is due");
}
