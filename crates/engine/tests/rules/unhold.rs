//! VMs that go from the hands of an operator back into their pool.

use vmpool_engine::{Answer, Input};
use vmpool_model::{
    EventKind, Lease, RecordState, VmName,
    config::{HookKind, OnExpiry, OnRelease, PoolConfig},
    states::NodeState,
};

use crate::lab::{Lab, config, hook, sandbox, seconds, wish, with_check};

/// A pool whose hook cleans what was leased.
fn cleaning(on_release: OnRelease, edit: impl FnOnce(&mut PoolConfig)) -> PoolConfig {
    let mut pool = with_check(config(1));
    pool.on_release = on_release;
    pool.hooks.before_release = hook();
    edit(&mut pool);
    pool
}

fn hold(lab: &mut Lab, vm: &VmName) {
    let hold = Input::Hold { vm: vm.clone(), reason: "a look".to_owned(), by: None, time: None };
    assert_eq!(lab.step(hold), Answer::Accepted);
}

fn unhold(lab: &mut Lab, vm: &VmName) {
    assert_eq!(lab.step(Input::Unhold(vm.clone())), Answer::Accepted);
}

/// A VM that is held after its lease, and that lease.
fn held_after(pool: PoolConfig) -> (Lab, Lease) {
    let mut lab = Lab::ready(pool);
    let mut wish = wish("r1", "ann");
    wish.sandbox = sandbox("box");
    let lease = lab.granted(wish).lease;
    hold(&mut lab, &lease.vm);
    lab.release(&lease);
    assert_eq!((state(&lab, &lease), lab.hooks().len()), (RecordState::Held, 0));
    (lab, lease)
}

fn state(lab: &Lab, lease: &Lease) -> RecordState {
    lab.vm(&lease.vm).unwrap().state
}

fn problem(lab: &Lab, lease: &Lease) -> Option<String> {
    lab.vm(&lease.vm).unwrap().problem.clone()
}

#[test]
fn a_vm_that_was_held_after_its_lease_is_cleaned_then_checked_then_anybodys() {
    let (mut lab, lease) = held_after(cleaning(OnRelease::Clean, |_| {}));
    lab.pass(seconds(5000));
    unhold(&mut lab, &lease.vm);
    assert_eq!((state(&lab, &lease), lab.checks()), (RecordState::Releasing, 0));
    let run = lab.hooks().remove(0);
    let told = run.lease.unwrap();
    assert_eq!(
        (run.kind, &told),
        (HookKind::BeforeRelease, &lease),
        "the hook is told of the lease that ended"
    );
    let of_whom = (run.vm.owner.as_ref(), run.vm.sandbox.as_ref());
    assert_eq!(of_whom, (Some(&lease.owner), lease.sandbox.as_ref()));
    lab.hooked(Ok(()));
    assert_eq!(
        (state(&lab, &lease), lab.checks()),
        (RecordState::CheckHealth, 1),
        "whatever was done to it by hand"
    );
    lab.checked(Ok(()));
    let record = lab.vm(&lease.vm).unwrap();
    assert_eq!((record.state, record.is_clean(), record.hold.is_none()), (RecordState::Ready, true, true));
    assert_eq!(record.returned, None);
    assert_eq!(lab.granted(wish("r2", "bob")).lease.vm, lease.vm);
}

#[test]
fn a_vm_that_was_held_after_its_lease_is_cleaned_for_its_owner_where_a_release_keeps_it_for_them() {
    let (mut lab, lease) = held_after(cleaning(OnRelease::Reuse, |_| {}));
    unhold(&mut lab, &lease.vm);
    assert_eq!((state(&lab, &lease), lab.hooks().len()), (RecordState::Releasing, 1));
    lab.pass(seconds(30));
    lab.hooked(Ok(()));
    lab.checked(Ok(()));
    assert!(matches!(lab.acquire(wish("r2", "bob")), Answer::Refused(_)));
    lab.pass(seconds(119));
    assert_eq!(state(&lab, &lease), RecordState::Ready);
    lab.pass(seconds(1));
    assert_eq!(state(&lab, &lease), RecordState::Terminating, "dirty_timeout counts from when it can be had");
}

#[test]
fn a_vm_whose_lease_expired_into_a_hold_is_cleaned_when_it_is_let_go() {
    let mut lab = Lab::ready(cleaning(OnRelease::Clean, |pool| pool.on_expiry = OnExpiry::Hold));
    let lease = lab.granted(wish("r1", "ann")).lease;
    lab.pass(lease.ttl);
    assert_eq!(state(&lab, &lease), RecordState::Held);
    unhold(&mut lab, &lease.vm);
    assert_eq!(lab.hooks().remove(0).lease, Some(lease));
    lab.hooked(Ok(()));
    lab.checked(Ok(()));
    assert!(lab.only_vm().is_clean());
}

#[test]
fn f1_a_vm_that_was_let_go_is_cleaned_after_a_crash_with_what_its_hook_was_told_before() {
    let (mut lab, lease) = held_after(cleaning(OnRelease::Clean, |_| {}));
    lab.restart();
    assert_eq!(state(&lab, &lease), RecordState::Held);
    unhold(&mut lab, &lease.vm);
    lab.restart();
    assert_eq!(state(&lab, &lease), RecordState::Releasing);
    assert_eq!(lab.hooks().remove(0).lease.as_ref(), Some(&lease));
    lab.hooked(Ok(()));
    assert_eq!(state(&lab, &lease), RecordState::CheckHealth, "that it was held is remembered, too");
    lab.checked(Ok(()));
    assert!(lab.only_vm().is_clean());
}

#[test]
fn a_vm_that_cannot_be_cleaned_when_it_is_let_go_is_destroyed() {
    let (mut lab, lease) = held_after(cleaning(OnRelease::Clean, |_| {}));
    unhold(&mut lab, &lease.vm);
    lab.hooked(Err("exit code 3"));
    let record = lab.vm(&lease.vm).unwrap();
    let why = "its hook before_release failed: exit code 3";
    assert_eq!((record.state, record.problem.as_deref()), (RecordState::Terminating, Some(why)));

    let (mut lab, lease) = held_after(cleaning(OnRelease::Clean, |_| {}));
    unhold(&mut lab, &lease.vm);
    lab.pass(seconds(120));
    assert_eq!(state(&lab, &lease), RecordState::Terminating, "nor is it waited for without end");
}

#[test]
fn a_vm_that_fails_its_check_after_it_was_cleaned_is_not_given() {
    let (mut lab, lease) = held_after(cleaning(OnRelease::Clean, |pool| pool.max_check_fails = 0));
    unhold(&mut lab, &lease.vm);
    lab.hooked(Ok(()));
    lab.checked(Err("refused"));
    assert_eq!(state(&lab, &lease), RecordState::Terminating);
}

#[test]
fn a_vm_that_is_held_while_it_is_cleaned_in_vain_is_cleaned_when_it_is_let_go() {
    let mut lab = Lab::ready(cleaning(OnRelease::Clean, |_| {}));
    let lease = lab.granted(wish("r1", "ann")).lease;
    lab.release(&lease);
    hold(&mut lab, &lease.vm);
    lab.hooked(Err("exit code 3"));
    assert_eq!(state(&lab, &lease), RecordState::Held);
    unhold(&mut lab, &lease.vm);
    assert_eq!(lab.hooks().remove(0).lease.as_ref(), Some(&lease));
    lab.hooked(Ok(()));
    lab.checked(Ok(()));
    assert!(lab.only_vm().is_clean());
}

#[test]
fn a_vm_that_is_held_again_while_it_is_cleaned_is_kept_after_that() {
    for result in [Ok(()), Err("exit code 3")] {
        let (mut lab, lease) = held_after(cleaning(OnRelease::Clean, |_| {}));
        unhold(&mut lab, &lease.vm);
        hold(&mut lab, &lease.vm);
        lab.hooked(result);
        assert_eq!(state(&lab, &lease), RecordState::Held, "{result:?}");
        unhold(&mut lab, &lease.vm);
        assert_eq!(lab.hooks().len(), usize::from(result.is_err()), "what was cleaned is not cleaned again");
    }
}

#[test]
fn nothing_is_cleaned_up_after_where_nobody_had_a_lease() {
    let mut lab = Lab::ready(cleaning(OnRelease::Clean, |_| {}));
    let vm = lab.only_vm().name.clone();
    hold(&mut lab, &vm);
    unhold(&mut lab, &vm);
    assert_eq!((lab.only_vm().state, lab.hooks().len(), lab.checks()), (RecordState::CheckHealth, 0, 1));
}

#[test]
fn what_was_cleaned_for_its_owner_before_it_was_held_is_not_cleaned_again() {
    let mut lab = Lab::ready(cleaning(OnRelease::Reuse, |_| {}));
    let lease = lab.granted(wish("r1", "ann")).lease;
    lab.release(&lease);
    lab.hooked(Ok(()));
    hold(&mut lab, &lease.vm);
    unhold(&mut lab, &lease.vm);
    assert_eq!((state(&lab, &lease), lab.hooks().len()), (RecordState::CheckHealth, 0));
}

#[test]
fn a_vm_that_was_held_is_destroyed_without_a_hook_where_it_is_used_no_more() {
    let because = |pool: PoolConfig, meanwhile: fn(&mut Lab)| {
        let (mut lab, lease) = held_after(pool);
        meanwhile(&mut lab);
        unhold(&mut lab, &lease.vm);
        assert_eq!((state(&lab, &lease), lab.hooks().len()), (RecordState::Terminating, 0));
        problem(&lab, &lease).unwrap()
    };
    let nothing = |_: &mut Lab| {};
    let destroys = because(cleaning(OnRelease::Destroy, |_| {}), nothing);
    assert_eq!(destroys, "it is no longer held, and it was leased (on_release = destroy)");
    let worn = because(cleaning(OnRelease::Clean, |pool| pool.max_uses = Some(1)), nothing);
    assert_eq!(worn, "it is no longer held, and it was used max_uses times");
    let drained = because(cleaning(OnRelease::Clean, |_| {}), |lab| {
        let drain = Input::Drain { pool: crate::lab::pool(), reason: String::new() };
        assert_eq!(lab.step(drain), Answer::Accepted);
    });
    assert_eq!(drained, "it is no longer held, and its pool gives no more VMs");
}

#[test]
fn a_vm_that_was_held_is_destroyed_where_nothing_cleans_it_any_more() {
    let (lab, lease) = held_after(cleaning(OnRelease::Clean, |_| {}));
    let unhooked = |mut lab: Lab, edit: fn(&mut PoolConfig)| {
        let mut spec = lab.engine.spec().clone();
        spec.epoch += 1;
        spec.pools.values_mut().for_each(edit);
        lab.restart_as(spec);
        lab
    };
    let mut lab = unhooked(lab, |pool| pool.hooks.before_release = None);
    unhold(&mut lab, &lease.vm);
    let why = "it is no longer held, and nothing cleans it (on_release = clean)";
    assert_eq!(
        (state(&lab, &lease), problem(&lab, &lease).as_deref()),
        (RecordState::Terminating, Some(why))
    );
}

#[test]
fn a_vm_whose_record_is_of_before_a_hold_kept_the_lease_is_not_used_uncleaned() {
    for (on_release, goes_on) in [(OnRelease::Clean, false), (OnRelease::Reuse, true)] {
        let (mut lab, lease) = held_after(cleaning(on_release, |_| {}));
        lab.damage(|vms, _| vms.values_mut().for_each(|vm| vm.returned = None));
        lab.restart();
        assert_eq!(state(&lab, &lease), RecordState::Held);
        unhold(&mut lab, &lease.vm);
        assert_eq!(lab.hooks().len(), 0);
        assert_eq!(
            state(&lab, &lease) == RecordState::CheckHealth,
            goes_on,
            "its owner may have it as it is"
        );
    }
}

#[test]
fn the_end_of_its_time_destroys_a_held_vm_and_cleans_nothing() {
    let (mut lab, lease) = held_after(cleaning(OnRelease::Clean, |_| {}));
    lab.pass(seconds(86_400));
    assert_eq!((state(&lab, &lease), lab.hooks().len()), (RecordState::Terminating, 0));
    assert_eq!(lab.vm(&lease.vm).unwrap().returned, None);
}

#[test]
fn a_vm_whose_node_is_off_is_not_cleaned_when_it_is_let_go() {
    let mut lab = Lab::new(cleaning(OnRelease::Clean, |_| {}));
    let mut node = lab.boot_all().remove(0);
    let lease = lab.granted(wish("r1", "ann")).lease;
    hold(&mut lab, &lease.vm);
    lab.release(&lease);
    node.state = NodeState::Stopped;
    lab.list(std::slice::from_ref(&node));
    unhold(&mut lab, &lease.vm);
    assert_eq!((state(&lab, &lease), lab.hooks().len()), (RecordState::Terminating, 0));
    assert_eq!(lab.happened(EventKind::VmUnheld), 1);
}
