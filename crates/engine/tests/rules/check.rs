//! Health checks: passed, failed, hanging, repeated.

use std::time::Duration;

use vmpool_engine::{Answer, CheckReport, Effect, Input, Outcome, Reconfigure, Spec};
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
    lab.pass(seconds(299));
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
fn c57_c64_a_vm_that_is_being_destroyed_or_checked_is_not_checked_and_late_results_change_nothing() {
    for result in [Err("refused"), Ok(())] {
        let mut lab = checked_pool();
        lab.pass(seconds(299));
        assert_eq!((lab.only_vm().state, lab.checks()), (RecordState::CheckHealth, 1), "one is under way");
        let name = lab.only_vm().name.clone();
        let _ = lab.step(Input::Terminate { vm: name, only_if: None, reason: String::new() });
        let before = lab.only_vm().clone();
        lab.checked(result);
        lab.pass(seconds(50));
        assert_eq!((lab.only_vm(), lab.checks()), (&before, 0));
        assert_eq!((before.state, before.check_fails), (RecordState::Terminating, 0));
    }
}

#[test]
fn a_vm_whose_node_dies_during_a_check_is_ended() {
    let mut lab = Lab::new(with_check(config(1)));
    let mut node = lab.created(NodeState::Running);
    node.state = NodeState::Stopped;
    lab.list(&[node]);
    assert_eq!(lab.only_vm().state, RecordState::Terminating);
}

#[test]
fn c35_a_check_without_an_outcome_within_check_max_time_fails_and_does_not_count() {
    let mut lab = checked_pool();
    lab.pass(seconds(299));
    assert_eq!(lab.only_vm().state, RecordState::CheckHealth);
    lab.pass(seconds(1));
    assert_eq!((lab.only_vm().state, lab.only_vm().check_fails), (RecordState::CheckHealthFailed, 0));
    let late = *lab.effects.iter().find(|(_, effect)| matches!(effect, Effect::Check { .. })).unwrap().0;
    lab.answer(late, Outcome::Checked(Ok(CheckReport::default())));
    assert_eq!(lab.only_vm().state, RecordState::CheckHealthFailed, "it comes too late");
    lab.pass(seconds(2));
    assert_eq!((lab.only_vm().state, lab.checks()), (RecordState::CheckHealth, 1));
    lab.checked(Ok(()));
    assert_eq!(lab.only_vm().state, RecordState::Ready);
}

#[test]
fn f15_a_check_that_never_ends_is_made_again_and_again_and_ends_no_vm() {
    let mut lab = checked_pool();
    lab.checked(Ok(()));
    lab.pass(seconds(100_000));
    assert_eq!((lab.only_vm().check_fails, lab.happened(EventKind::VmTerminating)), (0, 0));
    assert!(200 < lab.checks(), "{}", lab.checks());
}

#[test]
fn c35_of_three_vms_only_the_one_whose_check_takes_too_long_has_failed() {
    let mut pool = with_check(config(3));
    pool.check_interval = seconds(0);
    let mut lab = Lab::new(pool);
    lab.created(NodeState::Running);
    lab.checked(Ok(()));
    let used = lab.granted(wish("r1", "ann").with_ttl(Some(seconds(80_000)))).lease.vm;
    let first: vmpool_model::VmName = lab.created(NodeState::Running).name.parse().unwrap();
    lab.pass(seconds(299));
    let second: vmpool_model::VmName = lab.created(NodeState::Running).name.parse().unwrap();
    lab.pass(seconds(1));
    let states = [&used, &first, &second].map(|vm| lab.vm(vm).unwrap().state);
    use RecordState as S;
    assert_eq!(states, [S::InUse, S::CheckHealthFailed, S::CheckHealth]);
    assert_eq!(lab.happened(EventKind::VmTerminating), 0);
}

#[test]
fn c35_only_a_check_of_a_vm_that_nobody_uses_is_overdue() {
    let mut lab = Lab::ready(with_check(config(1)));
    lab.granted(wish("r1", "ann").with_ttl(Some(seconds(80_000))));
    lab.pass(seconds(5000));
    assert_eq!((lab.only_vm().state, lab.happened(EventKind::CheckFailed)), (RecordState::InUse, 0));
}

#[test]
fn c34_a_vm_that_was_never_checked_is_checked() {
    let mut lab = Lab::ready(with_check(config(1)));
    lab.granted(wish("r1", "ann").with_ttl(Some(seconds(80_000))));
    lab.damage(|vms, _| vms.values_mut().for_each(|vm| vm.last_check = None));
    lab.restart();
    assert_eq!(lab.checks(), 1);
    // A ready one, whose pool had no check so far.
    let mut lab = Lab::ready(config(2));
    let lease = lab.granted(wish("r1", "ann")).lease;
    let mut spec = lab.engine.spec().clone();
    spec.pools.insert(crate::lab::pool(), with_check(config(2)));
    let Spec { pools, providers, limits, .. } = spec;
    let to = Input::Reconfigure(Box::new(Reconfigure { pools, providers, limits }));
    assert_eq!(lab.step(to), Answer::Accepted);
    assert_eq!((lab.checks(), lab.counts([RecordState::CheckHealth])), (2, [1]), "the leased one, too");
    assert_eq!(lab.vm(&lease.vm).unwrap().state, RecordState::InUse);
}

#[test]
fn c32_c33_a_used_vm_that_waits_for_its_owner_is_checked_too_and_is_not_kept_longer_for_that() {
    let mut pool = with_check(config(1));
    pool.on_release = vmpool_model::config::OnRelease::Reuse;
    pool.dirty_timeout = seconds(300);
    let mut lab = Lab::ready(pool);
    let lease = lab.granted(wish("r1", "ann")).lease;
    lab.release(&lease);
    for _ in 0..2 {
        lab.pass(seconds(120));
        assert_eq!(lab.only_vm().state, RecordState::CheckHealth);
        lab.checked(Ok(()));
    }
    lab.pass(seconds(59));
    assert_eq!(lab.only_vm().state, RecordState::Ready);
    lab.pass(seconds(1));
    assert_eq!(lab.only_vm().state, RecordState::Terminating);
}

fn with_start_timeout() -> Lab {
    let mut pool = with_check(config(1));
    pool.start_timeout = Some(seconds(60));
    let mut lab = Lab::new(pool);
    lab.created(NodeState::Running);
    lab
}

#[test]
fn with_a_start_timeout_any_number_of_checks_may_fail_until_it_is_over() {
    let mut lab = with_start_timeout();
    for fails in 1..=4 {
        lab.checked(Err("refused"));
        assert_eq!(
            (lab.only_vm().state, lab.only_vm().check_fails),
            (RecordState::CheckHealthFailed, fails),
            "max_check_fails is 2"
        );
        lab.pass(seconds(13));
    }
    lab.checked(Ok(()));
    assert_eq!(lab.only_vm().state, RecordState::Ready);
    lab.pass(seconds(120));
    for _ in 0..3 {
        lab.checked(Err("refused"));
        lab.pass(seconds(4));
    }
    assert_eq!(lab.only_vm().state, RecordState::Terminating, "from then on max_check_fails holds");
}

#[test]
fn a_vm_that_passes_no_check_within_start_timeout_is_given_up_and_its_pool_pauses() {
    for answered in [true, false] {
        let mut lab = with_start_timeout();
        let name = lab.only_vm().name.clone();
        if answered {
            lab.checked(Err("refused"));
        }
        lab.pass(seconds(59));
        assert_ne!(lab.vm(&name).unwrap().state, RecordState::Terminating);
        lab.pass(seconds(1));
        assert_eq!(lab.vm(&name).unwrap().state, RecordState::Terminating);
        assert!(lab.engine.pools()[0].paused_until.is_some());
    }
}

#[test]
fn a_vm_gets_a_check_after_a_long_downtime_although_its_start_timeout_is_over() {
    let mut lab = with_start_timeout();
    lab.now = lab.now + seconds(3600);
    lab.restart();
    assert_eq!(lab.checks(), 1);
    lab.checked(Ok(()));
    assert_eq!(lab.only_vm().state, RecordState::Ready);
}
