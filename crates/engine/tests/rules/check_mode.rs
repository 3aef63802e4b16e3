//! When a ready VM must be checked before somebody gets it: never, as Copr does, or when it is wanted.

use vmpool_engine::{Answer, Refusal};
use vmpool_model::{
    RecordState,
    config::{CheckMode, OnRelease, PoolConfig},
};

use crate::lab::{Lab, config, seconds, wish, with_check};

fn pool(mode: CheckMode, size: u32) -> PoolConfig {
    let mut pool = with_check(config(size));
    pool.check_mode = mode;
    pool.on_release = OnRelease::Reuse;
    pool.dirty_timeout = seconds(80_000);
    pool
}

/// A pool whose VMs were ready before the engine's start.
fn restarted(mode: CheckMode, size: u32) -> Lab {
    let mut lab = Lab::ready(pool(mode, size));
    lab.pass(seconds(1));
    lab.restart();
    lab
}

fn is_refused(lab: &mut Lab, request: &str) -> bool {
    matches!(lab.acquire(wish(request, "ann")), Answer::Refused(Refusal::NoVmAvailable { .. }))
}

fn waits(lab: &mut Lab, request: &str, owner: &str) {
    assert_eq!(lab.acquire(wish(request, owner).with_wait(seconds(60))), Answer::Waiting);
}

#[test]
fn c6_c7_c8_c9_a_strict_pool_gives_no_vm_that_was_not_checked_since_the_start() {
    let mut lab = restarted(CheckMode::Strict, 2);
    assert!(is_refused(&mut lab, "r1"));
    assert_eq!((lab.checks(), lab.counts([RecordState::CheckHealth])), (2, [2]), "all are checked at once");
    lab.checked(Err("refused"));
    assert!(is_refused(&mut lab, "r2"));
}

#[test]
fn c10_a_strict_pool_gives_a_vm_that_was_checked_since_the_start() {
    let mut lab = restarted(CheckMode::Strict, 1);
    lab.checked(Ok(()));
    lab.granted(wish("r1", "ann"));
}

#[test]
fn w11_what_a_strict_pool_knows_since_its_start_no_clock_decides() {
    let mut lab = Lab::ready(pool(CheckMode::Strict, 1));
    // The clock is set back by a year while nobody looks: the last check seems to be of the future.
    lab.now = vmpool_model::Timestamp::from_millis(1_000);
    lab.restart();
    assert!(is_refused(&mut lab, "r1"));
    lab.checked(Ok(()));
    lab.granted(wish("r2", "ann"));
}

#[test]
fn a_strict_pool_goes_on_checking_its_ready_vms_after_check_interval() {
    let mut lab = Lab::ready(pool(CheckMode::Strict, 1));
    lab.pass(seconds(119));
    assert_eq!(lab.checks(), 0);
    lab.pass(seconds(1));
    assert_eq!(lab.checks(), 1);
}

#[test]
fn a_strict_pool_checks_a_vm_that_was_leased_over_the_start_when_it_comes_back() {
    let mut lab = Lab::ready(pool(CheckMode::Strict, 1));
    let lease = lab.granted(wish("r1", "ann")).lease;
    lab.restart();
    lab.release(&lease);
    assert_eq!((lab.only_vm().state, lab.checks()), (RecordState::CheckHealth, 1));
    assert!(is_refused(&mut lab, "r2"));
    lab.checked(Ok(()));
    lab.granted(wish("r3", "ann"));
}

#[test]
fn a_periodic_pool_gives_a_vm_that_was_checked_before_the_start() {
    let mut lab = restarted(CheckMode::Periodic, 1);
    lab.granted(wish("r1", "ann"));
}

#[test]
fn a_lazy_pool_checks_nothing_that_nobody_wants() {
    let mut lab = restarted(CheckMode::Lazy, 3);
    lab.pass(seconds(10_000));
    assert_eq!((lab.checks(), lab.counts([RecordState::Ready])), (0, [3]));
}

#[test]
fn a_lazy_pool_checks_as_many_vms_as_are_wanted_and_gives_them_when_they_pass() {
    let mut lab = restarted(CheckMode::Lazy, 3);
    waits(&mut lab, "r1", "ann");
    assert_eq!(lab.checks(), 1);
    waits(&mut lab, "r2", "bob");
    assert_eq!((lab.checks(), lab.counts([RecordState::Ready])), (2, [1]));
    lab.checked(Ok(()));
    lab.checked(Ok(()));
    assert_eq!((lab.decided.len(), lab.counts([RecordState::InUse, RecordState::Ready])), (2, [2, 1]));
    assert_eq!(lab.checks(), 0);
}

#[test]
fn a_lazy_pool_checks_another_vm_when_one_does_not_pass() {
    let mut lab = restarted(CheckMode::Lazy, 2);
    waits(&mut lab, "r1", "ann");
    lab.checked(Err("refused"));
    assert_eq!(lab.checks(), 1);
    lab.checked(Ok(()));
    assert_eq!(lab.decided.len(), 1);
}

#[test]
fn who_wanted_to_wait_for_nothing_but_a_check_may_ask_again_when_that_takes_too_long() {
    let mut lab = restarted(CheckMode::Lazy, 1);
    assert_eq!(lab.acquire(wish("r1", "ann")), Answer::Waiting);
    lab.pass(seconds(600));
    assert!(matches!(lab.decided.remove(0).1, Err(Refusal::TimedOut { .. })));
    assert!(is_refused(&mut lab, "r1"), "the check still runs, and nothing is held against the request");
}

#[test]
fn who_is_sent_again_to_wait_is_remembered_as_whoever_waited_from_the_beginning() {
    let mut lab = restarted(CheckMode::Lazy, 1);
    assert_eq!(lab.acquire(wish("r1", "ann")), Answer::Waiting);
    let patient = || wish("r1", "ann").with_wait(seconds(600));
    assert_eq!(lab.acquire(patient()), Answer::Waiting);
    lab.pass(seconds(600));
    assert!(matches!(lab.decided.remove(0).1, Err(Refusal::TimedOut { .. })));
    assert!(matches!(lab.acquire(patient()), Answer::Refused(Refusal::RequestTimedOut { .. })));
}

#[test]
fn a_lazy_pool_gives_at_once_what_was_checked_within_check_interval() {
    let mut lab = Lab::ready(pool(CheckMode::Lazy, 1));
    lab.pass(seconds(119));
    let lease = lab.granted(wish("r1", "ann")).lease;
    lab.release(&lease);
    lab.pass(seconds(1));
    waits(&mut lab, "r2", "ann");
    assert_eq!(
        (lab.checks(), lab.only_vm().state),
        (1, RecordState::CheckHealth),
        "its last check is too old"
    );
    lab.checked(Ok(()));
    assert_eq!(lab.decided.len(), 1);
}

#[test]
fn a_lazy_pool_without_interval_checks_once_after_a_start() {
    let mut config = pool(CheckMode::Lazy, 1);
    config.check_interval = seconds(0);
    let mut lab = Lab::ready(config);
    lab.pass(seconds(100_000));
    lab.granted(wish("r1", "ann"));
}

#[test]
fn a_lazy_pool_checks_a_kept_vm_for_its_own_tenant_only() {
    let mut config = pool(CheckMode::Lazy, 1);
    config.max_total = Some(2);
    let mut lab = Lab::ready(config);
    let lease = lab.granted(wish("r1", "ann")).lease;
    lab.release(&lease);
    lab.restart();
    waits(&mut lab, "r2", "bob");
    assert_eq!(lab.checks(), 0);
    waits(&mut lab, "r3", "ann");
    assert_eq!(lab.checks(), 1);
}

#[test]
fn who_does_not_wait_for_a_vm_of_a_lazy_pool_waits_for_its_check() {
    let mut lab = restarted(CheckMode::Lazy, 2);
    assert_eq!(lab.acquire(wish("r1", "ann")), Answer::Waiting);
    assert_eq!(lab.checks(), 1);
    lab.checked(Ok(()));
    assert!(matches!(lab.decided.as_slice(), [(_, Ok(_))]), "{:?}", lab.decided);
}

#[test]
fn who_does_not_wait_for_a_vm_of_a_lazy_pool_waits_no_longer_than_a_check_may_take() {
    let mut lab = restarted(CheckMode::Lazy, 1);
    assert_eq!(lab.acquire(wish("r1", "ann")), Answer::Waiting);
    assert!(is_refused(&mut lab, "r2"), "the only VM is checked for another one");
    lab.pass(seconds(34));
    assert!(lab.decided.is_empty());
    lab.pass(seconds(1));
    assert!(matches!(lab.decided.as_slice(), [(_, Err(Refusal::TimedOut { .. }))]), "{:?}", lab.decided);
}

#[test]
fn a_pool_without_checks_gives_its_vms_at_once_in_every_mode() {
    for mode in [CheckMode::Periodic, CheckMode::Lazy, CheckMode::Strict] {
        let mut config = config(1);
        config.check_mode = mode;
        let mut lab = Lab::ready(config);
        lab.restart();
        lab.granted(wish("r1", "ann"));
        assert_eq!(lab.checks(), 0, "{mode:?}");
    }
}

#[test]
fn who_does_not_wait_gets_its_used_vm_of_a_lazy_pool_after_a_check() {
    let mut lab = Lab::ready(pool(CheckMode::Lazy, 1));
    let lease = lab.granted(wish("r1", "ann")).lease;
    lab.release(&lease);
    lab.pass(seconds(200));
    assert_eq!(lab.acquire(wish("r2", "ann")), Answer::Waiting);
    lab.checked(Ok(()));
    assert!(matches!(lab.decided.as_slice(), [(_, Ok(_))]), "{:?}", lab.decided);
}

#[test]
fn who_does_not_wait_gets_its_used_vm_and_a_clean_one_of_a_lazy_pool_after_a_check() {
    let mut lab = Lab::ready(pool(CheckMode::Lazy, 2));
    lab.pass(seconds(200));
    assert_eq!(lab.acquire(wish("r1", "ann")), Answer::Waiting);
    lab.checked(Ok(()));
    let lease = lab.engine.leases().next().cloned().unwrap();
    lab.release(&lease);
    assert_eq!(lab.acquire(wish("r2", "ann").with_count(2)), Answer::Waiting);
    assert_eq!(lab.checks(), 1, "the one that was used is checked");
    lab.checked(Ok(()));
    assert_eq!(lab.counts([RecordState::InUse]), [2]);
}
