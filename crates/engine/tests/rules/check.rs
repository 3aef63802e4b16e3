//! Health checks: passed, failed, hanging, repeated.

use std::time::Duration;

use vmpool_model::{EventKind, RecordState, states::NodeState};

use crate::lab::{Lab, config, seconds, wish, with_check};

fn checked_pool() -> Lab {
    let mut lab = Lab::new(with_check(config(1)));
    lab.created(NodeState::Running);
    lab
}

#[test]
fn c56_c64_a_vm_with_an_address_is_checked_and_then_ready() {
    let mut lab = checked_pool();
    assert_eq!((lab.only_vm().state, lab.checks()), (RecordState::CheckHealth, 1));
    lab.checked(Ok(()));
    assert_eq!((lab.only_vm().state, lab.only_vm().check_fails), (RecordState::Ready, 0));
    assert_eq!(lab.happened(EventKind::VmReady), 1);
}

#[test]
fn c65_the_third_failure_in_a_row_ends_a_vm() {
    let mut lab = checked_pool();
    for fails in 1..=2 {
        lab.checked(Err("refused"));
        assert_eq!((lab.only_vm().state, lab.only_vm().check_fails), (RecordState::CheckHealthFailed, fails));
        lab.pass(seconds(4));
    }
    lab.checked(Err("refused"));
    assert_eq!(lab.only_vm().state, RecordState::Terminating);
    assert_eq!(lab.happened(EventKind::CheckFailed), 3);
}

#[test]
fn c64_a_check_that_passes_forgets_the_failures_before() {
    let mut lab = checked_pool();
    for _ in 0..5 {
        lab.checked(Err("refused"));
        lab.pass(seconds(2));
        lab.checked(Ok(()));
        assert_eq!((lab.only_vm().state, lab.only_vm().check_fails), (RecordState::Ready, 0));
        lab.pass(seconds(120));
    }
}

#[test]
fn a_failed_check_is_repeated_after_a_pause() {
    let mut lab = checked_pool();
    lab.checked(Err("refused"));
    lab.pass(Duration::from_millis(999));
    assert_eq!(lab.checks(), 0);
    lab.pass(Duration::from_millis(501));
    assert_eq!(lab.checks(), 1);
}

#[test]
fn f15_a_check_that_waits_for_its_turn_says_nothing_of_the_vm() {
    let mut lab = checked_pool();
    lab.pass(seconds(600));
    assert_eq!((lab.only_vm().state, lab.only_vm().check_fails), (RecordState::CheckHealth, 0));
    lab.checked(Ok(()));
    assert_eq!(lab.only_vm().state, RecordState::Ready);
}

#[test]
fn c32_c33_a_ready_vm_is_checked_again_after_check_interval() {
    let mut lab = checked_pool();
    lab.checked(Ok(()));
    lab.pass(seconds(119));
    assert_eq!(lab.checks(), 0);
    lab.pass(seconds(1));
    assert_eq!((lab.only_vm().state, lab.checks()), (RecordState::CheckHealth, 1));
    lab.checked(Ok(()));
    assert_eq!(lab.happened(EventKind::VmReady), 1, "it was ready before");
}

#[test]
fn a_pool_without_checks_or_without_interval_does_not_check_again() {
    let mut never = with_check(config(1));
    never.check_interval = seconds(0);
    for pool in [config(1), never] {
        let mut lab = Lab::ready(pool);
        lab.pass(seconds(1000));
        assert_eq!(lab.checks(), 0);
    }
}

#[test]
fn c66_a_leased_vm_is_never_checked_or_ended_by_a_check() {
    let mut lab = checked_pool();
    lab.checked(Ok(()));
    lab.granted(wish("r1", "ann"));
    lab.pass(seconds(500));
    assert_eq!((lab.only_vm().state, lab.checks()), (RecordState::InUse, 0));
}

#[test]
fn c57_a_vm_that_is_being_destroyed_is_not_checked_and_late_results_change_nothing() {
    let mut lab = checked_pool();
    let name = lab.only_vm().name.clone();
    let _ = lab.step(vmpool_engine::Input::Terminate { vm: name, only_if: None, reason: String::new() });
    lab.checked(Err("refused"));
    assert_eq!((lab.only_vm().state, lab.only_vm().check_fails), (RecordState::Terminating, 0));
}

#[test]
fn a_vm_whose_node_dies_during_a_check_is_ended() {
    let mut lab = Lab::new(with_check(config(1)));
    let mut node = lab.created(NodeState::Running);
    node.state = NodeState::Stopped;
    lab.list(&[node]);
    assert_eq!(lab.only_vm().state, RecordState::Terminating);
}
