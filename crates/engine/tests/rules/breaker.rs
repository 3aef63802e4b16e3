//! A provider that fails is left alone for a while, then tried with one VM (F13).

use std::time::Duration;

use vmpool_engine::{Answer, Effect, Limit, Spec};
use vmpool_model::{
    EventKind, Failure, FailureKind, PoolName, RecordState,
    config::{PoolConfig, ProviderConfig},
    states::NodeState,
};

use crate::{
    clouds::{both, named, offer, offering},
    lab::{Lab, pool, quota, seconds, spec, timeout, wish},
};

fn down() -> Failure {
    Failure::not_applied(FailureKind::Unavailable, "connection refused")
}

fn login() -> Failure {
    Failure::not_applied(FailureKind::Authentication, "wrong password")
}

fn at_lab(pool: PoolConfig, change: impl FnOnce(&mut ProviderConfig)) -> Spec {
    let mut spec = spec(pool);
    change(spec.providers.get_mut(&named("lab")).unwrap());
    spec
}

/// A pool of this size whose offers pause for a second only, at a provider that opens after three failures for 100 s.
fn fragile(size: u32) -> Spec {
    let mut pool = offering(size, vec![offer("lab", 0)]);
    pool.retry_max = seconds(1);
    at_lab(pool, |provider| {
        provider.breaker_failures = 3;
        provider.breaker_pause = seconds(100);
        provider.breaker_max_pause = seconds(300);
    })
}

/// Lets creates fail until the breaker opens.
fn broken(spec: Spec) -> Lab {
    let mut lab = Lab::of(spec);
    while lab.happened(EventKind::BreakerOpened) == 0 {
        lab.failed_at("lab", down());
        lab.pass(Duration::from_millis(1500));
    }
    while lab.creates_at("lab") != 0 {
        lab.failed_at("lab", down());
    }
    lab
}

/// When the breaker lets a VM be tried.
fn open_until(lab: &Lab) -> vmpool_model::Timestamp {
    match lab.engine.can_grow(&pool()).unwrap_err() {
        Limit::BreakerOpen { until, .. } => until,
        limit => panic!("{limit}"),
    }
}

/// Lets the time pass until a VM is tried.
fn tried(lab: &mut Lab) {
    lab.pass(open_until(lab).since(lab.now));
    assert_eq!(lab.creates(), 1);
}

#[test]
fn f13_after_failures_in_a_row_nothing_is_created_for_a_while() {
    let mut lab = Lab::of(fragile(1));
    for _ in 0..3 {
        assert_eq!(lab.happened(EventKind::BreakerOpened), 0);
        lab.failed_at("lab", down());
        lab.pass(Duration::from_millis(1500));
    }
    assert_eq!((lab.happened(EventKind::BreakerOpened), lab.creates()), (1, 0));
    assert_eq!(lab.engine.pools()[0].paused_until, Some(open_until(&lab)));
    let left = open_until(&lab).since(lab.now);
    assert!(seconds(98) <= left && left <= seconds(150), "{left:?}");
    lab.pass(left - Duration::from_millis(1));
    assert_eq!(lab.creates(), 0);
}

#[test]
fn f13_a_success_in_between_begins_the_row_anew() {
    let mut lab = Lab::of(fragile(2));
    for _ in 0..4 {
        for _ in 0..2 {
            lab.failed_at("lab", down());
            lab.pass(Duration::from_millis(1500));
        }
        lab.made_at("lab", NodeState::Error);
        lab.destroyed(Ok(()));
        lab.list(&[]);
        lab.list(&[]);
        lab.pass(Duration::from_millis(1500));
    }
    assert_eq!(lab.happened(EventKind::BreakerOpened), 0);
}

#[test]
fn f13_creates_that_fail_together_count_once() {
    let mut lab = Lab::of(fragile(8));
    for _ in 0..8 {
        lab.failed_at("lab", down());
    }
    assert_eq!(lab.happened(EventKind::BreakerOpened), 0);
}

#[test]
fn a_refused_login_opens_the_breaker_at_once() {
    let mut lab = Lab::of(fragile(8));
    lab.failed_at("lab", login());
    assert_eq!(lab.happened(EventKind::BreakerOpened), 1);
    let limit = lab.engine.can_grow(&pool()).unwrap_err();
    assert!(limit.to_string().contains("wrong password"), "{limit}");
    lab.failed_at("lab", login());
    assert_eq!(lab.happened(EventKind::BreakerOpened), 1, "it is open");
}

#[test]
fn a_listing_whose_login_is_refused_opens_the_breaker_once() {
    let mut lab = Lab::of(fragile(0));
    lab.listed(Err(login()));
    lab.listed(Err(login()));
    assert_eq!(lab.happened(EventKind::BreakerOpened), 1);
    let _ = lab.acquire(wish("r1", "ann").with_wait(seconds(900)));
    assert_eq!(lab.creates(), 0);
}

#[test]
fn a_login_that_is_still_refused_when_the_pause_is_over_opens_the_breaker_anew() {
    let mut spec = fragile(0);
    spec.pools.values_mut().for_each(|pool| pool.max_total = Some(1));
    let mut lab = Lab::of(spec);
    lab.listed(Err(login()));
    let until = open_until(&lab);
    lab.pass(until.since(lab.now));
    lab.listed(Err(login()));
    assert_eq!((lab.now, lab.happened(EventKind::BreakerOpened)), (until, 2));
}

#[test]
fn fewer_listings_that_fail_than_open_the_breaker_keep_nothing_from_being_created() {
    let mut lab = unlistable();
    for _ in 0..2 {
        unlisted(&mut lab, timeout());
    }
    let _ = lab.acquire(wish("r1", "ann").with_wait(seconds(900)));
    assert_eq!((lab.happened(EventKind::BreakerOpened), lab.creates()), (0, 1));
}

#[test]
fn failures_of_what_was_to_be_made_do_not_open_the_breaker() {
    for kind in
        [FailureKind::Quota, FailureKind::Capacity, FailureKind::NotFound, FailureKind::InvalidRequest]
    {
        let mut lab = Lab::of(fragile(1));
        for _ in 0..9 {
            lab.failed_at("lab", Failure::not_applied(kind, "no"));
            lab.pass(Duration::from_millis(1500));
        }
        assert_eq!((lab.happened(EventKind::BreakerOpened), lab.creates()), (0, 1), "{kind}");
    }
}

#[test]
fn f13_while_the_breaker_is_open_ready_vms_are_given_and_nodes_destroyed_and_listed() {
    let mut spec = fragile(2);
    spec.pools.values_mut().for_each(|pool| pool.max_total = Some(3));
    let mut lab = Lab::of(spec);
    let node = lab.made_at("lab", NodeState::Running);
    lab.failed_at("lab", login());
    lab.boot_all();
    let grant = lab.granted(wish("r1", "ann"));
    lab.release(&grant.lease);
    assert_eq!((lab.destroys(), lab.creates()), (1, 0));
    lab.destroyed(Ok(()));
    lab.list(&[node]);
    lab.list(&[]);
    assert_eq!(lab.vms().count(), 0);
}

#[test]
fn f13_a_create_without_an_answer_is_looked_up_while_the_breaker_is_open_and_not_repeated() {
    let mut lab = Lab::of(fragile(2));
    lab.failed_at("lab", timeout());
    lab.failed_at("lab", login());
    lab.pass(seconds(2));
    assert_eq!(lab.finds(), 1);
    lab.found(vec![]);
    assert_eq!((lab.creates(), lab.vms().count()), (0, 0));
    let told = lab.events.last().map(|event| event.detail.as_str());
    assert_eq!(told, Some("it was never made, and cannot be made now where it was asked for"));
}

#[test]
fn f13_after_the_pause_one_vm_is_tried_for_all_pools() {
    let mut spec = fragile(3);
    let other = spec.pools[&pool()].clone();
    spec.pools.insert(PoolName::new("other").unwrap(), other);
    let mut lab = broken(spec);
    tried(&mut lab);
    lab.pass(seconds(500));
    assert_eq!(lab.creates(), 1, "its outcome is not known");
    let limit = lab.engine.can_grow(&pool()).unwrap_err();
    assert_eq!(limit.kind(), "probing");
}

#[test]
fn f13_when_the_vm_that_is_tried_is_made_creates_begin_slowly() {
    let mut lab = broken(fragile(9));
    tried(&mut lab);
    lab.made_at("lab", NodeState::Pending);
    assert_eq!((lab.happened(EventKind::BreakerClosed), lab.creates()), (1, 1));
    for creates in [2, 3, 4] {
        lab.made_at("lab", NodeState::Pending);
        assert_eq!(lab.creates(), creates);
    }
}

#[test]
fn f13_every_vm_that_is_tried_and_fails_doubles_the_pause_up_to_its_limit() {
    let mut lab = broken(fragile(1));
    for least in [200, 300, 300] {
        tried(&mut lab);
        lab.failed_at("lab", down());
        let pause = open_until(&lab).since(lab.now);
        assert!(seconds(least) <= pause && pause <= seconds(least) * 3 / 2, "{pause:?}");
    }
    assert_eq!(lab.happened(EventKind::BreakerOpened), 4);
    tried(&mut lab);
    lab.made_at("lab", NodeState::Running);
    lab.boot_all();
    assert_eq!(lab.counts([RecordState::Ready]), [1]);
}

#[test]
fn f13_a_try_that_tells_nothing_of_the_provider_is_followed_by_another() {
    let mut spec = fragile(9);
    let second = spec.pools.get_mut(&pool()).unwrap();
    let mut spare = offer("lab", 1);
    spare.template = "spare".to_owned();
    second.offers.push(spare);
    let mut lab = broken(spec);
    tried(&mut lab);
    lab.failed_at("lab", quota());
    assert_eq!(lab.creates(), 1, "one of the other offer");
    lab.made_at("lab", NodeState::Pending);
    assert_eq!(lab.happened(EventKind::BreakerClosed), 1);
}

#[test]
fn f13_what_was_asked_for_before_the_breaker_opened_does_not_close_it() {
    let mut lab = Lab::of(fragile(2));
    lab.failed_at("lab", login());
    lab.made_at("lab", NodeState::Pending);
    assert_eq!((lab.happened(EventKind::BreakerClosed), lab.creates()), (0, 0));
}

#[test]
fn f13_what_was_asked_for_before_the_breaker_opened_tells_nothing_of_the_try() {
    for answer in [Ok(NodeState::Pending), Err(down())] {
        let mut spec = fragile(3);
        spec.pools.values_mut().for_each(|pool| (pool.max_total, pool.max_starting) = (Some(9), 9));
        let mut lab = Lab::of(spec);
        lab.failed_at("lab", login());
        let old = lab.create().0;
        lab.pass(open_until(&lab).since(lab.now));
        assert_eq!(lab.creates(), 3, "two old ones, and the one that is tried");
        match answer {
            Ok(state) => drop(lab.made_at("lab", state)),
            Err(failure) => lab.failed_at("lab", failure),
        }
        assert!(!lab.effects.contains_key(&old));
        lab.pass(seconds(5));
        assert_eq!(lab.engine.can_grow(&pool()).map_err(|limit| limit.kind()), Err("probing"));
    }
}

#[test]
fn a_request_is_served_by_another_provider_while_the_breaker_is_open() {
    let mut spec = both(offering(0, vec![offer("lab", 0), offer("far", 1)]));
    spec.pools.values_mut().for_each(|pool| pool.max_total = Some(2));
    let mut lab = Lab::of(spec);
    let first = wish("r1", "ann").with_wait(seconds(900));
    assert_eq!(lab.acquire(first), Answer::Waiting);
    lab.failed_at("lab", login());
    assert_eq!(lab.creates_at("far"), 1);
    lab.made_at("far", NodeState::Running);
    lab.boot_all();
    assert_eq!(lab.counts([RecordState::InUse]), [1]);
    lab.pass(seconds(20));
    let _ = lab.acquire(wish("r2", "ann").with_wait(seconds(900)));
    assert_eq!(lab.creates_at("far"), 1, "its own pause is over, and its provider's is not");
}

#[test]
fn f13_a_provider_that_asks_for_fewer_requests_pauses_for_all_pools() {
    let mut spec = fragile(1);
    let other = PoolName::new("other").unwrap();
    spec.pools.insert(other.clone(), spec.pools[&pool()].clone());
    let mut lab = Lab::of(spec);
    let mut limited = Failure::not_applied(FailureKind::RateLimited, "slow down");
    limited.retry_after = Some(seconds(60));
    lab.failed_at("lab", quota());
    lab.failed_at("lab", limited);
    lab.pass(seconds(59));
    assert_eq!(lab.creates(), 0);
    assert_eq!(lab.engine.can_grow(&other).map_err(|limit| limit.kind()), Err("provider_paused"));
    lab.pass(seconds(31));
    assert_eq!(lab.creates(), 2);
}

#[test]
fn f13_a_provider_that_asks_for_fewer_requests_and_not_for_how_long_pauses_for_a_second() {
    let mut lab = Lab::of(fragile(1));
    lab.failed_at("lab", Failure::not_applied(FailureKind::RateLimited, "slow down"));
    assert_eq!(lab.engine.can_grow(&pool()).map_err(|limit| limit.kind()), Err("provider_paused"));
    lab.pass(Duration::from_millis(999));
    assert_eq!(lab.creates(), 0);
    lab.pass(Duration::from_millis(501));
    assert_eq!(lab.creates(), 1, "a pause of a second, and at most a half more");
}

/// A pool that makes one VM when somebody wants it, at a provider that opens after three failures.
fn unlistable() -> Lab {
    let mut spec = fragile(0);
    spec.pools.values_mut().for_each(|pool| pool.max_total = Some(1));
    Lab::of(spec)
}

/// Lets a listing fail, and passes the time until the next one.
fn unlisted(lab: &mut Lab, failure: Failure) {
    lab.listed(Err(failure));
    while lab.count(|effect| matches!(effect, Effect::List { .. })) == 0 {
        lab.pass(seconds(1));
    }
}

#[test]
fn f13_listings_that_fail_in_a_row_open_the_breaker_as_creates_do() {
    let mut lab = unlistable();
    unlisted(&mut lab, down());
    lab.list(&[]);
    lab.pass(seconds(600));
    for _ in 0..2 {
        unlisted(&mut lab, down());
        assert_eq!(lab.happened(EventKind::BreakerOpened), 0, "a listing was answered in between");
    }
    unlisted(&mut lab, Failure::not_applied(FailureKind::RateLimited, "slow down"));
    assert_eq!(lab.happened(EventKind::BreakerOpened), 1);
    let told = lab.events.iter().find(|event| event.kind == EventKind::BreakerOpened).unwrap();
    assert!(told.detail.contains("slow down"), "{told:?}");
}

#[test]
fn f13_while_listings_fail_one_vm_is_tried_at_a_time() {
    let mut lab = unlistable();
    for _ in 0..3 {
        unlisted(&mut lab, down());
    }
    assert_eq!(lab.happened(EventKind::BreakerOpened), 1);
    let _ = lab.acquire(wish("r1", "ann").with_wait(seconds(9000)));
    assert_eq!(lab.creates(), 0);
    tried(&mut lab);
    lab.made_at("lab", NodeState::Pending);
    assert_eq!(lab.happened(EventKind::BreakerClosed), 1);
    lab.listed(Err(down()));
    assert_eq!(lab.happened(EventKind::BreakerOpened), 2, "listings fail all the same");
}

#[test]
fn a_listing_that_fails_for_a_reason_of_its_own_says_nothing_about_creates() {
    let mut lab = unlistable();
    for _ in 0..9 {
        unlisted(&mut lab, Failure::not_applied(FailureKind::Permission, "not yours to list"));
    }
    assert_eq!(lab.happened(EventKind::BreakerOpened), 0);
}
