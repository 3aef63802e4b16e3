//! Several VMs in one request: all at once or none, and nobody starves.

use vmpool_engine::{Answer, Input, Limit, Refusal};
use vmpool_model::{EndedLease, LeaseEnd, RecordState, RequestStatus};

use crate::{
    farm::{
        count, farm, given, grants, id, kept, of, on_demand, refusal, release, renew, served, spec, waits,
        wish, with_fallback,
    },
    lab::{Lab, config, quota, seconds},
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
    let RequestStatus::Granted { leases, ended } = status(&lab, "r1") else { panic!() };
    let first = EndedLease {
        lease: all[0].lease.id.clone(),
        vm: all[0].lease.vm.clone(),
        at: lab.now,
        how: LeaseEnd::Released,
    };
    assert_eq!((leases.len(), ended), (2, vec![first.clone()]), "who asks again is told what is left of it");
    assert_eq!(grants(&mut lab, wish("r1", "ann", ["a"]).with_count(2)), [all[1].clone()], "what lasts");
    lab.restart();
    lab.pass(seconds(1));
    let EndedLease { lease, vm, at, how } = first.clone();
    let ended = Refusal::LeaseEnded { lease, vm, at, how };
    let renew = Input::Renew { lease: first.lease.clone(), fence: None, ttl: None };
    assert_eq!(lab.refused(renew.clone()), ended, "while the other one lasts");
    lab.release(&all[1].lease);
    assert_eq!(lab.refused(renew), ended, "and once it has ended, too");
    let RequestStatus::Ended { lease, leases, before, .. } = status(&lab, "r1") else { panic!() };
    assert_eq!((lease, before), (all[1].lease.id.clone(), vec![first]));
    assert_eq!(leases, [all[0].lease.id.clone(), all[1].lease.id.clone()], "all of them are told");
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

/// Pools, and an owner's limit over all.
fn limited<const N: usize>(max: u32, pools: [(&str, vmpool_model::config::PoolConfig); N]) -> Lab {
    let mut spec = spec(pools);
    spec.limits.max_per_owner = Some(max);
    of(spec)
}

#[test]
fn vms_are_made_for_the_request_that_others_are_set_aside_for() {
    let mut pool = on_demand(3);
    pool.min_ready = 2;
    let mut lab = limited(3, [("a", pool)]);
    // The same owner wants one more than its limit allows beside it, and that one is smaller.
    waits(&mut lab, wish("big", "ann", ["a"]).with_count(3));
    waits(&mut lab, wish("small", "ann", ["a"]));
    waits(&mut lab, wish("other", "bob", ["a"]));
    lab.boot_all();
    assert_eq!(served(&lab), ["big"]);
}

#[test]
fn small_requests_of_its_owner_do_not_pass_a_big_one_at_the_limit() {
    let mut lab = limited(3, [("a", fresh(6)), ("b", fresh(2))]);
    for request in ["s1", "s2"] {
        given(&mut lab, wish(request, "ann", ["a"]));
    }
    waits(&mut lab, wish("big", "ann", ["a"]).with_count(3));
    waits(&mut lab, wish("s3", "ann", ["b"]));
    given(&mut lab, wish("other", "bob", ["b"]));
    release(&mut lab, "s1");
    renew(&mut lab);
    assert_eq!(served(&lab), Vec::<&str>::new());
    release(&mut lab, "s2");
    renew(&mut lab);
    assert_eq!(served(&lab), ["big"]);
    release(&mut lab, "big");
    renew(&mut lab);
    assert_eq!(served(&lab), ["big", "s3"]);
}

#[test]
fn a_small_request_that_comes_first_passes_a_big_one_at_the_limit() {
    let mut lab = limited(3, [("a", fresh(4))]);
    given(&mut lab, wish("s1", "ann", ["a"]));
    waits(&mut lab, wish("big", "ann", ["a"]).with_count(3));
    given(&mut lab, wish("s2", "ann", ["a"]).with_priority(1));
}

#[test]
fn what_a_team_may_have_is_kept_for_none_of_its_members_that_may_have_no_more_itself() {
    let mut spec = spec([("a", fresh(6))]);
    (spec.limits.max_per_owner, spec.limits.max_per_sub_owner) = (Some(4), Some(2));
    let mut lab = of(spec);
    given(&mut lab, wish("s1", "team/x", ["a"]));
    waits(&mut lab, wish("big", "team/x", ["a"]).with_count(2));
    waits(&mut lab, wish("s2", "team/x", ["a"]));
    given(&mut lab, wish("s3", "team/y", ["a"]));
    release(&mut lab, "s1");
    assert_eq!(served(&lab), ["big"]);
}

#[test]
fn in_one_pool_too_small_requests_do_not_pass_a_big_one_at_the_limit() {
    let mut pool = fresh(6);
    pool.max_per_owner = Some(2);
    let mut lab = of(spec([("a", pool), ("b", fresh(2))]));
    given(&mut lab, wish("s1", "ann", ["a"]));
    waits(&mut lab, wish("big", "ann", ["a"]).with_count(2));
    waits(&mut lab, wish("s2", "ann", ["a"]));
    given(&mut lab, wish("s3", "ann", ["b"]));
    release(&mut lab, "s1");
    assert_eq!(served(&lab), ["big"]);
}

#[test]
fn explain_tells_that_an_owner_s_own_request_comes_first() {
    let mut lab = limited(3, [("a", fresh(6))]);
    given(&mut lab, wish("s1", "ann", ["a"]));
    waits(&mut lab, wish("big", "ann", ["a"]).with_count(3));
    waits(&mut lab, wish("s2", "ann", ["a"]));
    let limit = |request: &str| lab.engine.explain(&id(request)).unwrap().obstacles.remove(0).limit;
    assert!(matches!(limit("big"), Limit::OwnerLimit { held: 1, max: 3, wanted: 3, .. }), "{}", limit("big"));
    assert!(matches!(limit("s2"), Limit::Behind { requests: 1, .. }), "{}", limit("s2"));
}

#[test]
fn a_big_request_to_a_pool_whose_cloud_is_down_keeps_nothing_from_others_of_its_owner() {
    let mut lab = limited(2, [("a", on_demand(2)), ("b", fresh(2))]);
    waits(&mut lab, wish("big", "ann", ["a"]).with_count(2));
    lab.not_created(quota());
    lab.not_created(quota());
    given(&mut lab, wish("small", "ann", ["b"]));
}

#[test]
fn who_cannot_be_served_yet_leaves_a_used_vm_to_who_comes_first() {
    let mut lab = farm([("a", kept(4)), ("b", kept(1))]);
    given(&mut lab, wish("r1", "cat", ["a"]));
    given(&mut lab, wish("r2", "ann", ["b"]));
    given(&mut lab, wish("r3", "ann", ["a"]));
    release(&mut lab, "r3");
    waits(&mut lab, wish("all", "ann", ["a"]).with_count(4));
    assert_eq!(count(&lab, "a", RecordState::Terminating), 0);
    // He holds nothing, and two of three VMs are ready for him.
    waits(&mut lab, wish("first", "bob", ["a"]).with_count(3));
    assert_eq!(count(&lab, "a", RecordState::Terminating), 1);
    renew(&mut lab);
    assert_eq!(served(&lab), ["first"]);
}

#[test]
fn two_big_requests_do_not_keep_from_each_other_what_the_quota_leaves() {
    let mut spec = spec([("a", on_demand(3)), ("b", on_demand(3))]);
    // One VM after the other is made in each.
    spec.pools.values_mut().for_each(|pool| pool.max_starting = 1);
    let provider = spec.providers.values_mut().next().unwrap();
    provider.quota.insert("vms".to_owned(), 4);
    let mut lab = of(spec);
    // Pools take turns, so that each has two VMs when the quota is used up.
    waits(&mut lab, wish("first", "ann", ["a"]).with_count(3));
    waits(&mut lab, wish("second", "bob", ["b"]).with_count(3));
    for _ in 0..4 {
        lab.boot_all();
        renew(&mut lab);
    }
    assert_eq!(served(&lab), ["first"]);
    release(&mut lab, "first");
    for _ in 0..4 {
        renew(&mut lab);
    }
    assert_eq!(served(&lab), ["first", "second"]);
}

#[test]
fn more_than_an_owner_may_ever_have_of_a_pool_is_refused_although_another_one_stands_in_for_it() {
    let mut pool = with_fallback(on_demand(4), "b");
    pool.max_per_owner = Some(2);
    let mut lab = farm([("a", pool), ("b", on_demand(4))]);
    let told = refusal(&mut lab, wish("r1", "ann", ["a"]).with_count(3));
    let wanted = "ann may hold 2 VMs of pool a at once (max_per_owner of pool a is 2, pool b stands in for pool a only while \
                  that can make none), and 3 were asked for: ask for fewer, or have the limit raised";
    assert_eq!(told.to_string(), wanted);
    waits(&mut lab, wish("r2", "ann", ["a"]).with_count(2));
    // Of a pool that is full another one makes what is missing.
    let mut lab = farm([("a", with_fallback(on_demand(2), "b")), ("b", on_demand(4))]);
    waits(&mut lab, wish("r1", "ann", ["a"]).with_count(3));
    lab.boot_all();
    assert_eq!(served(&lab), ["r1"]);
}

#[test]
fn of_several_limits_of_an_owner_those_are_named_that_bind() {
    let mut scarce = on_demand(4);
    scarce.max_per_owner = Some(1);
    let mut lab = farm([("a", on_demand(1)), ("b", scarce)]);
    let told = refusal(&mut lab, wish("r1", "ann", ["a", "b"]).with_count(3)).to_string();
    assert!(told.contains("2 VMs of the pools a, b at once (max_per_owner of pool b is 1)"), "{told}");
    let mut spec = spec([("a", with_fallback(on_demand(1), "b")), ("b", on_demand(4))]);
    spec.limits.max_per_owner = Some(2);
    let told = refusal(&mut of(spec), wish("r1", "ann", ["a"]).with_count(3)).to_string();
    assert!(told.starts_with("ann may hold 2 VMs at once (limits.max_per_owner is 2), and 3"), "{told}");
}

#[test]
fn a_pool_makes_what_another_one_has_ready_and_may_not_give_to_one_owner() {
    let mut scarce = fresh(2);
    scarce.max_per_owner = Some(1);
    let mut lab = farm([("a", on_demand(9)), ("b", scarce)]);
    waits(&mut lab, wish("r1", "ann", ["a", "b"]).with_count(2));
    assert_eq!(lab.creates(), 1, "two are ready in b, and ann may have one of them");
    lab.boot_all();
    assert_eq!(lab.counts([RecordState::InUse]), [2]);
}

#[test]
fn more_than_an_owner_may_ever_have_is_refused_although_it_may_have_all_of_a_pool() {
    let mut pool = with_fallback(on_demand(2), "b");
    pool.max_per_owner = Some(2);
    let mut lab = farm([("a", pool), ("b", on_demand(4))]);
    // It would wait for ever: a makes nothing of what only b could make complete, and b stands by until a is full.
    let told = refusal(&mut lab, wish("r1", "ann", ["a"]).with_count(3));
    assert!(matches!(told, Refusal::OwnerLimit { max: 2, count: 3, .. }), "{told}");
    waits(&mut lab, wish("r2", "ann", ["a"]).with_count(2));
    lab.boot_all();
    assert_eq!(served(&lab), ["r2"]);
}

#[test]
fn who_comes_before_a_big_request_of_its_owner_by_time_alone_is_wanted_for_at_once() {
    let mut spec = spec([("a", on_demand(3))]);
    (spec.limits.max_per_owner, spec.limits.priority_aging) = (Some(2), seconds(60));
    let mut lab = Lab::of(spec);
    waits(&mut lab, wish("small", "ann", ["a"]).with_priority(-1));
    lab.pass(seconds(30));
    waits(&mut lab, wish("big", "ann", ["a"]).with_count(2));
    assert_eq!(lab.creates(), 2, "the big one comes first, and leaves nothing");
    lab.pass(seconds(30));
    assert_eq!(lab.creates(), 3, "the small one has waited for as long as a step of priority is worth");
}

#[test]
fn the_end_of_a_request_for_one_vm_names_its_lease_once() {
    let mut lab = farm([("a", kept(1))]);
    let only = grants(&mut lab, wish("r1", "ann", ["a"])).remove(0).lease;
    lab.release(&only);
    let RequestStatus::Ended { lease, leases, .. } = status(&lab, "r1") else { panic!() };
    assert_eq!((lease, leases), (only.id, vec![]));
}

#[test]
fn who_waited_for_more_than_is_ready_is_told_so_and_does_not_come_behind_itself() {
    let mut pool = kept(1);
    pool.max_total = Some(2);
    let mut lab = farm([("a", pool)]);
    waits(&mut lab, wish("r1", "ann", ["a"]).with_count(2).with_wait(seconds(60)));
    let too_few = Limit::TooFew { ready: 1, wanted: 2, since: lab.now }.to_string();
    lab.pass(seconds(60));
    let (_, Err(refusal)) = lab.decided.remove(0) else { panic!() };
    assert!(refusal.to_string().contains(&too_few), "{refusal}");
}
