//! Several VMs in one request: all at once or none, and nobody starves.

use vmpool_engine::{Answer, Input, Refusal};
use vmpool_model::{RecordState, RequestStatus};

use crate::{
    farm::{
        count, farm, given, grants, id, kept, of, on_demand, refusal, release, renew, served, spec, waits,
        wish,
    },
    lab::{Lab, config, seconds},
};

/// A pool of this size that is filled at once, and whose VMs are destroyed after use.
fn fresh(size: u32) -> vmpool_model::config::PoolConfig {
    let mut config = config(size);
    config.max_starting = size;
    config
}

fn status(lab: &Lab, request: &str) -> RequestStatus {
    lab.engine.requests().find(|one| one.id.as_str() == request).unwrap().status.clone()
}

#[test]
fn all_vms_are_given_at_once_from_several_pools() {
    let mut lab = farm([("a", fresh(2)), ("b", fresh(2))]);
    assert_eq!(given(&mut lab, wish("r1", "ann", ["b", "a"]).with_count(3)), ["b", "b", "a"]);
    assert_eq!(lab.counts([RecordState::InUse]), [3]);
}

#[test]
fn fewer_than_are_wanted_are_given_to_nobody() {
    let mut lab = farm([("a", fresh(2))]);
    given(&mut lab, wish("r1", "ann", ["a"]));
    let told = refusal(&mut lab, wish("r2", "ann", ["a"]).with_count(2).with_wait(seconds(0)));
    assert!(matches!(told, Refusal::NoVmAvailable { .. }), "{told}");
    waits(&mut lab, wish("r3", "ann", ["a"]).with_count(2));
    assert_eq!(lab.counts([RecordState::InUse, RecordState::Ready]), [1, 1]);
}

#[test]
fn as_many_vms_are_made_as_are_wanted() {
    let mut lab = farm([("a", on_demand(9))]);
    waits(&mut lab, wish("r1", "ann", ["a"]).with_count(3));
    assert_eq!(lab.creates(), 3);
    lab.created(vmpool_model::states::NodeState::Running);
    waits(&mut lab, wish("r2", "bob", ["a"]).with_count(2));
    assert_eq!((lab.creates(), lab.counts([RecordState::InUse])), (4, [0]));
    lab.boot_all();
    assert_eq!(served(&lab), ["r1", "r2"]);
    assert_eq!((lab.vms().count(), lab.counts([RecordState::InUse])), (5, [5]));
}

#[test]
fn what_is_free_is_set_aside_for_who_needs_more_and_comes_first() {
    let mut lab = farm([("a", fresh(2)), ("b", fresh(1))]);
    given(&mut lab, wish("r1", "ann", ["a"]));
    waits(&mut lab, wish("big", "bob", ["a"]).with_count(2));
    waits(&mut lab, wish("small", "ann", ["a"]));
    assert_eq!(lab.counts([RecordState::Ready]), [2], "ann has one already, so bob comes first");
    assert_eq!(given(&mut lab, wish("other", "ann", ["a", "b"])), ["b"], "what bob does not want");
    release(&mut lab, "r1");
    renew(&mut lab);
    assert_eq!(served(&lab).first(), Some(&"big"));
}

#[test]
fn who_comes_first_gets_what_another_one_waits_to_have_enough_of() {
    let mut lab = farm([("a", fresh(2))]);
    given(&mut lab, wish("r1", "ann", ["a"]));
    waits(&mut lab, wish("big", "ann", ["a"]).with_count(2));
    assert_eq!(given(&mut lab, wish("small", "bob", ["a"])), ["a"], "bob holds less than ann");
}

#[test]
fn a_big_request_is_not_starved_by_small_ones() {
    let mut lab = farm([("a", fresh(3))]);
    for request in ["s0", "s1", "s2"] {
        given(&mut lab, wish(request, request, ["a"]));
    }
    waits(&mut lab, wish("big", "bob", ["a"]).with_count(3));
    for round in 0..3 {
        // Somebody new comes whenever somebody goes.
        waits(&mut lab, wish(&format!("s{}", round + 3), &format!("new{round}"), ["a"]));
        assert_eq!(served(&lab), Vec::<&str>::new());
        release(&mut lab, &format!("s{round}"));
        renew(&mut lab);
    }
    assert_eq!(served(&lab), ["big"]);
}

#[test]
fn two_that_want_more_than_half_of_all_are_served_one_after_the_other() {
    let mut lab = farm([("a", fresh(2)), ("b", fresh(2))]);
    given(&mut lab, wish("r1", "cat", ["a"]));
    given(&mut lab, wish("r2", "cat", ["b"]));
    waits(&mut lab, wish("first", "ann", ["a", "b"]).with_count(3));
    waits(&mut lab, wish("second", "bob", ["b", "a"]).with_count(3));
    release(&mut lab, "r1");
    renew(&mut lab);
    assert_eq!((served(&lab), lab.counts([RecordState::InUse])), (vec!["first"], [4]));
}

#[test]
fn who_may_not_have_as_many_sets_nothing_aside() {
    let mut spec = spec([("a", fresh(2))]);
    spec.limits.max_per_owner = Some(2);
    let mut lab = of(spec);
    given(&mut lab, wish("r1", "ann", ["a"]));
    waits(&mut lab, wish("big", "ann", ["a"]).with_count(2).with_priority(9));
    assert_eq!(given(&mut lab, wish("small", "bob", ["a"])), ["a"]);
}

#[test]
fn own_requests_that_come_later_do_not_use_up_what_the_limit_leaves() {
    let mut spec = spec([("a", fresh(1)), ("b", on_demand(1)), ("c", fresh(1))]);
    spec.limits.max_per_owner = Some(2);
    let mut lab = of(spec);
    waits(&mut lab, wish("big", "ann", ["a", "b"]).with_count(2));
    waits(&mut lab, wish("small", "ann", ["c"]));
    lab.boot_all();
    assert_eq!(served(&lab), ["big"]);
}

#[test]
fn a_request_has_ended_once_the_last_of_its_leases_has() {
    let mut lab = farm([("a", kept(2))]);
    let all = grants(&mut lab, wish("r1", "ann", ["a"]).with_count(2));
    lab.release(&all[0].lease);
    assert!(matches!(status(&lab, "r1"), RequestStatus::Granted { leases } if leases.len() == 2));
    assert_eq!(grants(&mut lab, wish("r1", "ann", ["a"]).with_count(2)), [all[1].clone()], "what lasts");
    lab.restart();
    lab.pass(seconds(1));
    lab.release(&all[1].lease);
    let RequestStatus::Ended { lease, .. } = status(&lab, "r1") else { panic!() };
    assert_eq!(lease, all[1].lease.id);
}

#[test]
fn cancelling_a_request_that_was_served_gives_back_all_that_lasts() {
    let mut lab = farm([("a", kept(3))]);
    let all = grants(&mut lab, wish("r1", "ann", ["a"]).with_count(3));
    lab.release(&all[0].lease);
    assert_eq!(lab.step(Input::Cancel(id("r1"))), Answer::Accepted);
    assert_eq!((lab.engine.leases().count(), lab.counts([RecordState::Ready])), (0, [3]));
}

#[test]
fn what_was_set_aside_is_free_when_the_request_is_cancelled() {
    let mut lab = farm([("a", fresh(2))]);
    given(&mut lab, wish("r1", "ann", ["a"]));
    waits(&mut lab, wish("big", "bob", ["a"]).with_count(2));
    waits(&mut lab, wish("small", "ann", ["a"]));
    assert_eq!(lab.step(Input::Cancel(id("big"))), Answer::Accepted);
    assert_eq!(served(&lab), ["small"]);
}

#[test]
fn used_vms_of_others_make_room_for_as_many_as_are_missing() {
    let mut lab = farm([("a", kept(4))]);
    given(&mut lab, wish("r1", "ann", ["a"]).with_count(3));
    release(&mut lab, "r1");
    waits(&mut lab, wish("big", "bob", ["a"]).with_count(3));
    assert_eq!(count(&lab, "a", RecordState::Terminating), 2, "one is ready for him already");
}
