//! VMs that are kept for debugging: by whom, how many, for how long.

use std::time::Duration;

use vmpool_engine::{Answer, Input, Refusal};
use vmpool_model::{
    EventKind, Owner, RecordState, VmName,
    config::{OnRelease, PoolConfig},
    states::NodeState,
};

use crate::lab::{Lab, config, hook, pool, seconds, wish, with_check};

fn hold(vm: &VmName, time: Option<Duration>) -> Input {
    let by = Some(Owner::new("zoe").unwrap());
    Input::Hold { vm: vm.clone(), reason: "a look".to_owned(), by, time }
}

fn held(lab: &mut Lab, vm: &VmName) {
    assert_eq!(lab.step(hold(vm, None)), Answer::Accepted);
}

fn unhold(lab: &mut Lab, vm: &VmName) -> Answer {
    lab.step(Input::Unhold(vm.clone()))
}

fn ready(edit: impl FnOnce(&mut PoolConfig)) -> (Lab, VmName) {
    let mut pool = with_check(config(1));
    edit(&mut pool);
    let lab = Lab::ready(pool);
    let vm = lab.only_vm().name.clone();
    (lab, vm)
}

fn state(lab: &Lab, vm: &VmName) -> RecordState {
    lab.vm(vm).unwrap().state
}

#[test]
fn a_ready_vm_is_held_at_once_for_a_day_and_then_destroyed() {
    let (mut lab, vm) = ready(|_| {});
    held(&mut lab, &vm);
    let record = lab.vm(&vm).unwrap();
    let kept = record.hold.clone().unwrap();
    assert_eq!(
        (record.state, kept.reason.as_str(), kept.by.unwrap().as_str()),
        (RecordState::Held, "a look", "zoe")
    );
    assert_eq!(lab.happened(EventKind::VmHeld), 1);
    lab.pass(seconds(86_399));
    assert_eq!(state(&lab, &vm), RecordState::Held);
    lab.pass(seconds(1));
    assert_eq!(state(&lab, &vm), RecordState::Terminating);
    assert_eq!(lab.vm(&vm).unwrap().hold, None);
}

#[test]
fn a_vm_is_held_for_no_longer_than_its_pool_allows_at_a_time() {
    let (mut lab, vm) = ready(|pool| pool.max_hold_time = seconds(3600));
    let before = lab.vm(&vm).unwrap().clone();
    let told = lab.refused(hold(&vm, Some(seconds(3601))));
    let wanted = "a VM of pool small is held for at most 1h (max_hold_time), and 1h1s were asked for: ask for less, and hold it \
                  again before that is over";
    assert_eq!(told.to_string(), wanted);
    assert_eq!(*lab.vm(&vm).unwrap(), before);
    held(&mut lab, &vm);
    let until = |lab: &Lab| lab.vm(&vm).unwrap().hold.clone().unwrap().until;
    assert_eq!(
        until(&lab),
        lab.now + seconds(3600),
        "who says nothing gets a day, or as much of it as is allowed"
    );
    lab.pass(seconds(3000));
    assert_eq!(lab.step(hold(&vm, Some(seconds(3600)))), Answer::Accepted);
    assert_eq!(until(&lab), lab.now + seconds(3600), "and may ask for it again");
}

#[test]
fn the_hold_of_an_expired_lease_is_no_longer_than_its_pool_allows() {
    let (mut lab, vm) = ready(|pool| {
        (pool.on_expiry, pool.max_hold_time) = (vmpool_model::config::OnExpiry::Hold, seconds(60));
    });
    let lease = lab.granted(wish("r1", "ann")).lease;
    lab.pass(lease.ttl);
    assert_eq!(state(&lab, &vm), RecordState::Held);
    lab.pass(seconds(60));
    assert_eq!(state(&lab, &vm), RecordState::Terminating);
}

#[test]
fn a_held_vm_is_neither_given_nor_checked_nor_too_old() {
    let (mut lab, vm) = ready(|pool| {
        pool.max_age = Some(seconds(700));
        pool.max_total = Some(2);
        pool.min_ready = 1;
    });
    held(&mut lab, &vm);
    assert_eq!(lab.creates(), 1, "the pool makes another one for its stock");
    lab.pass(seconds(50_000));
    assert_eq!((state(&lab, &vm), lab.checks()), (RecordState::Held, 0));
    assert!(matches!(lab.acquire(wish("r1", "ann")), Answer::Refused(Refusal::NoVmAvailable { .. })));
}

#[test]
fn a_vm_is_held_from_each_state_in_which_nothing_is_under_way() {
    let mut lab = Lab::new(with_check(config(1)));
    lab.created(NodeState::Running);
    lab.checked(Err("refused"));
    let vm = lab.only_vm().name.clone();
    assert_eq!(state(&lab, &vm), RecordState::CheckHealthFailed);
    held(&mut lab, &vm);
    assert_eq!(state(&lab, &vm), RecordState::Held);

    let mut pool = config(1);
    pool.hooks.after_boot = hook();
    let mut lab = Lab::new(pool);
    lab.created(NodeState::Running);
    let vm = lab.only_vm().name.clone();
    assert_eq!(state(&lab, &vm), RecordState::GotIp);
    held(&mut lab, &vm);
    lab.hooked(Err("the result comes too late"));
    assert_eq!(state(&lab, &vm), RecordState::Held);
    assert_eq!(unhold(&mut lab, &vm), Answer::Accepted);
    assert_eq!(lab.hooks().len(), 1, "what prepares it has not succeeded yet");
}

#[test]
fn a_leased_vm_is_held_when_its_lease_ends_and_its_holder_goes_on_undisturbed() {
    for expires in [true, false] {
        let (mut lab, vm) = ready(|pool| pool.on_release = OnRelease::Reuse);
        let lease = lab.granted(wish("r1", "ann")).lease;
        assert_eq!(lab.step(hold(&vm, Some(seconds(100)))), Answer::Accepted);
        assert_eq!(state(&lab, &vm), RecordState::InUse);
        let renewal = Input::Renew { lease: lease.id.clone(), fence: None, ttl: None };
        assert!(matches!(lab.step(renewal), Answer::Renewed(_)));
        lab.pass(seconds(500));
        match expires {
            true => lab.pass(seconds(100)),
            false => lab.release(&lease),
        }
        assert_eq!(state(&lab, &vm), RecordState::Held, "expires: {expires}");
        lab.pass(seconds(99));
        assert_eq!(state(&lab, &vm), RecordState::Held, "its time begins when it is held");
        lab.pass(seconds(1));
        assert_eq!(state(&lab, &vm), RecordState::Terminating);
        assert_eq!(lab.happened(EventKind::VmHeld), 2, "when it was asked for, and when it was so");
    }
}

#[test]
fn a_vm_that_is_to_be_held_is_so_after_a_restart_too() {
    let (mut lab, vm) = ready(|_| {});
    let lease = lab.granted(wish("r1", "ann")).lease;
    held(&mut lab, &vm);
    lab.restart();
    lab.release(&lease);
    assert_eq!(state(&lab, &vm), RecordState::Held);
    lab.restart();
    lab.pass(seconds(86_400));
    assert_eq!(state(&lab, &vm), RecordState::Terminating);
}

#[test]
fn a_vm_in_a_check_is_held_after_it_however_it_ends() {
    for result in [Ok(()), Err("refused")] {
        let (mut lab, vm) = ready(|pool| pool.max_check_fails = 0);
        lab.pass(seconds(120));
        assert_eq!(state(&lab, &vm), RecordState::CheckHealth);
        held(&mut lab, &vm);
        assert_eq!(state(&lab, &vm), RecordState::CheckHealth);
        lab.checked(result);
        assert_eq!(state(&lab, &vm), RecordState::Held, "{result:?}");
    }
}

#[test]
fn a_vm_that_is_cleaned_is_held_after_that_however_it_ends() {
    for result in [Ok(()), Err("exit code 3")] {
        let (mut lab, vm) = ready(|pool| {
            pool.on_release = OnRelease::Clean;
            pool.hooks.before_release = hook();
        });
        let lease = lab.granted(wish("r1", "ann")).lease;
        lab.release(&lease);
        held(&mut lab, &vm);
        assert_eq!(state(&lab, &vm), RecordState::Releasing);
        lab.hooked(result);
        assert_eq!(state(&lab, &vm), RecordState::Held, "{result:?}");
        assert_eq!(lab.vm(&vm).unwrap().is_clean(), result.is_ok(), "what was not cleaned is its owner's");
    }
}

#[test]
fn a_vm_without_a_node_or_at_its_end_is_not_held() {
    let mut lab = Lab::new(config(1));
    let vm = lab.only_vm().name.clone();
    let refusal = lab.refused(hold(&vm, None));
    assert!(matches!(refusal, Refusal::InvalidState { state: RecordState::Spawning, .. }), "{refusal}");
    lab.boot_all();
    let _ = lab.step(Input::Terminate { vm: vm.clone(), only_if: None, reason: String::new() });
    let refusal = lab.refused(hold(&vm, None));
    assert!(matches!(refusal, Refusal::InvalidState { state: RecordState::Terminating, .. }), "{refusal}");
    let nobody = VmName::new("small-nothing").unwrap();
    assert_eq!(lab.refused(hold(&nobody, None)), Refusal::UnknownVm { vm: nobody.clone() });
    assert_eq!(lab.refused(Input::Unhold(nobody.clone())), Refusal::UnknownVm { vm: nobody });
}

#[test]
fn to_hold_for_no_time_is_refused() {
    let (mut lab, vm) = ready(|_| {});
    let refusal = lab.refused(hold(&vm, Some(Duration::ZERO)));
    assert!(refusal.to_string().contains("to hold it for 0s"), "{refusal}");
    assert_eq!(state(&lab, &vm), RecordState::Ready);
}

#[test]
fn a_pool_holds_no_more_than_max_held_those_included_that_are_to_be_held() {
    let mut config = with_check(config(3));
    config.max_held = 2;
    let mut lab = Lab::ready(config);
    let lease = lab.granted(wish("r1", "ann")).lease;
    let names: Vec<_> = lab.vms().filter(|vm| vm.lease.is_none()).map(|vm| vm.name.clone()).collect();
    held(&mut lab, &lease.vm);
    held(&mut lab, &names[0]);
    assert_eq!(lab.refused(hold(&names[1], None)), Refusal::TooManyHeld { pool: pool(), max_held: 2 });
    held(&mut lab, &names[0]);
    let _ = lab.step(Input::Terminate { vm: names[0].clone(), only_if: None, reason: String::new() });
    held(&mut lab, &names[1]);
    lab.release(&lease);
    assert_eq!(lab.counts([RecordState::Held]), [2]);
}

#[test]
fn holding_again_gives_another_time_from_now() {
    let (mut lab, vm) = ready(|_| {});
    held(&mut lab, &vm);
    let since = lab.now;
    lab.pass(seconds(80_000));
    assert_eq!(lab.step(hold(&vm, Some(seconds(10_000)))), Answer::Accepted);
    let kept = lab.vm(&vm).unwrap().hold.clone().unwrap();
    assert_eq!((kept.since, kept.until), (since, lab.now + seconds(10_000)));
    lab.pass(seconds(9_999));
    assert_eq!(state(&lab, &vm), RecordState::Held);
    lab.pass(seconds(1));
    assert_eq!(state(&lab, &vm), RecordState::Terminating);
}

#[test]
fn holding_again_is_told_with_its_reason_and_its_end() {
    let (mut lab, vm) = ready(|_| {});
    held(&mut lab, &vm);
    let again =
        Input::Hold { vm: vm.clone(), reason: "for bob".to_owned(), by: None, time: Some(seconds(90)) };
    assert_eq!(lab.step_by(Some("bob"), again), Answer::Accepted);
    assert_eq!(lab.happened(EventKind::VmHeld), 2);
    let told = lab.events.last().unwrap();
    let until = lab.now + seconds(90);
    assert_eq!(told.detail, format!("from now on until {until}: for bob"));
    assert_eq!((told.by.as_ref().unwrap().as_str(), told.vm.as_ref()), ("bob", Some(&vm)));
}

#[test]
fn holding_again_without_a_reason_keeps_the_first_one() {
    let (mut lab, vm) = ready(|_| {});
    held(&mut lab, &vm);
    let longer = Input::Hold { vm: vm.clone(), reason: String::new(), by: None, time: Some(seconds(90)) };
    assert_eq!(lab.step(longer), Answer::Accepted);
    assert_eq!(lab.vm(&vm).unwrap().hold.clone().unwrap().reason, "a look");
    let (mut lab, vm) = ready(|_| {});
    let first = Input::Hold { vm: vm.clone(), reason: String::new(), by: None, time: None };
    assert_eq!(lab.step(first), Answer::Accepted);
    assert_eq!(lab.vm(&vm).unwrap().hold.clone().unwrap().reason, "no reason was given");
}

#[test]
fn a_vm_that_is_no_longer_held_is_checked_and_its_owner_may_have_it_again() {
    let (mut lab, vm) = ready(|pool| pool.on_release = OnRelease::Reuse);
    let lease = lab.granted(wish("r1", "ann")).lease;
    held(&mut lab, &vm);
    lab.release(&lease);
    lab.pass(seconds(5000));
    assert_eq!(unhold(&mut lab, &vm), Answer::Accepted);
    assert_eq!((state(&lab, &vm), lab.checks()), (RecordState::CheckHealth, 1));
    lab.checked(Ok(()));
    assert_eq!(lab.happened(EventKind::VmUnheld), 1);
    assert!(matches!(lab.acquire(wish("r2", "bob")), Answer::Refused(_)));
    lab.pass(seconds(119));
    assert_eq!(state(&lab, &vm), RecordState::Ready);
    lab.pass(seconds(1));
    assert_eq!(state(&lab, &vm), RecordState::Terminating, "dirty_timeout counts from when it can be had");
}

#[test]
fn a_vm_that_need_not_be_held_any_more_goes_its_way_when_its_lease_ends() {
    let (mut lab, vm) = ready(|_| {});
    let lease = lab.granted(wish("r1", "ann")).lease;
    held(&mut lab, &vm);
    assert_eq!(unhold(&mut lab, &vm), Answer::Accepted);
    assert_eq!(state(&lab, &vm), RecordState::InUse);
    lab.release(&lease);
    assert_eq!(state(&lab, &vm), RecordState::Terminating);
}

#[test]
fn a_vm_that_is_not_held_is_not_let_go() {
    let (mut lab, vm) = ready(|_| {});
    let refusal = lab.refused(Input::Unhold(vm.clone()));
    assert_eq!(refusal.to_string(), format!("VM {vm} is ready: it is not held"));
}

#[test]
fn a_held_vm_whose_node_is_off_is_doubted_and_is_destroyed_when_it_is_let_go() {
    let mut lab = Lab::new(config(1));
    let mut node = lab.boot_all().remove(0);
    let vm = lab.only_vm().name.clone();
    held(&mut lab, &vm);
    node.state = NodeState::Stopped;
    lab.list(std::slice::from_ref(&node));
    assert_eq!(state(&lab, &vm), RecordState::Held);
    assert_eq!(lab.vm(&vm).unwrap().suspect.as_deref(), Some("its node is stopped"));
    assert_eq!(unhold(&mut lab, &vm), Answer::Accepted);
    assert_eq!(state(&lab, &vm), RecordState::Terminating);
}

#[test]
fn a_vm_that_is_to_be_held_after_its_check_is_kept_although_its_node_is_off() {
    let mut lab = Lab::new(with_check(config(1)));
    let mut node = lab.created(NodeState::Running);
    let vm = lab.only_vm().name.clone();
    held(&mut lab, &vm);
    node.state = NodeState::Stopped;
    lab.list(std::slice::from_ref(&node));
    lab.checked(Err("refused"));
    assert_eq!(state(&lab, &vm), RecordState::Held);
}

#[test]
fn a_vm_that_was_used_max_uses_times_is_not_used_again_after_it_was_held() {
    let (mut lab, vm) = ready(|pool| {
        pool.on_release = OnRelease::Reuse;
        pool.max_uses = Some(1);
    });
    let lease = lab.granted(wish("r1", "ann")).lease;
    held(&mut lab, &vm);
    lab.release(&lease);
    assert_eq!(state(&lab, &vm), RecordState::Held);
    assert_eq!(unhold(&mut lab, &vm), Answer::Accepted);
    assert_eq!(state(&lab, &vm), RecordState::Terminating);
}

#[test]
fn a_held_vm_is_terminated_by_an_operator() {
    let (mut lab, vm) = ready(|_| {});
    held(&mut lab, &vm);
    let terminate =
        Input::Terminate { vm: vm.clone(), only_if: Some(RecordState::Held), reason: String::new() };
    assert_eq!(lab.step(terminate), Answer::Accepted);
    assert_eq!(state(&lab, &vm), RecordState::Terminating);
}

#[test]
fn holding_again_for_less_ends_it_earlier() {
    let (mut lab, vm) = ready(|_| {});
    held(&mut lab, &vm);
    assert_eq!(lab.step(hold(&vm, Some(seconds(100)))), Answer::Accepted);
    lab.pass(seconds(99));
    assert_eq!(state(&lab, &vm), RecordState::Held);
    lab.pass(seconds(1));
    assert_eq!(state(&lab, &vm), RecordState::Terminating);
}

#[test]
fn a_vm_that_was_leased_is_not_used_again_after_it_was_held_where_a_release_destroys() {
    for expires in [true, false] {
        let (mut lab, vm) = ready(|pool| pool.on_release = OnRelease::Destroy);
        let lease = lab.granted(wish("r1", "ann")).lease;
        held(&mut lab, &vm);
        match expires {
            true => lab.pass(seconds(600)),
            false => lab.release(&lease),
        }
        assert_eq!(unhold(&mut lab, &vm), Answer::Accepted);
        let record = lab.vm(&vm).unwrap();
        let why = "it is no longer held, and it was leased (on_release = destroy)";
        assert_eq!((record.state, record.problem.as_deref()), (RecordState::Terminating, Some(why)));
    }
}

#[test]
fn a_vm_that_was_never_leased_or_was_cleaned_is_used_again_after_it_was_held() {
    let (mut lab, vm) = ready(|pool| pool.on_release = OnRelease::Destroy);
    held(&mut lab, &vm);
    assert_eq!(unhold(&mut lab, &vm), Answer::Accepted);
    assert_eq!(state(&lab, &vm), RecordState::CheckHealth);

    let (mut lab, vm) = ready(|pool| {
        pool.on_release = OnRelease::Clean;
        pool.hooks.before_release = hook();
    });
    let lease = lab.granted(wish("r1", "ann")).lease;
    lab.release(&lease);
    held(&mut lab, &vm);
    lab.hooked(Ok(()));
    assert_eq!(state(&lab, &vm), RecordState::Held);
    assert_eq!(unhold(&mut lab, &vm), Answer::Accepted);
    assert_eq!(state(&lab, &vm), RecordState::CheckHealth);
}
