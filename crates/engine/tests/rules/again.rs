//! Requests that are repeated, by whoever lost the answer or was restarted, and what is remembered of them.

use vmpool_engine::{Answer, Input, Refusal};
use vmpool_model::RequestStatus;

use crate::{
    farm::{
        farm, given, grants, id, kept, labels, of, on_demand, refusal, release, served, spec, waits, wish,
        with_labels,
    },
    lab::{Lab, seconds},
};

#[test]
fn a_different_wish_under_the_same_id_is_a_conflict() {
    let mut lab = farm([("a", with_labels(on_demand(3), ["x86"])), ("b", on_demand(3))]);
    waits(&mut lab, wish("r1", "ann", ["a"]));
    let others = [
        wish("r1", "ann", ["b"]),
        wish("r1", "ann", ["a", "b"]),
        wish("r1", "ann", ["a"]).with_labels(labels(["x86"])),
        wish("r1", "ann", ["a"]).with_count(2),
        wish("r1", "ann", ["a"]).with_priority(1),
        wish("r1", "ann/x", ["a"]),
        wish("r1", "ann", ["a"]).with_ttl(Some(seconds(5))),
    ];
    for other in others {
        assert_eq!(refusal(&mut lab, other), Refusal::RequestConflict { request: id("r1") });
    }
    let same = wish("r1", "ann", ["a"]).with_wait(seconds(5));
    assert_eq!(lab.acquire(same), Answer::Waiting, "how long to wait is no other wish");
}

#[test]
fn how_long_a_lease_is_to_last_is_the_same_wish_only_if_it_is_as_long_or_nothing_is_said_of_it() {
    let mut lab = farm([("a", kept(2))]);
    let default = lab.engine.spec().pools[&crate::farm::name("a")].lease_ttl;
    given(&mut lab, wish("r1", "ann", ["a"]).with_ttl(Some(seconds(50))));
    given(&mut lab, wish("r1", "ann", ["a"]).with_ttl(Some(seconds(50))));
    given(&mut lab, wish("r1", "ann", ["a"]));
    let other = wish("r1", "ann", ["a"]).with_ttl(Some(default));
    assert_eq!(refusal(&mut lab, other), Refusal::RequestConflict { request: id("r1") });
    given(&mut lab, wish("r2", "ann", ["a"]));
    given(&mut lab, wish("r2", "ann", ["a"]).with_ttl(Some(default)));
    assert_eq!(lab.engine.leases().count(), 2);
}

#[test]
fn f9_a_request_for_several_vms_is_attached_to_again_after_a_restart() {
    let mut lab = farm([("a", kept(2)), ("b", on_demand(2))]);
    let first = grants(&mut lab, wish("r1", "ann", ["a"]).with_count(2));
    waits(&mut lab, wish("r2", "ann", ["b"]).with_count(2));
    lab.restart();
    assert_eq!(grants(&mut lab, wish("r1", "ann", ["a"]).with_count(2)).len(), first.len());
    waits(&mut lab, wish("r2", "ann", ["b"]).with_count(2));
    assert_eq!(lab.engine.requests().count(), 2);
}

#[test]
fn a_request_that_was_served_and_is_over_is_not_served_again() {
    let mut lab = farm([("a", kept(2))]);
    given(&mut lab, wish("r1", "ann", ["a"]).with_count(2));
    release(&mut lab, "r1");
    let over = refusal(&mut lab, wish("r1", "ann", ["a"]).with_count(2));
    assert!(matches!(over, Refusal::RequestEnded { .. }), "{over}");
}

#[test]
fn more_requests_than_may_wait_are_refused_and_those_that_can_be_served_are_not() {
    let mut spec = spec([("a", kept(1)), ("b", kept(1))]);
    spec.limits.max_waiting = 2;
    let mut lab = of(spec);
    given(&mut lab, wish("r1", "ann", ["a"]));
    waits(&mut lab, wish("r2", "ann", ["a"]));
    waits(&mut lab, wish("r3", "ann", ["a"]));
    assert_eq!(refusal(&mut lab, wish("r4", "bob", ["a"])), Refusal::QueueFull { max: 2 });
    waits(&mut lab, wish("r3", "ann", ["a"]));
    given(&mut lab, wish("r5", "bob", ["b"]));
    release(&mut lab, "r1");
    waits(&mut lab, wish("r4", "bob", ["a"]));
    assert_eq!(served(&lab), ["r2"]);
}

#[test]
fn of_the_requests_that_are_over_the_oldest_are_forgotten_first() {
    let mut spec = spec([("a", kept(1))]);
    spec.max_remembered = 3;
    let mut lab = of(spec);
    for request in ["r5", "r1", "r4", "r2", "r3"] {
        given(&mut lab, wish(request, "ann", ["a"]));
        lab.pass(seconds(1));
        release(&mut lab, request);
    }
    let remembered = |lab: &Lab| lab.engine.requests().map(|one| one.id.to_string()).collect::<Vec<_>>();
    assert_eq!(remembered(&lab), ["r2", "r3", "r4"]);
    lab.restart();
    assert_eq!(remembered(&lab), ["r2", "r3", "r4"]);
    given(&mut lab, wish("r1", "ann", ["a"]));
    assert!(lab.engine.requests().any(|one| matches!(one.status, RequestStatus::Granted { .. })));
}

#[test]
fn fewer_requests_are_remembered_after_a_restart_that_says_so() {
    let mut lab = farm([("a", kept(1))]);
    for request in ["r1", "r2", "r3"] {
        given(&mut lab, wish(request, "ann", ["a"]));
        lab.pass(seconds(1));
        release(&mut lab, request);
    }
    let mut spec = lab.engine.spec().clone();
    (spec.max_remembered, spec.epoch) = (1, spec.epoch + 1);
    lab.restart_as(spec);
    let remembered: Vec<_> = lab.engine.requests().map(|one| one.id.as_str()).collect();
    assert_eq!(remembered, ["r3"]);
}

#[test]
fn f17_a_vm_of_any_pool_is_handed_on_in_the_step_that_frees_it() {
    let mut lab = farm([("a", kept(1)), ("b", kept(1))]);
    for request in ["r1", "r2"] {
        given(&mut lab, wish(request, "ann", ["a", "b"]));
    }
    for request in ["r3", "r4", "r5"] {
        waits(&mut lab, wish(request, "ann", ["a", "b"]));
    }
    release(&mut lab, "r2");
    assert_eq!(served(&lab), ["r3"]);
    release(&mut lab, "r1");
    assert_eq!(served(&lab), ["r3", "r4"]);
}

#[test]
fn a_request_that_is_repeated_and_waits_no_longer_than_before_writes_nothing() {
    let mut lab = farm([("a", on_demand(1))]);
    waits(&mut lab, wish("r1", "ann", ["a"]));
    let again = Input::Acquire(Box::new(wish("r1", "ann", ["a"])));
    let step = lab.engine.step(lab.now, again);
    assert_eq!((step.answer, step.changes), (Answer::Waiting, vec![]));
}

fn cancelled(lab: &mut Lab, request: &str) -> Refusal {
    assert_eq!(lab.step_by(Some("zoe"), Input::Cancel(id(request))), Answer::Accepted);
    let by = Some(vmpool_model::Owner::new("zoe").unwrap());
    Refusal::Cancelled { request: id(request), at: lab.now, by }
}

#[test]
fn a_request_that_was_cancelled_does_not_come_back_when_it_is_sent_again() {
    let mut lab = farm([("a", kept(1))]);
    given(&mut lab, wish("r1", "ann", ["a"]));
    waits(&mut lab, wish("r2", "ann", ["a"]));
    let told = cancelled(&mut lab, "r2");
    lab.pass(seconds(30));
    assert_eq!(refusal(&mut lab, wish("r2", "ann", ["a"])), told);
    lab.restart();
    assert_eq!(refusal(&mut lab, wish("r2", "ann", ["a"]).with_wait(seconds(60))), told);
    release(&mut lab, "r1");
    lab.boot_all();
    assert_eq!(lab.engine.leases().count(), 0);
    assert_eq!(
        refusal(&mut lab, wish("r2", "ann", ["a"])),
        told,
        "there is a VM, and it is not for this one"
    );
}

#[test]
fn a_cancelled_request_is_remembered_as_long_as_one_whose_lease_ended() {
    let mut lab = farm([("a", kept(1))]);
    given(&mut lab, wish("r1", "ann", ["a"]));
    waits(&mut lab, wish("r2", "ann", ["a"]));
    let told = cancelled(&mut lab, "r2");
    lab.pass(seconds(599));
    assert_eq!(refusal(&mut lab, wish("r2", "ann", ["a"])), told);
    lab.pass(seconds(1));
    waits(&mut lab, wish("r2", "ann", ["a"]));
}

#[test]
fn cancelled_requests_count_among_those_that_are_remembered() {
    let mut spec = spec([("a", kept(1))]);
    spec.max_remembered = 2;
    let mut lab = of(spec);
    given(&mut lab, wish("r1", "ann", ["a"]));
    for request in ["r2", "r3", "r4"] {
        waits(&mut lab, wish(request, "ann", ["a"]));
        lab.pass(seconds(1));
        cancelled(&mut lab, request);
    }
    let remembered: Vec<_> = lab.engine.requests().map(|one| one.id.as_str()).collect();
    assert_eq!(remembered, ["r1", "r3", "r4"]);
}

#[test]
fn f8_a_client_that_seemed_to_be_gone_may_ask_again() {
    let mut lab = farm([("a", kept(1))]);
    given(&mut lab, wish("r1", "ann", ["a"]));
    waits(&mut lab, wish("r2", "ann", ["a"]));
    assert_eq!(lab.step(Input::Abandon(id("r2"))), Answer::Accepted);
    assert_eq!(lab.engine.requests().count(), 1);
    waits(&mut lab, wish("r2", "ann", ["a"]));
}

#[test]
fn a_request_that_timed_out_neither_waits_nor_is_served_when_it_is_sent_again() {
    let mut lab = farm([("a", kept(1))]);
    given(&mut lab, wish("r1", "ann", ["a"]));
    waits(&mut lab, wish("r2", "ann", ["a"]).with_wait(seconds(30)));
    lab.pass(seconds(30));
    let told = Refusal::RequestTimedOut { request: id("r2"), at: lab.now, waited: seconds(30) };
    assert_eq!(refusal(&mut lab, wish("r2", "ann", ["a"]).with_wait(seconds(30))), told);
    lab.restart();
    release(&mut lab, "r1");
    lab.boot_all();
    assert_eq!(refusal(&mut lab, wish("r2", "ann", ["a"])), told);
    assert_eq!(lab.step(Input::Cancel(id("r2"))), Answer::Refused(told));
    assert_eq!(lab.engine.leases().count(), 0);
    lab.pass(seconds(600));
    assert_eq!(lab.engine.request(&id("r2")), None, "it is forgotten in the end");
}

#[test]
fn f8_a_client_that_was_away_too_long_goes_on_with_what_is_left_of_its_time() {
    let mut lab = farm([("a", kept(1))]);
    given(&mut lab, wish("r1", "ann", ["a"]));
    let again =
        |left| wish("r2", "ann", ["a"]).with_wait(seconds(left)).with_repeat_within(Some(seconds(60)));
    waits(&mut lab, again(300));
    lab.pass(seconds(100));
    assert_eq!(lab.engine.requests().count(), 1, "it was not sent again for a minute");
    waits(&mut lab, again(50));
    lab.pass(seconds(50));
    assert!(matches!(refusal(&mut lab, again(30)), Refusal::RequestTimedOut { .. }), "its own time is over");
}
