//! Leases: renewed, given back once, expired, doubted, numbered.

use vmpool_engine::{Answer, Input, Refusal};
use vmpool_model::{EventKind, Lease, LeaseEnd, RecordState, config::OnRelease, states::NodeState};

use crate::lab::{Lab, config, seconds, wish};

fn renew(lab: &mut Lab, lease: &Lease) -> Answer {
    lab.step(Input::Renew { lease: lease.id.clone(), fence: None, ttl: None })
}

#[test]
fn f8_a_lease_that_nobody_renews_expires_and_its_vm_is_not_used_again() {
    let mut pool = config(1);
    pool.on_release = OnRelease::Reuse;
    let mut lab = Lab::ready(pool);
    let lease = lab.granted(wish("r1", "ann")).lease;
    lab.pass(seconds(599));
    assert_eq!(lab.only_vm().state, RecordState::InUse);
    lab.pass(seconds(1));
    assert_eq!(lab.only_vm().state, RecordState::Terminating);
    assert_eq!(lab.happened(EventKind::LeaseExpired), 1);
    let (vm, at) = (lease.vm, lab.now);
    assert_eq!(
        lab.refused(Input::Release { lease: lease.id.clone(), fence: None }),
        Refusal::LeaseEnded { lease: lease.id, vm, at, how: LeaseEnd::Expired }
    );
}

#[test]
fn a_lease_is_found_until_it_ends_and_its_request_while_it_is_remembered() {
    let mut lab = Lab::ready(config(1));
    let lease = lab.granted(wish("r1", "ann")).lease;
    assert_eq!(lab.engine.lease(&lease.id), Some(&lease));
    lab.release(&lease);
    assert_eq!(lab.engine.lease(&lease.id), None);
    assert_eq!(lab.engine.request(&lease.request).map(|request| &request.owner), Some(&lease.owner));
    lab.pass(seconds(600));
    assert_eq!(lab.engine.request(&lease.request), None);
}

#[test]
fn a_renewed_lease_lasts_its_time_anew() {
    let mut lab = Lab::ready(config(1));
    let lease = lab.granted(wish("r1", "ann").with_ttl(Some(seconds(100)))).lease;
    lab.pass(seconds(90));
    let Answer::Renewed(renewed) = renew(&mut lab, &lease) else { panic!() };
    assert_eq!(renewed.expires_at, lab.now + seconds(100));
    lab.pass(seconds(99));
    assert_eq!(lab.only_vm().state, RecordState::InUse);
    lab.pass(seconds(1));
    assert_eq!(lab.only_vm().state, RecordState::Terminating);
}

#[test]
fn a_renewal_may_change_the_time_to_live_within_its_limits() {
    let mut lab = Lab::ready(config(1));
    let lease = lab.granted(wish("r1", "ann")).lease;
    for ttl in [seconds(0), seconds(86_401)] {
        let refusal = lab.refused(Input::Renew { lease: lease.id.clone(), fence: None, ttl: Some(ttl) });
        assert!(matches!(refusal, Refusal::TtlOutOfRange { .. }), "{refusal}");
    }
    let longest = Input::Renew { lease: lease.id.clone(), fence: None, ttl: Some(seconds(86_400)) };
    assert!(matches!(lab.step(longest), Answer::Renewed(_)));
    let answer = lab.step(Input::Renew { lease: lease.id.clone(), fence: None, ttl: Some(seconds(5)) });
    let Answer::Renewed(renewed) = answer else { panic!("{answer:?}") };
    assert_eq!((renewed.ttl, renewed.expires_at), (seconds(5), lab.now + seconds(5)));
    let Answer::Renewed(renewed) = renew(&mut lab, &lease) else { panic!() };
    assert_eq!(renewed.ttl, seconds(5), "the new time to live stays");
}

#[test]
fn a_renewal_at_the_moment_of_expiry_is_too_late() {
    let mut lab = Lab::ready(config(1));
    let lease = lab.granted(wish("r1", "ann")).lease;
    lab.now = lease.expires_at;
    assert!(matches!(renew(&mut lab, &lease), Answer::Refused(Refusal::LeaseEnded { .. })));
    assert_eq!(lab.only_vm().state, RecordState::Terminating);
}

#[test]
fn c18_a_lease_is_released_once() {
    let mut lab = Lab::ready(config(1));
    let lease = lab.granted(wish("r1", "ann")).lease;
    lab.release(&lease);
    let refusal = lab.refused(Input::Release { lease: lease.id.clone(), fence: None });
    let (vm, at) = (lease.vm, lab.now);
    assert_eq!(refusal, Refusal::LeaseEnded { lease: lease.id, vm, at, how: LeaseEnd::Released });
    assert_eq!(lab.happened(EventKind::LeaseReleased), 1);
}

#[test]
fn a_stale_lease_neither_renews_nor_releases_the_next_lease_of_the_same_vm() {
    let mut pool = config(1);
    pool.on_release = OnRelease::Reuse;
    let mut lab = Lab::ready(pool);
    let old = lab.granted(wish("r1", "ann")).lease;
    lab.release(&old);
    let new = lab.granted(wish("r2", "ann")).lease;
    assert_eq!(new.vm, old.vm);
    assert!(old.fence < new.fence);
    assert!(matches!(renew(&mut lab, &old), Answer::Refused(Refusal::LeaseEnded { .. })));
    assert!(matches!(
        lab.step(Input::Release { lease: old.id, fence: None }),
        Answer::Refused(Refusal::LeaseEnded { .. })
    ));
    assert_eq!(lab.only_vm().lease, Some(new.id));
}

#[test]
fn a_released_vm_is_destroyed_unless_the_pool_reuses() {
    let mut lab = Lab::ready(config(1));
    let lease = lab.granted(wish("r1", "ann")).lease;
    lab.release(&lease);
    assert_eq!(lab.only_vm().state, RecordState::Terminating);
    assert_eq!(lab.destroys(), 1);
}

#[test]
fn a_released_vm_of_a_pool_that_reuses_is_ready_for_its_user() {
    let mut pool = config(1);
    pool.on_release = OnRelease::Reuse;
    let mut lab = Lab::ready(pool);
    let lease = lab.granted(wish("r1", "ann")).lease;
    lab.release(&lease);
    let vm = lab.only_vm();
    assert_eq!((vm.state, vm.uses, vm.is_clean()), (RecordState::Ready, 1, false));
    assert_eq!(vm.last_release, Some(lab.now));
}

#[test]
fn a_leased_vm_whose_node_is_off_is_doubted_and_not_destroyed() {
    let mut pool = config(1);
    pool.on_release = OnRelease::Reuse;
    let mut lab = Lab::new(pool);
    let mut node = lab.boot_all().remove(0);
    let lease = lab.granted(wish("r1", "ann")).lease;
    for state in [NodeState::Stopped, NodeState::Error, NodeState::Terminated] {
        node.state = state;
        lab.list(std::slice::from_ref(&node));
        assert_eq!(lab.only_vm().state, RecordState::InUse, "{state}");
        assert_eq!(lab.only_vm().suspect, Some(format!("its node is {state}")));
    }
    assert_eq!(lab.happened(EventKind::VmSuspect), 3);
    lab.release(&lease);
    assert!(lab.vms().next().is_none_or(|vm| vm.name != lease.vm), "a dead node is not used again");
}

#[test]
fn a_doubted_vm_whose_node_runs_again_is_trusted_again() {
    let mut pool = config(1);
    pool.on_release = OnRelease::Reuse;
    let mut lab = Lab::new(pool);
    let node = lab.boot_all().remove(0);
    let lease = lab.granted(wish("r1", "ann")).lease;
    lab.list_until_looked_up(&[]);
    lab.got(Ok(None));
    assert!(lab.only_vm().suspect.is_some());
    lab.list(std::slice::from_ref(&node));
    assert_eq!(lab.only_vm().suspect, None);
    lab.release(&lease);
    assert_eq!(lab.only_vm().state, RecordState::Ready);
}

#[test]
fn f8_leases_outlive_a_restart_by_a_grace() {
    let mut lab = Lab::ready(config(3));
    let short = lab.granted(wish("r1", "ann")).lease;
    let long = lab.granted(wish("r2", "ann").with_ttl(Some(seconds(80_000)))).lease;
    lab.now = lab.now + seconds(599);
    lab.granted(wish("r3", "ann"));
    lab.restart();
    let expiries: Vec<_> = lab.engine.leases().map(|lease| (lease.id.clone(), lease.expires_at)).collect();
    assert!(expiries.contains(&(short.id.clone(), lab.now + seconds(30))), "{expiries:?}");
    assert!(expiries.contains(&(long.id, long.expires_at)), "{expiries:?}");
    lab.pass(seconds(29));
    assert!(matches!(renew(&mut lab, &short), Answer::Renewed(_)));
    lab.pass(seconds(599));
    assert_eq!(lab.counts([RecordState::InUse]), [2]);
}

#[test]
fn f10_a_lease_loses_nothing_to_a_clock_that_is_set_forth_by_less_than_its_time() {
    let mut lab = Lab::ready(config(1));
    let lease = lab.granted(wish("r1", "ann")).lease;
    lab.pass(seconds(200));
    assert!(matches!(renew(&mut lab, &lease), Answer::Renewed(_)));
    lab.now = lab.now + seconds(500);
    lab.restart();
    lab.pass(seconds(599));
    assert!(matches!(renew(&mut lab, &lease), Answer::Renewed(_)));
    lab.pass(seconds(600));
    assert_eq!(lab.counts([RecordState::InUse]), [0]);
}

#[test]
fn f10_a_lease_that_seems_to_have_expired_over_a_restart_gets_all_of_its_time_again() {
    let mut lab = Lab::ready(config(1));
    let lease = lab.granted(wish("r1", "ann")).lease;
    lab.now = lab.now + seconds(365 * 86_400);
    lab.restart();
    lab.pass(seconds(599));
    assert!(matches!(renew(&mut lab, &lease), Answer::Renewed(_)));
    lab.pass(seconds(600));
    assert_eq!(lab.counts([RecordState::InUse]), [0]);
}

#[test]
fn the_numbers_of_leases_grow_over_a_restart() {
    let mut lab = Lab::ready(config(2));
    let before = lab.granted(wish("r1", "ann")).lease;
    lab.restart();
    let after = lab.granted(wish("r2", "ann")).lease;
    assert!(before.fence < after.fence);
    assert_ne!(before.id, after.id);
}

#[test]
fn an_ended_lease_is_unknown_once_its_request_is_forgotten() {
    let mut lab = Lab::ready(config(1));
    let lease = lab.granted(wish("r1", "ann")).lease;
    lab.release(&lease);
    lab.pass(seconds(600));
    let refusal = lab.refused(Input::Release { lease: lease.id.clone(), fence: None });
    assert_eq!(refusal, Refusal::UnknownLease { lease: lease.id });
}

#[test]
fn how_a_lease_ended_is_known_after_a_restart() {
    let mut lab = Lab::ready(config(1));
    let lease = lab.granted(wish("r1", "ann")).lease;
    lab.release(&lease);
    let at = lab.now;
    lab.restart();
    let refusal = lab.refused(Input::Renew { lease: lease.id.clone(), fence: None, ttl: None });
    assert_eq!(
        refusal.to_string(),
        format!(
            "lease {} of VM {} ended at {at}, because it was released: the VM must not be used any more, acquire \
             another one",
            lease.id, lease.vm
        )
    );
}

#[test]
fn f8_a_holder_that_tells_the_fence_of_an_older_lease_is_refused_and_changes_nothing() {
    let mut lab = Lab::ready(config(1));
    let lease = lab.granted(wish("r1", "ann")).lease;
    let stale = lease.fence - 1;
    let expected = Refusal::StaleFence { lease: lease.id.clone(), told: stale, current: lease.fence };
    lab.pass(seconds(10));
    let renewal = Input::Renew { lease: lease.id.clone(), fence: Some(stale), ttl: None };
    assert_eq!(lab.refused(renewal), expected);
    assert_eq!(lab.refused(Input::Release { lease: lease.id.clone(), fence: Some(stale) }), expected);
    assert_eq!(lab.engine.leases().next(), Some(&lease));
    let renewal = Input::Renew { lease: lease.id.clone(), fence: Some(lease.fence), ttl: None };
    assert!(matches!(lab.step(renewal), Answer::Renewed(_)));
    let release = Input::Release { lease: lease.id.clone(), fence: Some(lease.fence) };
    assert_eq!(lab.step(release), Answer::Accepted);
}

#[test]
fn a_holder_learns_by_renewing_that_its_vm_is_doubted_and_that_it_no_longer_is() {
    let mut lab = Lab::new(config(1));
    let mut node = lab.boot_all().remove(0);
    let lease = lab.granted(wish("r1", "ann")).lease;
    for (state, suspect) in
        [(NodeState::Stopped, Some("its node is stopped".to_owned())), (NodeState::Running, None)]
    {
        node.state = state;
        lab.list(std::slice::from_ref(&node));
        let Answer::Renewed(renewed) = renew(&mut lab, &lease) else { panic!() };
        assert_eq!(renewed.suspect, suspect);
    }
}

#[test]
fn a_holder_learns_after_a_restart_what_its_vm_was_suspected_of_before() {
    let mut lab = Lab::new(config(1));
    let mut node = lab.boot_all().remove(0);
    let lease = lab.granted(wish("r1", "ann")).lease;
    node.state = NodeState::Stopped;
    lab.list(std::slice::from_ref(&node));
    // So did the version before, whose leases did not tell.
    lab.damage(|_, leases| leases.values_mut().for_each(|lease| lease.suspect = None));
    lab.restart();
    let Answer::Renewed(renewed) = renew(&mut lab, &lease) else { panic!() };
    assert_eq!(renewed.suspect.as_deref(), Some("its node is stopped"));
}
