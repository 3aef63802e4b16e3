//! Checks of leased VMs: counted, told, and never the end of a lease.

use vmpool_engine::{Answer, CheckReport, Input, Outcome};
use vmpool_model::{
    EventKind, Lease, RecordState,
    config::{CheckMode, OnRelease, PoolConfig},
    states::NodeState,
};

use crate::lab::{Lab, config, seconds, wish, with_check};

fn checked(edit: impl FnOnce(&mut PoolConfig)) -> PoolConfig {
    let mut pool = with_check(config(1));
    pool.on_release = OnRelease::Reuse;
    pool.lease_ttl = seconds(80_000);
    edit(&mut pool);
    pool
}

/// A leased VM whose pool checks it every two minutes.
fn leased() -> (Lab, Lease) {
    let mut lab = Lab::ready(checked(|_| {}));
    let lease = lab.granted(wish("r1", "ann")).lease;
    (lab, lease)
}

/// Lets the next check come, and answers it.
fn check_again(lab: &mut Lab, result: Result<(), &str>) {
    lab.pass(seconds(120));
    assert_eq!(lab.checks(), 1);
    lab.checked(result);
}

fn suspicion(lab: &mut Lab, lease: &Lease) -> Option<String> {
    match lab.step(Input::Renew { lease: lease.id.clone(), fence: None, ttl: None }) {
        Answer::Renewed(lease) => lease.suspect,
        other => panic!("{other:?}"),
    }
}

#[test]
fn c33_c55_a_leased_vm_is_checked_after_check_interval_and_stays_leased_meanwhile() {
    let (mut lab, _) = leased();
    lab.pass(seconds(119));
    assert_eq!(lab.checks(), 0);
    lab.pass(seconds(1));
    assert_eq!((lab.only_vm().state, lab.checks()), (RecordState::InUse, 1));
    assert_eq!(lab.only_vm().last_check, Some(lab.now), "the time of a check is when it begins");
}

#[test]
fn c64_c66_w12_checks_of_a_leased_vm_that_fail_are_counted_and_never_end_it() {
    let (mut lab, lease) = leased();
    for fails in 1..=9 {
        check_again(&mut lab, Err("refused"));
        assert_eq!((lab.only_vm().state, lab.only_vm().check_fails), (RecordState::InUse, fails));
        let suspect = (2 < fails).then(|| "its health checks fail: refused".to_owned());
        assert_eq!(suspicion(&mut lab, &lease), suspect, "max_check_fails is 2");
    }
    assert_eq!((lab.happened(EventKind::CheckFailed), lab.happened(EventKind::VmSuspect)), (9, 1));
    check_again(&mut lab, Ok(()));
    assert_eq!((lab.only_vm().check_fails, lab.only_vm().problem.clone()), (0, None));
    assert_eq!(suspicion(&mut lab, &lease), None);
    let trusted = lab.events.iter().find(|event| event.kind == EventKind::VmTrusted).unwrap();
    assert_eq!((&trusted.lease, trusted.owner.as_ref()), (&Some(lease.id), Some(&lease.owner)));
    assert_eq!(trusted.detail, "it was doubted because its health checks fail: refused");
}

#[test]
fn w12_a_suspicion_of_checks_is_known_after_a_restart_and_ends_with_a_check_that_passes() {
    let (mut lab, lease) = leased();
    for _ in 0..3 {
        check_again(&mut lab, Err("refused"));
    }
    lab.restart();
    assert!(suspicion(&mut lab, &lease).is_some());
    check_again(&mut lab, Ok(()));
    assert_eq!(suspicion(&mut lab, &lease), None);
}

#[test]
fn a_check_that_passes_does_not_end_a_suspicion_of_the_node() {
    let mut lab = Lab::new(checked(|_| {}));
    let mut node = lab.boot_all().remove(0);
    let lease = lab.granted(wish("r1", "ann")).lease;
    node.state = NodeState::Stopped;
    lab.list(std::slice::from_ref(&node));
    check_again(&mut lab, Ok(()));
    assert_eq!(suspicion(&mut lab, &lease).as_deref(), Some("its node is stopped"));
    for _ in 0..4 {
        check_again(&mut lab, Err("refused"));
    }
    assert_eq!(suspicion(&mut lab, &lease).as_deref(), Some("its node is stopped"), "which says more");
}

#[test]
fn c67_a_result_that_comes_after_the_release_changes_nothing() {
    let (mut lab, lease) = leased();
    lab.pass(seconds(120));
    lab.release(&lease);
    let before = lab.only_vm().clone();
    lab.checked(Err("refused"));
    assert_eq!(*lab.only_vm(), before);
    assert_eq!((before.state, before.check_fails), (RecordState::Ready, 0));
    assert_eq!(lab.happened(EventKind::CheckFailed), 0);
}

#[test]
fn a_check_of_a_leased_vm_without_an_outcome_says_nothing_of_it_and_is_made_again() {
    let (mut lab, lease) = leased();
    lab.pass(seconds(120));
    lab.pass(seconds(299));
    assert_eq!(lab.checks(), 1);
    lab.pass(seconds(1));
    assert_eq!(lab.checks(), 2, "the first one was never answered");
    assert_eq!((lab.only_vm().check_fails, suspicion(&mut lab, &lease)), (0, None));
}

#[test]
fn a_leased_vm_of_a_lazy_pool_or_one_without_checks_or_interval_is_not_checked() {
    let lazy = checked(|pool| pool.check_mode = CheckMode::Lazy);
    let never = checked(|pool| pool.check_interval = seconds(0));
    let none = checked(|pool| pool.check = vmpool_model::config::CheckConfig::None);
    for pool in [lazy, never, none] {
        let mut lab = Lab::ready(pool);
        lab.granted(wish("r1", "ann"));
        lab.pass(seconds(10_000));
        assert_eq!(lab.checks(), 0);
    }
}

#[test]
fn the_first_host_key_that_a_vm_shows_is_kept_and_given_to_every_check_after() {
    let mut lab = Lab::new(checked(|_| {}));
    lab.created(NodeState::Running);
    let report = |key: &str| Outcome::Checked(Ok(CheckReport { host_key: Some(key.to_owned()) }));
    assert_eq!(lab.host_keys(), [None]);
    lab.answer(*lab.effects.keys().next_back().unwrap(), report("first"));
    assert_eq!(lab.only_vm().host_key.as_deref(), Some("first"));
    lab.pass(seconds(120));
    assert_eq!(lab.host_keys(), [Some("first".to_owned())]);
    lab.answer(*lab.effects.keys().next_back().unwrap(), report("second"));
    assert_eq!(lab.only_vm().host_key.as_deref(), Some("first"), "whoever checks tells them apart");
}

#[test]
fn a_leased_vm_that_showed_no_host_key_yet_may_show_one() {
    let (mut lab, _) = leased();
    lab.pass(seconds(120));
    let check = *lab.effects.keys().next_back().unwrap();
    let report = CheckReport { host_key: Some("key".to_owned()) };
    lab.answer(check, Outcome::Checked(Ok(report)));
    assert_eq!(lab.only_vm().host_key.as_deref(), Some("key"));
}

#[test]
fn c65_a_check_of_a_leased_vm_that_passes_makes_the_failures_before_it_count_no_more() {
    let mut lab = Lab::ready(checked(|pool| pool.max_check_fails = 1));
    let lease = lab.granted(wish("r1", "ann")).lease;
    for result in [Err("refused"), Ok(()), Err("refused")] {
        check_again(&mut lab, result);
    }
    assert_eq!(suspicion(&mut lab, &lease), None, "it did not fail twice in a row");
    check_again(&mut lab, Err("refused"));
    assert!(suspicion(&mut lab, &lease).is_some());
}

#[test]
fn a_check_of_a_leased_vm_that_takes_longer_than_check_interval_is_not_made_twice_at_once() {
    let mut lab = Lab::ready(checked(|pool| {
        (pool.check_interval, pool.check_max_time) = (seconds(10), seconds(60));
    }));
    lab.granted(wish("r1", "ann"));
    lab.pass(seconds(10));
    assert_eq!(lab.checks(), 1);
    lab.pass(seconds(59));
    assert_eq!(lab.checks(), 1);
}

#[test]
fn a_leased_vm_is_not_checked_while_its_node_is_looked_up() {
    let (mut lab, _) = leased();
    lab.list_until_looked_up(&[]);
    let before = lab.only_vm().last_check;
    lab.pass(seconds(600));
    assert_eq!((lab.gets(), lab.checks()), (1, 0), "one after the other");
    assert_eq!(lab.only_vm().last_check, before, "none is said to have begun");
    lab.got(Err(crate::lab::timeout()));
    assert_eq!(lab.checks(), 1, "its time had come meanwhile");
}

#[test]
fn a_check_of_a_leased_vm_goes_on_over_a_reload() {
    let (mut lab, _) = leased();
    lab.pass(seconds(120));
    crate::reconfigure::change(&mut lab, |to| to.pools.values_mut().for_each(|pool| pool.size = 2));
    assert_eq!(lab.checks(), 1);
    lab.checked(Err("refused"));
    let fails: Vec<_> = lab.vms().map(|vm| vm.check_fails).collect();
    assert!(fails.contains(&1), "{fails:?}");
}

#[test]
fn a_check_of_a_leased_vm_that_passes_and_says_nothing_new_writes_nothing() {
    let (mut lab, _) = leased();
    lab.pass(seconds(120));
    let check = |effect: &vmpool_engine::Effect| matches!(effect, vmpool_engine::Effect::Check { .. });
    let (id, _) = lab.effects.iter().find(|(_, effect)| check(effect)).unwrap();
    let outcome = Outcome::Checked(Ok(CheckReport::default()));
    let step = lab.engine.step(lab.now, Input::Done { id: *id, outcome });
    assert_eq!(step.changes, []);
}
