//! Which of its offers a pool takes, and how it gets past one that fails.

use std::time::Duration;

use vmpool_engine::{Answer, Limit};
use vmpool_model::{EventKind, Failure, FailureKind, RecordState, states::NodeState};

use crate::{
    clouds::{between, both, named, offer, offering},
    lab::{Lab, pool, quota, seconds, timeout, wish, with_check},
};

fn capacity() -> Failure {
    Failure::not_applied(FailureKind::Capacity, "no host has room")
}

#[test]
fn the_offers_of_the_lowest_preference_are_taken() {
    let lab = between(offering(4, vec![offer("far", 1), offer("lab", 0)]));
    assert_eq!(lab.spread(), [4, 0]);
}

#[test]
fn offers_of_one_preference_share_by_their_weights() {
    let mut heavy = offer("far", 0);
    heavy.weight = 3;
    let lab = between(offering(8, vec![offer("lab", 0), heavy]));
    assert_eq!(lab.spread(), [2, 6]);
}

#[test]
fn of_offers_that_have_as_much_the_first_is_taken() {
    let lab = between(offering(1, vec![offer("far", 0), offer("lab", 0)]));
    assert_eq!(lab.spread(), [0, 1]);
}

#[test]
fn what_an_offer_may_not_have_goes_to_the_next() {
    let mut small = offer("lab", 0);
    small.max_total = Some(1);
    let lab = between(offering(3, vec![small, offer("far", 1)]));
    assert_eq!(lab.spread(), [1, 2]);
}

#[test]
fn a_vm_that_is_being_destroyed_still_counts_with_its_offer() {
    let mut small = offer("lab", 0);
    small.max_total = Some(1);
    let mut pool = offering(1, vec![small, offer("far", 1)]);
    pool.max_total = Some(2);
    let mut lab = between(pool);
    lab.boot_all();
    let grant = lab.granted(wish("r1", "ann"));
    lab.release(&grant.lease);
    assert_eq!((lab.creates_at("lab"), lab.creates_at("far")), (0, 1));
}

#[test]
fn an_offer_of_a_provider_that_is_not_configured_is_passed_over() {
    let mut spec = both(offering(1, vec![offer("far", 0), offer("lab", 1)]));
    spec.providers.remove(&named("far"));
    let lab = Lab::of(spec);
    assert_eq!(lab.spread(), [1, 0]);
}

#[test]
fn a_record_carries_what_its_offer_says() {
    let mut big = offer("far", 0);
    big.template = "big".to_owned();
    big.needs.insert("cores".to_owned(), 4);
    let lab = between(offering(1, vec![big.clone()]));
    let vm = lab.only_vm();
    assert_eq!((&vm.provider, &vm.template, &vm.needs), (&big.provider, &big.template, &big.needs));
}

#[test]
fn a_request_is_served_from_the_next_offer_when_the_first_has_no_room() {
    let mut pool = offering(0, vec![offer("lab", 0), offer("far", 1)]);
    pool.max_total = Some(1);
    let mut lab = between(pool);
    assert_eq!(lab.acquire(wish("r1", "ann").with_wait(seconds(60))), Answer::Waiting);
    lab.failed_at("lab", capacity());
    assert_eq!(lab.creates_at("far"), 1, "in the same step");
    lab.made_at("far", NodeState::Running);
    lab.boot_all();
    assert_eq!(lab.counts([RecordState::InUse]), [1]);
}

#[test]
fn an_offer_that_fails_pauses_and_is_taken_again_after_that() {
    let mut lab = between(offering(2, vec![offer("lab", 0), offer("far", 1)]));
    lab.failed_at("lab", quota());
    assert_eq!(lab.spread(), [1, 1]);
    assert_eq!(lab.happened(EventKind::OfferPaused), 1);
    lab.failed_at("far", quota());
    assert_eq!(lab.spread(), [1, 0], "both pause");
    lab.pass(Duration::from_millis(1500));
    assert_eq!(lab.spread(), [2, 0]);
}

#[test]
fn one_offer_that_pauses_is_no_pause_of_the_pool() {
    let mut wide = offering(1, vec![offer("lab", 0), offer("far", 1)]);
    (wide.max_total, wide.max_starting) = (Some(2), 2);
    let mut lab = between(wide);
    lab.failed_at("lab", quota());
    assert_eq!((lab.engine.pools()[0].paused_until, lab.engine.can_grow(&pool())), (None, Ok(())));
    lab.failed_at("far", quota());
    assert!(lab.engine.pools()[0].paused_until.is_some());
}

#[test]
fn what_can_never_work_pauses_an_offer_for_the_longest_time() {
    for kind in [FailureKind::InvalidRequest, FailureKind::NotFound, FailureKind::Permission] {
        let mut pool = offering(1, vec![offer("lab", 0)]);
        pool.retry_max = seconds(200);
        let mut lab = between(pool);
        lab.failed_at("lab", Failure::not_applied(kind, "no such template"));
        lab.pass(seconds(199));
        assert_eq!(lab.creates(), 0, "{kind}");
        lab.pass(seconds(101));
        assert_eq!(lab.creates(), 1, "{kind}");
    }
}

#[test]
fn a_create_without_an_answer_is_looked_up_while_the_next_offer_is_tried() {
    let mut lab = between(offering(1, vec![offer("lab", 0), offer("far", 1)]));
    lab.failed_at("lab", timeout());
    lab.pass(seconds(2));
    assert_eq!(
        (lab.creates(), lab.finds()),
        (0, 1),
        "the pool has what it wants, unless the look-up says no"
    );
}

#[test]
fn a_vm_that_was_never_made_is_made_by_the_next_offer_if_its_own_pauses_by_then() {
    let mut lab = between(offering(2, vec![offer("lab", 0), offer("far", 1)]));
    lab.failed_at("lab", timeout());
    lab.failed_at("lab", Failure::not_applied(FailureKind::InvalidRequest, "no such template"));
    assert_eq!((lab.creates_at("lab"), lab.creates_at("far")), (0, 1));
    lab.pass(seconds(2));
    assert_eq!(lab.happened(EventKind::VmGone), 0);
    lab.found(vec![]);
    assert_eq!((lab.creates_at("lab"), lab.creates_at("far")), (0, 2));
    assert_eq!(lab.happened(EventKind::VmGone), 1);
}

#[test]
fn vms_that_never_become_ready_make_their_offer_pause() {
    let mut pool = with_check(offering(1, vec![offer("lab", 0), offer("far", 1)]));
    pool.max_check_fails = 0;
    pool.max_total = Some(2);
    let mut lab = between(pool);
    lab.made_at("lab", NodeState::Running);
    lab.checked(Err("refused"));
    assert_eq!((lab.creates_at("lab"), lab.creates_at("far")), (0, 1));
}

#[test]
fn what_is_in_the_way_of_all_offers_is_told_by_the_one_that_ends_first() {
    let mut lab = between(offering(1, vec![offer("lab", 0), offer("far", 1)]));
    let began = lab.now;
    let mut long = quota();
    long.retry_after = Some(seconds(90));
    lab.failed_at("lab", long);
    lab.failed_at("far", capacity());
    let limit = lab.engine.can_grow(&pool()).unwrap_err();
    let Limit::OfferPaused { provider, why, since, .. } = &limit else { panic!("{limit}") };
    assert_eq!((provider, *since), (&named("far"), began));
    assert!(why.contains("no host has room"), "{limit}");
}

#[test]
fn a_limit_tells_since_when_it_is_in_the_way() {
    let mut pool_ = offering(0, vec![offer("lab", 0)]);
    pool_.max_total = Some(2);
    pool_.max_starting = 1;
    let mut lab = between(pool_);
    let _ = lab.acquire(wish("r1", "ann").with_wait(seconds(900)));
    let _ = lab.acquire(wish("r2", "ann").with_wait(seconds(900)));
    let since = lab.now;
    lab.pass(seconds(20));
    let limit = Limit::MaxStarting { starting: 1, max_starting: 1, since };
    assert_eq!(lab.engine.can_grow(&pool()), Err(limit));
    lab.boot_all();
    let _ = lab.acquire(wish("r3", "ann").with_wait(seconds(900)));
    let since = lab.now;
    lab.pass(seconds(20));
    assert_eq!(lab.engine.can_grow(&pool()), Err(Limit::PoolFull { total: 2, max_total: 2, since }));
}

#[test]
fn an_offer_that_stays_goes_on_with_its_pause_over_a_reload_and_a_new_one_begins_without() {
    let mut lab = Lab::new(crate::lab::config(1));
    lab.not_created(quota());
    let paused = lab.engine.can_grow(&pool());
    assert!(matches!(paused, Err(Limit::OfferPaused { .. })), "{paused:?}");
    let change = |lab: &mut Lab, template: &str| {
        crate::reconfigure::change(lab, |to| {
            to.pools.values_mut().for_each(|pool| {
                (pool.template, pool.max_total) = (Some(template.to_owned()), Some(7));
            });
        });
    };
    change(&mut lab, "template");
    assert_eq!(lab.engine.can_grow(&pool()), paused);
    change(&mut lab, "another");
    assert_eq!(lab.creates(), 1);
}
