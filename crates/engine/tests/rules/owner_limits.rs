//! What owners may hold: leases count, in the very step that gives them, and who is at its limit blocks nobody.

use vmpool_engine::{Answer, Input, Spec};
use vmpool_model::{RecordState, config::OnRelease};

use crate::{
    farm::{given, grants, kept, name, of, on_demand, owner, release, served, spec, waits, wish},
    lab::{Lab, config, seconds},
};

/// A pool of this size whose `max_per_owner` is given.
fn limited(size: u32, max_per_owner: u32) -> Lab {
    let mut pool = kept(size);
    pool.max_per_owner = Some(max_per_owner);
    of(spec([("a", pool)]))
}

fn with_limits(max_per_owner: Option<u32>, max_per_sub_owner: Option<u32>) -> Spec {
    let mut spec = spec([("a", kept(4)), ("b", kept(4))]);
    (spec.limits.max_per_owner, spec.limits.max_per_sub_owner) = (max_per_owner, max_per_sub_owner);
    spec
}

fn is_refused(lab: &mut Lab, request: &str, of: &str, pool: &str) -> bool {
    matches!(lab.acquire(wish(request, of, [pool]).with_wait(seconds(0))), Answer::Refused(_))
}

#[test]
fn c15_an_owner_gets_as_many_vms_as_it_may_and_no_more() {
    let mut lab = limited(4, 3);
    for request in ["r1", "r2", "r3"] {
        given(&mut lab, wish(request, "ann", ["a"]));
    }
    assert!(is_refused(&mut lab, "r4", "ann", "a"));
    given(&mut lab, wish("r5", "bob", ["a"]));
}

#[test]
fn c15_0_is_no_limit() {
    let mut lab = limited(3, 0);
    for request in ["r1", "r2", "r3"] {
        given(&mut lab, wish(request, "ann", ["a"]));
    }
}

#[test]
fn c17_with_a_limit_too_own_vms_are_used_again_before_clean_ones() {
    let mut lab = limited(2, 2);
    let first = grants(&mut lab, wish("r1", "bob", ["a"])).remove(0).lease.vm;
    release(&mut lab, "r1");
    assert_eq!(grants(&mut lab, wish("r2", "bob", ["a"])).remove(0).lease.vm, first);
    assert_ne!(grants(&mut lab, wish("r3", "bob", ["a"])).remove(0).lease.vm, first);
}

#[test]
fn at_its_limit_an_owner_does_not_get_its_own_used_vm_either() {
    let mut lab = limited(2, 1);
    given(&mut lab, wish("r1", "ann", ["a"]));
    release(&mut lab, "r1");
    given(&mut lab, wish("r2", "ann", ["a"]));
    assert!(is_refused(&mut lab, "r3", "ann", "a"), "it runs one");
}

#[test]
fn w10_neither_used_nor_ending_vms_count_against_their_owner() {
    let mut pool = kept(3);
    pool.max_per_owner = Some(1);
    let mut lab = of(spec([("a", pool)]));
    // One VM is kept for ann in one sandbox, and one is being destroyed.
    given(&mut lab, wish("r1", "ann", ["a"]).with_sandbox(crate::lab::sandbox("s")));
    release(&mut lab, "r1");
    given(&mut lab, wish("r2", "ann", ["a"]));
    let vm = lab.engine.leases().next().unwrap().vm.clone();
    let _ = lab.step(Input::Terminate { vm, only_if: None, reason: "test".to_owned() });
    let states = [RecordState::Ready, RecordState::Terminating];
    assert_eq!(lab.counts(states), [2, 1]);
    given(&mut lab, wish("r3", "ann", ["a"]));
}

#[test]
fn w2_of_many_requests_at_once_no_more_are_served_than_the_limit_allows() {
    let mut pool = config(0);
    (pool.max_total, pool.max_starting, pool.max_per_owner) = (Some(8), 8, Some(1));
    let mut lab = of(spec([("a", pool)]));
    for request in 0..8 {
        waits(&mut lab, wish(&format!("r{request}"), "ann", ["a"]));
    }
    assert_eq!(lab.creates(), 1, "the others need no VM");
    lab.boot_all();
    assert_eq!(served(&lab), ["r0"]);
    waits(&mut lab, wish("r8", "bob", ["a"]));
    lab.boot_all();
    assert_eq!(served(&lab), ["r0", "r8"]);
    release(&mut lab, "r0");
    lab.boot_all();
    assert_eq!(served(&lab), ["r0", "r8", "r1"]);
}

#[test]
fn a_limit_over_all_pools_counts_all_pools() {
    let mut lab = of(with_limits(Some(3), None));
    for (request, pool) in [("r1", "a"), ("r2", "b"), ("r3", "a")] {
        given(&mut lab, wish(request, "ann", [pool]));
    }
    assert!(is_refused(&mut lab, "r4", "ann", "b"));
    given(&mut lab, wish("r5", "bob", ["b"]));
}

#[test]
fn sub_owners_count_for_the_owner_above_them_and_have_limits_of_their_own() {
    let mut lab = of(with_limits(Some(3), Some(2)));
    given(&mut lab, wish("r1", "team/x", ["a"]));
    given(&mut lab, wish("r2", "team/x", ["b"]));
    assert!(is_refused(&mut lab, "r3", "team/x", "a"), "x holds two");
    given(&mut lab, wish("r4", "team/y", ["a"]));
    assert!(is_refused(&mut lab, "r5", "team/y", "a"), "the team holds three");
    assert!(is_refused(&mut lab, "r6", "team", "a"));
    given(&mut lab, wish("r7", "other/x", ["a"]));
}

#[test]
fn in_one_pool_sub_owners_count_for_the_owner_above_them() {
    let mut lab = limited(4, 2);
    given(&mut lab, wish("r1", "team/x", ["a"]));
    given(&mut lab, wish("r2", "team/y", ["a"]));
    assert!(is_refused(&mut lab, "r3", "team/z", "a"));
}

#[test]
fn who_is_at_its_limit_blocks_nobody_and_is_served_once_it_is_not() {
    let mut pool = on_demand(3);
    (pool.max_per_owner, pool.on_release) = (Some(1), OnRelease::Destroy);
    let mut lab = of(spec([("a", pool)]));
    for (request, who) in [("r1", "ann"), ("r2", "ann"), ("r3", "bob")] {
        waits(&mut lab, wish(request, who, ["a"]));
    }
    lab.boot_all();
    assert_eq!(served(&lab), ["r1", "r3"]);
    release(&mut lab, "r1");
    lab.boot_all();
    assert_eq!(served(&lab), ["r1", "r3", "r2"]);
}

#[test]
fn who_may_have_no_more_of_one_pool_is_served_from_another() {
    let mut first = kept(2);
    first.max_per_owner = Some(1);
    let mut lab = of(spec([("a", first), ("b", kept(2))]));
    assert_eq!(given(&mut lab, wish("r1", "ann", ["a", "b"])), ["a"]);
    assert_eq!(given(&mut lab, wish("r2", "ann", ["a", "b"])), ["b"]);
}

#[test]
fn limits_count_what_was_held_before_a_restart() {
    let mut lab = of(with_limits(Some(1), None));
    given(&mut lab, wish("r1", "ann", ["a"]));
    lab.restart();
    assert!(is_refused(&mut lab, "r2", "ann", "a"));
    release(&mut lab, "r1");
    given(&mut lab, wish("r3", "ann", ["a"]));
}

#[test]
fn a_limit_that_is_raised_while_the_engine_runs_serves_who_waits() {
    let mut lab = of(with_limits(Some(1), None));
    given(&mut lab, wish("r1", "ann", ["a"]));
    waits(&mut lab, wish("r2", "ann", ["a"]));
    let Spec { pools, providers, limits, .. } = lab.engine.spec().clone();
    let mut limits = limits;
    limits.owners.entry(owner("ann")).or_default().max = Some(2);
    let to = vmpool_engine::Reconfigure { pools, providers, limits };
    assert_eq!(lab.step(Input::Reconfigure(Box::new(to))), Answer::Accepted);
    assert_eq!(served(&lab), ["r2"]);
    assert_eq!(lab.engine.leases().filter(|lease| lease.pool == name("a")).count(), 2);
}

#[test]
fn the_limits_of_an_owner_are_told_with_what_counts_for_them() {
    let mut spec = with_limits(Some(3), Some(2));
    spec.pools.get_mut(&name("a")).unwrap().max_per_owner = Some(4);
    let mut lab = of(spec);
    given(&mut lab, wish("r1", "team/x", ["a"]));
    given(&mut lab, wish("r2", "team/y", ["b"]));
    let told = |of: &str, pool: Option<&str>| {
        let limits = lab.engine.owner_limits(&owner(of), pool.map(name).as_ref());
        let told = limits.into_iter().map(|limit| {
            (limit.owner.to_string(), limit.pool.map(|pool| pool.to_string()), limit.held, limit.max)
        });
        told.collect::<Vec<_>>()
    };
    let (team, x) = (("team".to_owned(), None, 2, 3), ("team/x".to_owned(), None, 1, 2));
    let in_pool = ("team".to_owned(), Some("a".to_owned()), 1, 4);
    assert_eq!(told("team/x", Some("a")), [team, x, in_pool]);
    assert_eq!(told("bob", None), [("bob".to_owned(), None, 0, 3)]);
}

#[test]
fn no_vm_is_made_for_requests_that_their_owners_limit_keeps_waiting_whatever_they_want() {
    let mut spec = spec([("a", on_demand(4)), ("b", on_demand(4))]);
    spec.limits.max_per_owner = Some(2);
    let mut lab = of(spec);
    for (request, pool) in [("r1", "a"), ("r2", "a"), ("r3", "b"), ("r4", "b")] {
        waits(&mut lab, wish(request, "ann", [pool]));
    }
    assert_eq!(lab.creates(), 2);
}

#[test]
fn no_vm_is_made_for_requests_that_a_pools_limit_keeps_waiting_whatever_their_priority() {
    let mut pool = on_demand(4);
    pool.max_per_owner = Some(2);
    let mut lab = of(spec([("a", pool)]));
    for (request, priority) in [("r1", 0), ("r2", 0), ("r3", 1), ("r4", 1)] {
        waits(&mut lab, wish(request, "ann", ["a"]).with_priority(priority));
    }
    assert_eq!(lab.creates(), 2);
}

#[test]
fn what_may_be_served_from_two_pools_takes_its_owners_place_in_one() {
    let mut pool = on_demand(4);
    pool.max_per_owner = Some(1);
    let mut lab = of(spec([("a", pool.clone()), ("b", pool)]));
    waits(&mut lab, wish("r1", "ann", ["a", "b"]));
    waits(&mut lab, wish("r2", "ann", ["b"]));
    assert_eq!(lab.creates(), 2, "one in each pool");
}

#[test]
fn who_does_not_wait_takes_nothing_from_who_does() {
    let mut spec = spec([("a", on_demand(2)), ("b", on_demand(2))]);
    spec.limits.max_per_owner = Some(3);
    let mut lab = of(spec);
    given_later(&mut lab, "r1", "a");
    given_later(&mut lab, "r2", "b");
    given_later(&mut lab, "r3", "b");
    waits(&mut lab, wish("big", "ann", ["a"]).with_count(2));
    lab.boot_all();
    waits(&mut lab, wish("small", "bob", ["a"]));
    assert_eq!(lab.counts([RecordState::Ready]), [1], "it is set aside for ann");
    let more = wish("more", "ann", ["b"]).with_count(2).with_priority(1).with_wait(seconds(0));
    assert!(matches!(lab.acquire(more), Answer::Refused(_)));
    assert_eq!(lab.counts([RecordState::Ready]), [1], "it still is");
}

fn given_later(lab: &mut Lab, request: &str, pool: &str) {
    waits(lab, wish(request, "cat", [pool]));
    lab.boot_all();
}
