//! How many creates a provider sees at once (F18).

use vmpool_engine::{Limit, Spec};
use vmpool_model::{Failure, FailureKind, PoolName, config::PoolConfig, states::NodeState};

use crate::{
    clouds::{named, offer, offering},
    lab::{Lab, pool, quota, seconds, spec, timeout, wish},
};

/// A provider that takes at most this many creates at once.
fn taking(max_creating: usize, pool: PoolConfig) -> Spec {
    let mut spec = spec(pool);
    spec.providers.get_mut(&named("lab")).unwrap().max_creating = Some(max_creating);
    spec
}

fn many(size: u32) -> PoolConfig {
    offering(size, vec![offer("lab", 0)])
}

fn failure(kind: FailureKind) -> Failure {
    Failure::not_applied(kind, "no")
}

/// Lets all pauses be over, and the pool ask for as many VMs as the provider takes.
fn pauses_over(lab: &mut Lab) {
    lab.pass(seconds(2));
}

#[test]
fn f18_a_thousand_requests_make_no_more_creates_than_max_starting() {
    let mut pool = many(0);
    (pool.max_total, pool.max_starting) = (Some(1000), 5);
    let mut lab = Lab::of(taking(100, pool));
    for request in 0..1000 {
        let _ = lab.acquire(wish(&format!("r{request}"), "ann").with_wait(seconds(900)));
    }
    assert_eq!(lab.creates(), 5);
}

#[test]
fn f18_all_pools_together_make_no_more_creates_than_the_provider_takes() {
    let mut spec = taking(3, many(8));
    spec.pools.insert(PoolName::new("other").unwrap(), many(8));
    let mut lab = Lab::of(spec);
    assert_eq!(lab.creates(), 3);
    lab.created(NodeState::Pending);
    assert_eq!(lab.creates(), 3, "one is answered, and the next is asked for");
}

#[test]
fn w14_a_create_that_is_answered_holds_no_slot() {
    let mut pool = many(3);
    pool.max_starting = 3;
    let mut lab = Lab::of(taking(1, pool));
    for _ in 0..3 {
        assert_eq!(lab.creates(), 1);
        lab.created(NodeState::Pending);
    }
    assert_eq!((lab.creates(), lab.vms().count()), (0, 3));
}

#[test]
fn f18_a_create_that_is_looked_for_still_counts() {
    let mut lab = Lab::of(taking(2, many(4)));
    lab.not_created(failure(FailureKind::Other));
    pauses_over(&mut lab);
    assert_eq!(lab.creates(), 2);
    lab.not_created(Failure::unknown(FailureKind::Other, "who knows"));
    pauses_over(&mut lab);
    assert_eq!((lab.creates(), lab.finds()), (1, 1));
    lab.found(vec![]);
    assert_eq!((lab.creates(), lab.finds()), (2, 0));
}

#[test]
fn f18_a_create_whose_node_was_listed_first_counts_until_it_is_answered() {
    let mut lab = Lab::of(taking(1, many(2)));
    let (_, token) = lab.create();
    let node = lab.node(&token, NodeState::Running);
    lab.list(std::slice::from_ref(&node));
    assert_eq!((lab.creates(), lab.vms().count()), (1, 1), "the provider is still at it");
    lab.created(NodeState::Running);
    assert_eq!(lab.vms().count(), 2);
}

#[test]
fn f18_what_is_to_be_made_again_waits_while_as_many_are_made_as_the_provider_takes() {
    let mut lab = Lab::of(taking(4, many(4)));
    lab.not_created(Failure::unknown(FailureKind::Other, "who knows"));
    lab.not_created(failure(FailureKind::Capacity));
    pauses_over(&mut lab);
    assert_eq!((lab.creates(), lab.finds()), (2, 1));
    lab.found(vec![]);
    assert_eq!(lab.creates(), 2, "it takes two since one was too much");
}

/// How many creates the provider takes at once; some are in the way of more.
fn window(lab: &Lab) -> usize {
    let limit = lab.engine.can_grow(&pool()).unwrap_err();
    let Limit::CreateWindow { window, .. } = limit else { panic!("{limit}") };
    window
}

#[test]
fn too_much_at_once_halves_what_is_asked_for() {
    for kind in [FailureKind::Timeout, FailureKind::RateLimited, FailureKind::Capacity] {
        let mut lab = Lab::of(taking(8, many(20)));
        assert_eq!(window(&lab), 8);
        lab.not_created(failure(kind));
        pauses_over(&mut lab);
        assert_eq!((lab.creates(), window(&lab)), (7, 4), "{kind}");
    }
}

#[test]
fn other_failures_do_not_change_how_much_is_asked_for() {
    for kind in [FailureKind::Quota, FailureKind::Other, FailureKind::Unavailable] {
        let mut lab = Lab::of(taking(8, many(20)));
        lab.not_created(failure(kind));
        pauses_over(&mut lab);
        assert_eq!((lab.creates(), window(&lab)), (8, 8), "{kind}");
    }
}

#[test]
fn creates_that_fail_together_halve_it_once() {
    let mut lab = Lab::of(taking(8, many(20)));
    for _ in 0..6 {
        lab.not_created(failure(FailureKind::Capacity));
    }
    pauses_over(&mut lab);
    assert_eq!((lab.creates(), window(&lab)), (4, 4));
}

#[test]
fn it_is_halved_again_by_what_was_asked_for_later_down_to_one() {
    let mut pool = many(20);
    pool.retry_max = seconds(1);
    let mut spec = taking(4, pool);
    spec.providers.get_mut(&named("lab")).unwrap().breaker_failures = 99;
    let mut lab = Lab::of(spec);
    for left in [2, 1, 1] {
        while lab.creates() != 0 {
            lab.not_created(failure(FailureKind::Capacity));
        }
        pauses_over(&mut lab);
        assert_eq!((lab.creates(), window(&lab)), (left, left));
    }
}

#[test]
fn every_success_adds_one_up_to_the_most() {
    let mut lab = Lab::of(taking(4, many(20)));
    lab.not_created(failure(FailureKind::Capacity));
    pauses_over(&mut lab);
    assert_eq!((lab.creates(), window(&lab)), (3, 2));
    for left in [3, 4, 4] {
        lab.created(NodeState::Pending);
        assert_eq!((lab.creates(), window(&lab)), (left, left));
    }
    lab.not_created(quota());
    pauses_over(&mut lab);
    lab.not_created(timeout());
    lab.pass(seconds(5));
    assert_eq!(window(&lab), 2);
}
