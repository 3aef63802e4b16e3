//! Pauses after failures: what providers and configurations may ask for.

use std::time::Duration;

use vmpool_model::{RecordState, states::NodeState};

use crate::lab::{Lab, config, quota, seconds, timeout, with_check};

#[test]
fn f13_a_provider_that_asks_for_ages_gets_an_hour() {
    let mut lab = Lab::new(config(1));
    let mut failure = quota();
    failure.retry_after = Some(Duration::MAX);
    lab.not_created(failure);
    lab.pass(seconds(3599));
    assert_eq!(lab.creates(), 0);
    lab.pass(seconds(1801));
    assert_eq!(lab.creates(), 1);
}

#[test]
fn a_list_interval_of_ages_breaks_nothing() {
    let mut spec = crate::lab::spec(config(0));
    spec.providers.values_mut().for_each(|provider| provider.list_interval = Duration::MAX);
    let mut lab = Lab::of(spec);
    lab.listed(Err(timeout()));
}

#[test]
fn f13_creates_that_fail_together_are_one_failure() {
    let mut pool = config(8);
    pool.max_starting = 8;
    let mut lab = Lab::new(pool);
    for _ in 0..8 {
        lab.not_created(quota());
    }
    lab.pass(Duration::from_millis(1500));
    assert_eq!(lab.creates(), 8, "a pause of a second, and at most a half more");
}

/// How long the pool pauses from now on.
fn pause(lab: &Lab) -> Duration {
    let pool = lab.engine.pools().remove(0);
    pool.paused_until.map(|until| until.since(lab.now)).unwrap_or_default()
}

/// Lets the only VM's node be gone, and waits until the next is asked for.
fn replace(lab: &mut Lab) {
    lab.destroyed(Ok(()));
    // The first of these was asked for before.
    lab.list(&[]);
    lab.list(&[]);
    lab.pass(pause(lab));
    assert_eq!(lab.creates(), 1);
}

#[test]
fn f13_vms_that_boot_and_never_pass_a_check_make_the_pool_pause_longer_and_longer() {
    let mut pool = with_check(config(1));
    pool.max_check_fails = 0;
    pool.retry_min = seconds(100);
    let mut lab = Lab::new(pool);
    for least in [100, 200, 300, 300] {
        lab.created(NodeState::Running);
        lab.checked(Err("refused"));
        let pause = pause(&lab);
        assert!(seconds(least) <= pause && pause <= seconds(least) * 3 / 2, "{pause:?}");
        replace(&mut lab);
    }
    lab.created(NodeState::Running);
    lab.checked(Ok(()));
    assert_eq!(pause(&lab), seconds(0), "a VM that is ready ends it");
}

#[test]
fn f13_a_vm_that_was_ready_and_fails_later_makes_no_pause() {
    let mut pool = with_check(config(1));
    pool.max_check_fails = 0;
    let mut lab = Lab::ready(pool);
    lab.pass(seconds(120));
    lab.checked(Err("refused"));
    assert_eq!((lab.only_vm().state, pause(&lab)), (RecordState::Terminating, seconds(0)));
}

#[test]
fn f13_a_vm_that_does_not_boot_in_time_makes_the_pool_pause() {
    let mut lab = Lab::new(config(1));
    lab.created(NodeState::Starting);
    lab.pass(seconds(600));
    assert_eq!(lab.only_vm().state, RecordState::Terminating);
    assert!(seconds(1) <= pause(&lab));
}
