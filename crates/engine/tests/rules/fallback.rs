//! Pools that stand in for others: only while those can make nothing themselves.

use vmpool_model::{Failure, FailureKind, RecordState};

use crate::{
    farm::{
        count, farm, given, kept, of, on_demand, refusal, release, served, spec, waits, wish, with_fallback,
        with_labels,
    },
    lab::{Lab, quota, seconds},
};

#[test]
fn a_pool_that_is_full_is_stood_in_for() {
    let mut lab = farm([("a", with_fallback(kept(1), "b")), ("b", kept(1))]);
    assert_eq!(given(&mut lab, wish("r1", "ann", ["a"])), ["a"]);
    assert_eq!(given(&mut lab, wish("r2", "ann", ["a"])), ["b"]);
}

#[test]
fn a_pool_that_can_make_vms_is_waited_for() {
    let mut lab = farm([("a", with_fallback(on_demand(1), "b")), ("b", kept(1))]);
    waits(&mut lab, wish("r1", "ann", ["a"]));
    assert_eq!((lab.creates(), count(&lab, "b", RecordState::Ready)), (1, 1), "the VM that starts is for it");
    waits(&mut lab, wish("r2", "bob", ["a"]));
    assert_eq!(
        (served(&lab), count(&lab, "b", RecordState::InUse)),
        (vec!["r1"], 1),
        "a has room for one only"
    );
    lab.boot_all();
    assert_eq!((served(&lab), count(&lab, "a", RecordState::InUse)), (vec!["r1", "r2"], 1));
}

#[test]
fn a_pool_whose_offers_fail_is_stood_in_for_and_comes_back() {
    let mut lab = Lab::of(spec([("a", with_fallback(on_demand(2), "b")), ("b", on_demand(2))]));
    waits(&mut lab, wish("r1", "ann", ["a"]));
    lab.not_created(quota());
    assert_eq!(count(&lab, "b", RecordState::Spawning), 1, "b makes the VM that a cannot make");
    lab.boot_all();
    assert_eq!((served(&lab), count(&lab, "b", RecordState::InUse)), (vec!["r1"], 1));
    lab.pass(seconds(60));
    waits(&mut lab, wish("r2", "ann", ["a"]));
    assert_eq!(count(&lab, "a", RecordState::Spawning), 1, "a may try again");
}

#[test]
fn a_pool_whose_provider_is_stopped_by_a_listing_is_stood_in_for_at_once() {
    let mut spec = spec([("a", with_fallback(on_demand(2), "b")), ("b", kept(1))]);
    spec.providers.values_mut().for_each(|provider| provider.max_creating = Some(1));
    let mut lab = of(spec);
    waits(&mut lab, wish("r1", "ann", ["a"]));
    waits(&mut lab, wish("r2", "bob", ["a"]));
    assert_eq!(served(&lab), Vec::<&str>::new(), "a makes one VM after the other");
    lab.listed(Err(Failure::not_applied(FailureKind::Authentication, "the password is wrong")));
    assert_eq!((served(&lab), count(&lab, "b", RecordState::InUse)), (vec!["r1"], 1));
}

#[test]
fn who_waits_for_a_pool_that_pauses_is_served_by_it_once_the_pause_is_over() {
    let mut lab = Lab::of(spec([("a", with_fallback(on_demand(1), "b")), ("b", on_demand(1))]));
    waits(&mut lab, wish("r0", "ann", ["b"]));
    lab.boot_all();
    waits(&mut lab, wish("r1", "ann", ["a"]));
    lab.not_created(quota());
    assert_eq!(lab.creates(), 0, "neither can make one");
    lab.pass(seconds(60));
    assert_eq!(count(&lab, "a", RecordState::Spawning), 1);
}

#[test]
fn those_that_stand_in_are_stood_in_for_in_turn() {
    let chain = [("a", with_fallback(kept(1), "b")), ("b", with_fallback(kept(1), "c")), ("c", kept(1))];
    let mut lab = farm(chain);
    for (request, pool) in [("r1", "a"), ("r2", "b"), ("r3", "c")] {
        assert_eq!(given(&mut lab, wish(request, "ann", ["a"])), [pool]);
    }
    waits(&mut lab, wish("r4", "bob", ["a"]));
    release(&mut lab, "r1");
    lab.pass(seconds(1));
    lab.destroyed(Ok(()));
    assert_eq!(served(&lab), Vec::<&str>::new(), "a VM that ann used is none of bob's");
}

#[test]
fn a_pool_that_is_named_needs_nobody_to_be_full() {
    let mut lab = farm([("a", with_fallback(on_demand(1), "b")), ("b", kept(1))]);
    assert_eq!(given(&mut lab, wish("r1", "ann", ["a", "b"])), ["b"]);
}

#[test]
fn a_pool_without_the_labels_stands_in_for_nobody() {
    let pools = [("a", with_labels(with_fallback(kept(1), "b"), ["x86"])), ("b", kept(1))];
    let mut lab = farm(pools);
    let wish = |request| wish(request, "ann", ["a"]).with_labels(crate::farm::labels(["x86"]));
    assert_eq!(given(&mut lab, wish("r1")), ["a"]);
    refusal(&mut lab, wish("r2").with_wait(seconds(0)));
}

#[test]
fn who_wants_several_waits_for_them_all_where_they_can_be_made() {
    let mut first = with_fallback(kept(1), "b");
    first.max_total = Some(3);
    let mut lab = farm([("a", first), ("b", kept(1))]);
    waits(&mut lab, wish("r1", "ann", ["a"]).with_count(2));
    assert_eq!((lab.creates(), served(&lab).len()), (1, 0), "the VM of b stands by");
    lab.boot_all();
    assert_eq!(served(&lab), ["r1"]);
    assert_eq!([count(&lab, "a", RecordState::InUse), count(&lab, "b", RecordState::InUse)], [2, 0]);
}

#[test]
fn who_wants_several_is_not_given_what_stands_by_while_one_is_ready_and_the_other_one_starts() {
    let mut first = with_fallback(kept(1), "b");
    first.max_total = Some(2);
    let mut lab = farm([("a", first), ("b", kept(1))]);
    waits(&mut lab, wish("r1", "ann", ["a"]).with_count(2));
    assert_eq!((lab.creates(), served(&lab).len()), (1, 0), "a is full with that, and both are for r1");
    lab.boot_all();
    assert_eq!([count(&lab, "a", RecordState::InUse), count(&lab, "b", RecordState::InUse)], [2, 0]);
}

#[test]
fn who_may_have_no_more_of_a_pool_is_given_what_stands_in_for_it_although_it_has_a_vm_ready() {
    let mut first = with_fallback(kept(2), "b");
    first.max_per_owner = Some(1);
    let mut lab = farm([("a", first), ("b", kept(1))]);
    assert_eq!(given(&mut lab, wish("r1", "ann", ["a"])), ["a"]);
    assert_eq!(given(&mut lab, wish("r2", "ann", ["a"])), ["b"]);
}

#[test]
fn no_vm_is_made_in_a_stand_in_for_who_may_have_no_more_of_a_pool_that_could_make_one() {
    let mut first = with_fallback(on_demand(2), "b");
    first.max_per_owner = Some(1);
    let mut lab = farm([("a", first), ("b", on_demand(3))]);
    waits(&mut lab, wish("r1", "ann", ["a"]));
    lab.boot_all();
    waits(&mut lab, wish("r2", "ann", ["a"]));
    assert_eq!((served(&lab), lab.creates()), (vec!["r1"], 0));
    waits(&mut lab, wish("r3", "bob", ["a"]));
    lab.boot_all();
    assert_eq!(count(&lab, "b", RecordState::InUse), 1, "now a is full, and b stands in for it");
}

#[test]
fn a_pool_is_stood_in_for_as_soon_as_its_pace_would_let_it_make_what_there_is_no_room_for() {
    let mut first = with_fallback(on_demand(3), "b");
    (first.max_per_owner, first.spawn_min_interval) = (Some(1), seconds(60));
    let mut spec = spec([("a", first), ("b", kept(1))]);
    spec.providers.values_mut().for_each(|provider| provider.quota = [("vms".to_owned(), 2)].into());
    let mut lab = of(spec);
    waits(&mut lab, wish("r1", "ann", ["a"]));
    waits(&mut lab, wish("r2", "ann", ["a"]));
    lab.pass(seconds(59));
    assert_eq!(served(&lab), Vec::<&str>::new(), "a may make one more soon");
    lab.pass(seconds(1));
    assert_eq!(count(&lab, "b", RecordState::InUse), 1);
}
