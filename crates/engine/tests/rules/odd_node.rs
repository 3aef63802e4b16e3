//! Ready VMs whose nodes are in states that nobody knows: told of, and left alone.

use vmpool_model::{EventKind, Node, RecordState, states::NodeState};

use crate::lab::{Lab, config, seconds, wish};

/// A ready VM whose node is in a state that nobody knows.
fn odd() -> (Lab, Node) {
    let mut lab = Lab::new(config(1));
    let mut node = lab.boot_all().remove(0);
    node.state = NodeState::Unknown;
    lab.list(std::slice::from_ref(&node));
    (lab, node)
}

#[test]
fn a_ready_vm_whose_node_stays_in_an_unknown_state_is_told_of_once_and_never_destroyed() {
    let (mut lab, mut node) = odd();
    lab.pass(seconds(599));
    assert_eq!(lab.only_vm().suspect, None);
    lab.pass(seconds(1));
    let why = "its node is unknown for longer than boot_timeout";
    assert_eq!((lab.only_vm().state, lab.only_vm().suspect.as_deref()), (RecordState::Ready, Some(why)));
    for _ in 0..100 {
        lab.list(std::slice::from_ref(&node));
    }
    lab.restart();
    lab.list(std::slice::from_ref(&node));
    lab.pass(seconds(10_000));
    assert_eq!((lab.only_vm().state, lab.happened(EventKind::VmSuspect)), (RecordState::Ready, 1));
    node.state = NodeState::Running;
    lab.list(std::slice::from_ref(&node));
    assert_eq!((lab.only_vm().suspect.clone(), lab.happened(EventKind::VmTrusted)), (None, 1));
    lab.granted(wish("r1", "ann"));
}

#[test]
fn the_time_in_an_unknown_state_begins_anew_when_the_node_was_seen_running() {
    let (mut lab, mut node) = odd();
    lab.pass(seconds(500));
    for state in [NodeState::Running, NodeState::Rebooting] {
        node.state = state;
        lab.list(std::slice::from_ref(&node));
    }
    lab.pass(seconds(590));
    assert_eq!(lab.only_vm().suspect, None);
    lab.pass(seconds(10));
    assert_eq!(lab.only_vm().suspect.as_deref(), Some("its node is rebooting for longer than boot_timeout"));
}

#[test]
fn a_node_that_is_in_an_unknown_state_at_a_restart_gets_its_time_from_then() {
    let (mut lab, _) = odd();
    lab.pass(seconds(500));
    lab.restart();
    lab.pass(seconds(599));
    assert_eq!(lab.only_vm().suspect, None);
    lab.pass(seconds(1));
    assert!(lab.only_vm().suspect.is_some());
}
