//! Hooks: run where they belong, until a deadline, again after a crash.

use vmpool_engine::{Input, Outcome};
use vmpool_model::{
    EventKind, RecordState, VmName,
    config::{HookKind, OnRelease, PoolConfig},
    states::NodeState,
};

use crate::lab::{Lab, config, hook, seconds, wish, with_check};

fn with_all() -> PoolConfig {
    let mut pool = with_check(config(1));
    pool.on_release = OnRelease::Clean;
    pool.hooks.after_boot = hook();
    pool.hooks.before_release = hook();
    pool.hooks.after_destroy = hook();
    pool
}

fn only(edit: impl FnOnce(&mut PoolConfig)) -> PoolConfig {
    let mut pool = config(1);
    edit(&mut pool);
    pool
}

fn kinds(lab: &Lab) -> Vec<HookKind> {
    lab.hooks().iter().map(|run| run.kind).collect()
}

/// A VM whose node is proven gone.
fn gone() -> (Lab, VmName) {
    let mut lab = Lab::ready(only(|pool| pool.hooks.after_destroy = hook()));
    let vm = lab.only_vm().name.clone();
    let _ = lab.step(Input::Terminate { vm: vm.clone(), only_if: None, reason: String::new() });
    lab.destroyed(Ok(()));
    lab.list(&[]);
    lab.list(&[]);
    (lab, vm)
}

#[test]
fn each_hook_runs_once_in_its_part_of_a_vms_life() {
    let mut lab = Lab::new(with_all());
    lab.created(NodeState::Running);
    assert_eq!((kinds(&lab), lab.checks()), (vec![HookKind::AfterBoot], 0), "before the first check");
    assert_eq!(lab.only_vm().state, RecordState::GotIp);
    lab.hooked(Ok(()));
    assert_eq!((kinds(&lab), lab.checks(), lab.only_vm().prepared), (vec![], 1, true));
    lab.checked(Ok(()));
    let lease = lab.granted(wish("r1", "ann")).lease;
    lab.release(&lease);
    assert_eq!(kinds(&lab), [HookKind::BeforeRelease]);
    lab.hooked(Ok(()));
    assert_eq!(lab.only_vm().state, RecordState::Ready);
    let vm = lab.only_vm().name.clone();
    let _ = lab.step(Input::Terminate { vm: vm.clone(), only_if: None, reason: String::new() });
    assert_eq!(kinds(&lab), [], "it is not gone yet");
    lab.destroyed(Ok(()));
    lab.list(&[]);
    lab.list(&[]);
    assert_eq!(kinds(&lab), [HookKind::AfterDestroy]);
    lab.hooked(Ok(()));
    assert!(lab.vm(&vm).is_none());
    assert_eq!((lab.happened(EventKind::HookFailed), lab.happened(EventKind::VmGone)), (0, 1));
    let ended = lab.events.iter().filter(|event| event.kind == EventKind::HookSucceeded);
    let ended: Vec<_> = ended.map(|event| (event.detail.as_str(), event.vm.clone())).collect();
    let all = ["after_boot", "before_release", "after_destroy"];
    assert_eq!(ended, all.map(|kind| (kind, Some(vm.clone()))), "each tells that it ended well");
}

#[test]
fn a_hook_is_told_the_vm_and_how_many_hooks_may_run_at_once() {
    let mut lab = Lab::new(only(|pool| {
        pool.hooks.after_boot = hook();
        pool.max_hooks = 7;
    }));
    lab.created(NodeState::Running);
    let run = &lab.hooks()[0];
    assert_eq!((&run.vm, run.max_hooks, Some(&run.hook)), (lab.only_vm(), 7, hook().as_ref()));
    assert_eq!(run.lease, None);
}

#[test]
fn a_vm_whose_after_boot_fails_is_destroyed_and_its_pool_pauses() {
    let mut lab = Lab::new(only(|pool| pool.hooks.after_boot = hook()));
    lab.created(NodeState::Running);
    lab.hooked(Err("exit code 3"));
    assert_eq!(lab.only_vm().state, RecordState::Terminating);
    assert_eq!(lab.only_vm().problem.as_deref(), Some("its hook after_boot failed: exit code 3"));
    assert!(lab.engine.pools()[0].paused_until.is_some());
    let failed = lab.events.iter().find(|event| event.kind == EventKind::HookFailed).unwrap();
    assert_eq!(failed.detail, "after_boot: exit code 3");
}

#[test]
fn a_vm_whose_before_release_fails_is_destroyed() {
    let mut lab = Lab::ready(only(|pool| {
        pool.on_release = OnRelease::Reuse;
        pool.hooks.before_release = hook();
    }));
    let lease = lab.granted(wish("r1", "ann")).lease;
    lab.release(&lease);
    lab.hooked(Err("exit code 3"));
    assert_eq!(lab.vm(&lease.vm).unwrap().state, RecordState::Terminating);
    assert_eq!(lab.happened(EventKind::HookFailed), 1);
}

#[test]
fn a_vm_whose_after_destroy_fails_is_gone_all_the_same() {
    let (mut lab, vm) = gone();
    lab.hooked(Err("exit code 3"));
    assert!(lab.vm(&vm).is_none());
    let happened = [EventKind::HookFailed, EventKind::HookSucceeded, EventKind::VmGone];
    assert_eq!(happened.map(|kind| lab.happened(kind)), [1, 0, 1]);
}

#[test]
fn f15_no_vm_waits_for_a_hook_that_never_ends() {
    let mut lab = Lab::new(only(|pool| pool.hooks.after_boot = hook()));
    lab.created(NodeState::Running);
    lab.pass(seconds(119));
    assert_eq!(
        lab.only_vm().state,
        RecordState::GotIp,
        "its time is a minute, and so is what is added to that"
    );
    lab.pass(seconds(1));
    assert_eq!(lab.only_vm().state, RecordState::Terminating);

    let mut lab = Lab::ready(only(|pool| {
        pool.on_release = OnRelease::Reuse;
        pool.hooks.before_release = hook();
    }));
    let lease = lab.granted(wish("r1", "ann")).lease;
    lab.release(&lease);
    lab.pass(seconds(120));
    assert_eq!(lab.vm(&lease.vm).unwrap().state, RecordState::Terminating);

    let (mut lab, vm) = gone();
    lab.pass(seconds(120));
    assert!(lab.vm(&vm).is_none());
}

#[test]
fn f15_a_hook_whose_turn_comes_late_gets_its_whole_time() {
    let mut pool = config(3);
    pool.max_hooks = 1;
    pool.on_release = OnRelease::Reuse;
    pool.hooks.before_release = hook();
    let mut lab = Lab::ready(pool);
    let leases = ["r1", "r2", "r3"].map(|request| lab.granted(wish(request, "ann")).lease);
    leases.iter().for_each(|lease| lab.release(lease));
    for _ in 0..3 {
        lab.pass(seconds(59));
        lab.hooked(Ok(()));
    }
    assert_eq!((lab.counts([RecordState::Ready]), lab.happened(EventKind::HookFailed)), ([3], 0));
}

#[test]
fn f1_a_hook_that_ran_while_the_daemon_crashed_runs_again_with_what_it_was_told_before() {
    let mut lab = Lab::new(only(|pool| {
        pool.on_release = OnRelease::Clean;
        pool.hooks.after_boot = hook();
        pool.hooks.before_release = hook();
        pool.hooks.after_destroy = hook();
    }));
    lab.created(NodeState::Running);
    lab.restart();
    assert_eq!(kinds(&lab), [HookKind::AfterBoot]);
    lab.hooked(Ok(()));
    let lease = lab.granted(wish("r1", "ann")).lease;
    lab.release(&lease);
    lab.restart();
    let run = lab.hooks().remove(0);
    assert_eq!((run.kind, run.lease.as_ref()), (HookKind::BeforeRelease, Some(&lease)));
    lab.hooked(Ok(()));
    assert!(lab.only_vm().is_clean());

    let (mut lab, vm) = gone();
    lab.restart();
    assert_eq!((kinds(&lab), lab.destroys()), (vec![HookKind::AfterDestroy], 0));
    lab.hooked(Ok(()));
    assert!(lab.vm(&vm).is_none());
}

#[test]
fn a_vm_that_is_prepared_is_not_prepared_again() {
    let mut lab = Lab::new(with_all());
    lab.created(NodeState::Running);
    lab.hooked(Ok(()));
    lab.restart();
    assert_eq!((kinds(&lab), lab.checks()), (vec![], 1));
}

#[test]
fn the_result_of_a_hook_that_comes_after_a_termination_changes_nothing() {
    let mut lab = Lab::new(only(|pool| pool.hooks.after_boot = hook()));
    lab.created(NodeState::Running);
    let vm = lab.only_vm().name.clone();
    let _ = lab.step(Input::Terminate { vm, only_if: None, reason: String::new() });
    let before = lab.only_vm().clone();
    lab.hooked(Err("exit code 3"));
    assert_eq!((lab.only_vm(), lab.happened(EventKind::HookFailed)), (&before, 0));
}

#[test]
fn a_vm_that_is_gone_takes_up_no_room_while_its_hook_runs() {
    let (lab, vm) = gone();
    let record = lab.vm(&vm).unwrap();
    assert_eq!((record.state, record.is_gone()), (RecordState::Terminating, true));
    assert_eq!(lab.creates(), 1, "the pool has room for its only VM again");
}

#[test]
fn a_node_that_is_listed_although_it_was_proven_gone_is_an_orphan() {
    let mut lab = Lab::new(only(|pool| pool.hooks.after_destroy = hook()));
    let node = lab.boot_all().remove(0);
    let vm = lab.only_vm().name.clone();
    let _ = lab.step(Input::Terminate { vm, only_if: None, reason: String::new() });
    lab.destroyed(Ok(()));
    lab.list(&[]);
    lab.list(&[]);
    lab.list(std::slice::from_ref(&node));
    assert_eq!(lab.happened(EventKind::OrphanFound), 1);
    assert_eq!(kinds(&lab), [HookKind::AfterDestroy]);
}

#[test]
fn a_vm_that_never_had_a_node_needs_no_hook_at_its_end() {
    let mut lab = Lab::new(only(|pool| pool.hooks.after_destroy = hook()));
    let vm = lab.only_vm().name.clone();
    let _ = lab.step(Input::Terminate { vm: vm.clone(), only_if: None, reason: String::new() });
    lab.not_created(crate::lab::quota());
    assert!(lab.vm(&vm).is_none());
    assert_eq!(kinds(&lab), []);
}

#[test]
fn an_after_boot_that_outlasts_start_timeout_ends_its_vm() {
    let mut lab = Lab::new(only(|pool| {
        pool.hooks.after_boot = hook();
        pool.start_timeout = Some(seconds(40));
    }));
    lab.created(NodeState::Running);
    lab.pass(seconds(40));
    assert_eq!(lab.only_vm().state, RecordState::Terminating);
}

#[test]
fn an_outcome_of_a_hook_that_nobody_awaits_changes_nothing() {
    let mut lab = Lab::ready(config(1));
    let outcome = Outcome::Hooked(Err("exit code 3".to_owned()));
    let _ = lab.step(Input::Done { id: vmpool_engine::EffectId(1), outcome });
    assert_eq!(lab.only_vm().state, RecordState::Ready);
}
