//! Destroying: asked for, refused, repeated, proven.

use std::time::Duration;

use vmpool_engine::{Answer, Input, Refusal};
use vmpool_model::{
    EventKind, Failure, FailureKind, LeaseEnd, RecordState, VmName, config::OnRelease, states::NodeState,
};

use crate::lab::{Lab, config, seconds, timeout, wish};

fn terminate(lab: &mut Lab, vm: &VmName) -> Answer {
    lab.step(Input::Terminate { vm: vm.clone(), only_if: None, reason: "an operator says so".to_owned() })
}

/// One VM that is being destroyed, and whose provider was asked for that.
fn doomed() -> (Lab, vmpool_model::Node) {
    let mut lab = Lab::new(config(1));
    let node = lab.boot_all().remove(0);
    let name = lab.only_vm().name.clone();
    assert_eq!(terminate(&mut lab, &name), Answer::Accepted);
    (lab, node)
}

#[test]
fn c19_a_termination_asks_the_provider_once() {
    let (lab, node) = doomed();
    assert_eq!(lab.only_vm().state, RecordState::Terminating);
    assert_eq!(lab.destroys(), 1);
    assert_eq!(lab.only_vm().node.as_ref().unwrap().id, node.id);
}

#[test]
fn c21_a_second_termination_is_refused_and_changes_nothing() {
    let (mut lab, _) = doomed();
    let before = lab.only_vm().clone();
    let Answer::Refused(refusal) = terminate(&mut lab, &before.name) else { panic!() };
    assert!(matches!(refusal, Refusal::InvalidState { state: RecordState::Terminating, .. }), "{refusal}");
    assert_eq!((lab.destroys(), lab.happened(EventKind::VmTerminating)), (1, 1));
    assert_eq!(*lab.only_vm(), before);
}

fn terminate_if(lab: &mut Lab, vm: &VmName, state: RecordState) -> Answer {
    lab.step(Input::Terminate { vm: vm.clone(), only_if: Some(state), reason: "again".to_owned() })
}

#[test]
fn c20_a_termination_that_is_to_be_repeated_asks_the_provider_once_more() {
    let (mut lab, _) = doomed();
    let name = lab.only_vm().name.clone();
    assert_eq!(terminate_if(&mut lab, &name, RecordState::Terminating), Answer::Accepted);
    assert_eq!(lab.destroys(), 1, "that is under way");
    for result in [Ok(()), Err(timeout())] {
        lab.destroyed(result);
        assert_eq!(lab.destroys(), 0);
        assert_eq!(terminate_if(&mut lab, &name, RecordState::Terminating), Answer::Accepted);
        assert_eq!(lab.destroys(), 1);
    }
}

#[test]
fn c22_a_vm_in_another_state_than_the_expected_one_is_not_terminated() {
    let mut lab = Lab::ready(config(1));
    let before = lab.only_vm().clone();
    let Answer::Refused(refusal) = terminate_if(&mut lab, &before.name, RecordState::InUse) else { panic!() };
    assert_eq!(
        refusal.to_string(),
        format!("VM {} is ready: it was to be terminated only if it were in_use", before.name)
    );
    assert_eq!((lab.only_vm(), lab.destroys()), (&before, 0));
    assert_eq!(terminate_if(&mut lab, &before.name, RecordState::Ready), Answer::Accepted);
    assert_eq!(lab.destroys(), 1);
}

#[test]
fn c36_c37_c38_a_vm_that_is_destroyed_for_too_long_is_reported_and_destroyed_again() {
    let (mut lab, node) = doomed();
    let still_there = std::slice::from_ref(&node);
    lab.destroyed(Ok(()));
    let (mut reports, mut asked) = (Vec::new(), 1);
    for _ in 0..1000 {
        lab.list(still_there);
        reports.push(lab.happened(EventKind::VmStuck));
        if lab.destroys() != 0 {
            assert_eq!(lab.destroyed(Ok(())), node.id);
            asked += 1;
        }
    }
    // After 1, 2, 4 and then every 8 minutes of the 10,000 s, or a little later.
    assert!((15..=24).contains(&asked), "it was asked for {asked} times");
    let seconds_of = |count| 10 * (1 + reports.iter().position(|reports| *reports == count).unwrap());
    let first = seconds_of(1);
    assert!((600..=620).contains(&first), "terminating_timeout is 10 min: {first}");
    let (second, third) = (seconds_of(2), seconds_of(3));
    assert!((1200..=1240).contains(&second) && (2400..=2480).contains(&third), "{second} {third}");
    assert_eq!(lab.only_vm().state, RecordState::Terminating, "it is there, and so is its record");
    lab.list(&[]);
    lab.list(&[]);
    assert_eq!(lab.happened(EventKind::VmGone), 1);
}

#[test]
fn f4_a_node_that_stays_is_destroyed_again_with_growing_pauses() {
    let (mut lab, _) = doomed();
    for least in [60, 120, 240, 480, 480] {
        lab.destroyed(Ok(()));
        lab.pass(seconds(least - 1));
        assert_eq!(lab.destroys(), 0, "{least}");
        lab.pass(seconds(1));
        assert_eq!(lab.destroys(), 1, "{least}");
    }
}

#[test]
fn c39_c40_w13_f16_a_vm_whose_address_another_one_has_too_is_never_dropped_for_that() {
    let mut lab = Lab::new(config(2));
    let mut nodes = lab.boot_all();
    nodes[1].public_ips = nodes[0].public_ips.clone();
    let name = VmName::new(&nodes[0].name).unwrap();
    lab.list(&nodes);
    assert_eq!(terminate(&mut lab, &name), Answer::Accepted);
    lab.destroyed(Ok(()));
    for _ in 0..200 {
        lab.list(&nodes);
    }
    assert_eq!(lab.vm(&name).unwrap().state, RecordState::Terminating);
    assert_eq!((lab.destroys(), lab.happened(EventKind::VmStuck)), (1, 2), "it is asked for again");
    let other = VmName::new(&nodes[1].name).unwrap();
    assert_eq!(lab.vm(&other).unwrap().state, RecordState::Ready);
}

#[test]
fn c19_every_state_but_terminating_can_be_terminated() {
    let mut lab = Lab::new(crate::lab::with_check(config(1)));
    let name = lab.only_vm().name.clone();
    assert_eq!(terminate_if(&mut lab, &name, RecordState::Spawning), Answer::Accepted);
    use RecordState as S;
    for state in [S::GotIp, S::CheckHealth, S::CheckHealthFailed, S::Ready, S::InUse] {
        let mut pool = crate::lab::with_check(config(1));
        pool.hooks.after_boot = if state == S::GotIp { crate::lab::hook() } else { None };
        let mut lab = Lab::new(pool);
        lab.created(NodeState::Running);
        match state {
            S::CheckHealthFailed => lab.checked(Err("refused")),
            S::Ready | S::InUse => lab.checked(Ok(())),
            _ => {}
        }
        if state == S::InUse {
            lab.granted(wish("r1", "ann"));
        }
        let name = lab.only_vm().name.clone();
        assert_eq!(terminate_if(&mut lab, &name, state), Answer::Accepted, "{state}");
        assert_eq!((lab.destroys(), lab.only_vm().state), (1, S::Terminating), "{state}");
        assert_eq!(lab.happened(EventKind::VmTerminating), 1, "{state}");
    }
}

#[test]
fn a_vm_that_does_not_exist_is_not_terminated() {
    let mut lab = Lab::ready(config(1));
    let name = VmName::new("small-nothing").unwrap();
    assert_eq!(terminate(&mut lab, &name), Answer::Refused(Refusal::UnknownVm { vm: name }));
}

#[test]
fn c22_a_leased_vm_is_terminated_by_an_operator_and_its_lease_ends() {
    let mut lab = Lab::ready(config(1));
    let lease = lab.granted(wish("r1", "ann")).lease;
    assert_eq!(terminate(&mut lab, &lease.vm), Answer::Accepted);
    assert_eq!(lab.engine.leases().count(), 0);
    assert_eq!(lab.happened(EventKind::LeaseReleased), 1);
    let (vm, at) = (lease.vm, lab.now);
    assert_eq!(
        lab.refused(Input::Release { lease: lease.id.clone(), fence: None }),
        Refusal::LeaseEnded { lease: lease.id, vm, at, how: LeaseEnd::Terminated }
    );
}

#[test]
fn a_vm_without_an_answer_to_its_create_is_destroyed_once_its_node_is_known() {
    let mut lab = Lab::new(config(1));
    let name = lab.only_vm().name.clone();
    assert_eq!(terminate(&mut lab, &name), Answer::Accepted);
    assert_eq!(lab.destroys(), 0);
    let node = lab.created(NodeState::Pending);
    assert_eq!(lab.destroyed(Ok(())), node.id);
}

#[test]
fn a_vm_that_was_never_made_vanishes_at_once() {
    let mut lab = Lab::new(config(1));
    let name = lab.only_vm().name.clone();
    assert_eq!(terminate(&mut lab, &name), Answer::Accepted);
    lab.not_created(crate::lab::quota());
    assert!(lab.vm(&name).is_none());
}

#[test]
fn a_vm_whose_create_is_unknown_vanishes_when_a_look_up_proves_that_there_is_no_node() {
    let mut lab = Lab::new(config(1));
    let name = lab.only_vm().name.clone();
    assert_eq!(terminate(&mut lab, &name), Answer::Accepted);
    lab.not_created(timeout());
    assert!(lab.vm(&name).is_some());
    lab.pass(seconds(2));
    lab.found(vec![]);
    assert!(lab.vm(&name).is_none());
}

#[test]
fn f4_a_vm_is_gone_only_when_a_complete_listing_after_its_destruction_lacks_it() {
    let (mut lab, node) = doomed();
    let name = lab.only_vm().name.clone();
    let still_there = std::slice::from_ref(&node);
    lab.list(&[]);
    assert!(lab.vm(&name).is_some(), "nobody destroyed it yet");
    lab.pass(seconds(11));
    lab.destroyed(Ok(()));
    lab.list(&[]);
    assert!(lab.vm(&name).is_some(), "the listing was asked for before it was destroyed");
    lab.list(still_there);
    assert!(lab.vm(&name).is_some());
    lab.list_partially(&[]);
    assert!(lab.vm(&name).is_some(), "the listing may lack nodes");
    lab.listed(Err(timeout()));
    assert!(lab.vm(&name).is_some());
    lab.list(&[]);
    assert!(lab.vm(&name).is_none());
    assert_eq!(lab.happened(EventKind::VmGone), 1);
}

#[test]
fn f4_a_listing_that_was_asked_for_in_the_same_millisecond_but_before_proves_nothing() {
    let mut lab = Lab::new(config(1));
    lab.boot_all();
    let name = lab.only_vm().name.clone();
    assert_eq!(terminate(&mut lab, &name), Answer::Accepted);
    lab.destroyed(Ok(()));
    lab.list(&[]);
    assert!(lab.vm(&name).is_some(), "it was asked for before there was a node");
    lab.list(&[]);
    assert!(lab.vm(&name).is_none());

    let mut lab = Lab::ready(config(1));
    let name = lab.only_vm().name.clone();
    lab.list(&[]);
    lab.pass(seconds(10));
    assert_eq!(terminate(&mut lab, &name), Answer::Accepted);
    lab.destroyed(Ok(()));
    lab.list(&[]);
    assert!(lab.vm(&name).is_some(), "it was asked for before the node was destroyed");
}

#[test]
fn f4_a_refused_destruction_is_repeated_with_growing_pauses_and_one_at_a_time() {
    let (mut lab, node) = doomed();
    for least in [1, 2, 4] {
        lab.destroyed(Err(timeout()));
        assert_eq!(lab.destroys(), 0);
        lab.list(std::slice::from_ref(&node));
        lab.pass(Duration::from_millis(least * 1000 - 1).saturating_sub(seconds(0)));
        if lab.destroys() == 0 {
            lab.pass(seconds(least) / 2 + Duration::from_millis(2));
        }
        assert_eq!(lab.destroys(), 1);
    }
    assert_eq!(lab.happened(EventKind::DestroyFailed), 3);
}

#[test]
fn f4_a_node_that_the_provider_does_not_know_is_gone_once_a_listing_agrees() {
    let (mut lab, _) = doomed();
    let name = lab.only_vm().name.clone();
    lab.destroyed(Err(Failure::not_applied(FailureKind::NotFound, "no such node")));
    assert!(lab.vm(&name).is_some());
    assert_eq!(lab.happened(EventKind::DestroyFailed), 0);
    lab.list(&[]);
    lab.list(&[]);
    assert!(lab.vm(&name).is_none());
}

#[test]
fn f4_a_destruction_that_was_accepted_and_not_done_is_repeated() {
    let (mut lab, node) = doomed();
    lab.destroyed(Ok(()));
    for _ in 0..6 {
        lab.list(std::slice::from_ref(&node));
    }
    lab.pass(seconds(15));
    assert_eq!(lab.destroys(), 1);
}

#[test]
fn a_node_that_the_provider_goes_on_listing_as_terminated_is_gone() {
    let (mut lab, mut node) = doomed();
    let name = lab.only_vm().name.clone();
    lab.destroyed(Ok(()));
    node.state = NodeState::Terminated;
    lab.list(&[node]);
    assert!(lab.vm(&name).is_none());
}

#[test]
fn a_leased_vm_whose_node_was_seen_terminated_is_gone_when_its_lease_ends() {
    let mut lab = Lab::new(config(1));
    let mut node = lab.boot_all().remove(0);
    let lease = lab.granted(wish("r1", "ann")).lease;
    node.state = NodeState::Terminated;
    lab.list(std::slice::from_ref(&node));
    assert_eq!(lab.only_vm().state, RecordState::InUse);
    lab.release(&lease);
    assert!(lab.vm(&lease.vm).is_none());
}

#[test]
fn a_vm_that_comes_up_terminated_is_gone_without_a_destruction() {
    let mut lab = Lab::new(config(1));
    let name = lab.only_vm().name.clone();
    lab.created(NodeState::Terminated);
    assert!(lab.vm(&name).is_none());
    assert_eq!(lab.destroys(), 0);
    assert!(lab.engine.pools()[0].paused_until.is_some());
}

#[test]
fn c29_c30_a_used_vm_whose_user_does_not_come_back_is_destroyed_after_dirty_timeout() {
    let mut pool = config(3);
    pool.on_release = OnRelease::Reuse;
    pool.dirty_timeout = seconds(100);
    pool.max_idle = seconds(100_000);
    let mut spec = crate::lab::spec(pool.clone());
    let other: vmpool_model::PoolName = "other".parse().unwrap();
    spec.pools.insert(other.clone(), pool);
    let mut lab = Lab::of(spec);
    lab.boot_all();
    // Of each pool one is used and released, one in use, and one clean.
    let pools = [crate::lab::pool(), other];
    let leases = [("r1", 0), ("r2", 0), ("r3", 1), ("r4", 1)].map(|(request, of)| {
        let mut wish = wish(request, "ann");
        wish.pools = vec![pools[of].clone()];
        lab.granted(wish).lease
    });
    let used = [&leases[0], &leases[2]];
    used.iter().for_each(|lease| lab.release(lease));
    lab.pass(seconds(99));
    assert_eq!(lab.counts([RecordState::Ready, RecordState::InUse]), [4, 2]);
    lab.pass(seconds(1));
    assert_eq!(lab.counts([RecordState::Terminating, RecordState::InUse, RecordState::Ready]), [2, 2, 2]);
    assert!(used.iter().all(|lease| lab.vm(&lease.vm).unwrap().state == RecordState::Terminating));
}

#[test]
fn a_vm_whose_node_is_listed_as_terminated_is_gone_before_its_destruction_is_answered() {
    let (mut lab, mut node) = doomed();
    node.state = NodeState::Terminated;
    let name = lab.only_vm().name.clone();
    lab.list(&[node]);
    assert_eq!((lab.destroys(), lab.vm(&name)), (1, None));
}

#[test]
fn a_vm_that_is_destroyed_for_too_long_is_reported_when_that_time_is_over() {
    let (mut lab, _) = doomed();
    let timeout = config(1).terminating_timeout;
    lab.pass(timeout - Duration::from_millis(1));
    assert_eq!(lab.happened(EventKind::VmStuck), 0);
    lab.pass(Duration::from_millis(1));
    assert_eq!(lab.happened(EventKind::VmStuck), 1);
}

#[test]
fn to_ask_again_for_an_end_that_is_under_way_forgets_nothing_of_it() {
    let (mut lab, node) = doomed();
    let name = lab.only_vm().name.clone();
    lab.destroyed(Ok(()));
    lab.list(std::slice::from_ref(&node));
    lab.pass(seconds(60));
    assert_eq!(lab.destroys(), 1, "it is listed for too long");
    let again =
        Input::Terminate { vm: name.clone(), only_if: Some(RecordState::Terminating), reason: String::new() };
    assert_eq!((lab.step(again), lab.destroys()), (Answer::Accepted, 1));
    lab.list(&[]);
    assert!(lab.vm(&name).is_none(), "it was accepted before, and now no listing shows it");
}
