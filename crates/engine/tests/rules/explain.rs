//! Why a request waits, since when, in which place, and until when it is likely to wait.

use vmpool_engine::{Explanation, Limit, Refusal};
use vmpool_model::config::OnRelease;

use crate::{
    farm::{
        farm, given, id, kept, name, of, on_demand, owner, refusal, release, spec, waits, wish, with_fallback,
    },
    lab::{Lab, quota, seconds},
};

fn explain(lab: &Lab, request: &str) -> Explanation {
    lab.engine.explain(&id(request)).unwrap()
}

/// The limit that is in the way in each pool.
fn limits(lab: &Lab, request: &str) -> Vec<(String, Limit)> {
    explain(lab, request).obstacles.into_iter().map(|one| (one.pool.to_string(), one.limit)).collect()
}

fn limit(lab: &Lab, request: &str) -> Limit {
    let mut limits = limits(lab, request);
    assert_eq!(limits.len(), 1, "{limits:?}");
    limits.remove(0).1
}

#[test]
fn who_is_at_its_limit_is_told_the_numbers_and_since_when() {
    let mut spec = spec([("a", kept(3)), ("b", kept(3))]);
    spec.limits.max_per_owner = Some(2);
    let mut lab = of(spec);
    given(&mut lab, wish("r1", "team/x", ["a"]));
    lab.pass(seconds(10));
    let reached = lab.now;
    given(&mut lab, wish("r2", "team/y", ["b"]));
    waits(&mut lab, wish("r3", "team/x", ["a", "b"]));
    let expected =
        Limit::OwnerLimit { owner: owner("team"), pool: None, held: 2, max: 2, wanted: 1, since: reached };
    let told = limits(&lab, "r3");
    assert_eq!(told, [("a".to_owned(), expected.clone()), ("b".to_owned(), expected.clone())]);
    assert_eq!(expected.to_string(), "team holds 2 of the 2 VMs that it may have at once, and wants 1 more");
    assert_eq!(explain(&lab, "r3").likely_at, None);
}

#[test]
fn a_limit_in_one_pool_is_told_of_that_pool() {
    let mut first = kept(2);
    first.max_per_owner = Some(1);
    let mut lab = of(spec([("a", first), ("b", kept(1))]));
    given(&mut lab, wish("r1", "ann", ["a"]));
    given(&mut lab, wish("r2", "bob", ["b"]));
    waits(&mut lab, wish("r3", "ann", ["a", "b"]));
    let told = limits(&lab, "r3");
    assert!(
        matches!(&told[0].1, Limit::OwnerLimit { pool: Some(pool), .. } if *pool == name("a")),
        "{told:?}"
    );
    assert!(matches!(&told[1].1, Limit::PoolFull { .. }), "{told:?}");
}

#[test]
fn what_an_owner_may_have_of_a_stand_in_binds_who_wants_more_of_it_than_that_while_the_pool_itself_is_full() {
    let mut scarce = kept(4);
    scarce.max_per_owner = Some(2);
    let mut lab = farm([("a", with_fallback(kept(1), "b")), ("b", scarce)]);
    given(&mut lab, wish("r1", "ann", ["a"]).with_count(2));
    waits(&mut lab, wish("r2", "ann", ["a"]).with_count(3));
    lab.pass(seconds(1));
    let explained = lab.engine.explain(&id("r2")).unwrap();
    let told: Vec<_> = explained.obstacles.iter().map(|obstacle| obstacle.limit.to_string()).collect();
    let wanted = [
        "the pool has 1 VMs, and max_total is 1",
        "ann holds 1 of the 2 VMs of pool b that it may have at once, and wants 3 more",
    ];
    assert_eq!(told, wanted);
    // Of two, one of b is enough once a has one.
    waits(&mut lab, wish("r3", "ann", ["a"]).with_count(2));
    let explained = lab.engine.explain(&id("r3")).unwrap();
    assert!(matches!(explained.obstacles[1].limit, Limit::OwnerLimit { .. }), "{explained:?}");
    let mut lab = farm([("a", with_fallback(on_demand(2), "b")), ("b", kept(1))]);
    waits(&mut lab, wish("r1", "ann", ["a"]).with_count(2));
    let explained = lab.engine.explain(&id("r1")).unwrap();
    assert!(matches!(explained.obstacles[0].limit, Limit::Starting { .. }), "{explained:?}");
}

#[test]
fn a_full_pool_is_told_and_since_when_but_not_before_the_request_came() {
    let mut lab = farm([("a", kept(1))]);
    given(&mut lab, wish("r1", "ann", ["a"]));
    lab.pass(seconds(5));
    let first = lab.now;
    waits(&mut lab, wish("r2", "bob", ["a"]));
    lab.pass(seconds(5));
    waits(&mut lab, wish("r3", "bob", ["a"]));
    let full = |since| Limit::PoolFull { total: 1, max_total: 1, since };
    assert_eq!((limit(&lab, "r2"), limit(&lab, "r3")), (full(first), full(lab.now)));
    lab.pass(seconds(5));
    assert_eq!(limit(&lab, "r2").since(), first);
}

#[test]
fn vms_that_start_are_told_and_that_no_more_may_start_to_who_needs_more() {
    let mut pool = on_demand(5);
    pool.max_starting = 1;
    let mut lab = Lab::of(spec([("a", pool)]));
    waits(&mut lab, wish("r1", "ann", ["a"]));
    waits(&mut lab, wish("r2", "ann", ["a"]));
    assert_eq!(limit(&lab, "r1"), Limit::Starting { vms: 1, since: lab.now });
    assert!(matches!(limit(&lab, "r2"), Limit::MaxStarting { starting: 1, max_starting: 1, .. }));
}

#[test]
fn the_pace_of_a_pool_is_told_with_its_end() {
    let mut pool = on_demand(5);
    pool.spawn_min_interval = seconds(30);
    let mut lab = Lab::of(spec([("a", pool)]));
    waits(&mut lab, wish("r1", "ann", ["a"]));
    waits(&mut lab, wish("r2", "ann", ["a"]));
    assert_eq!(limit(&lab, "r2").until(), Some(lab.now + seconds(30)));
}

#[test]
fn an_offer_that_pauses_is_told_with_why_and_until_when() {
    let mut lab = Lab::of(spec([("a", on_demand(1))]));
    waits(&mut lab, wish("r1", "ann", ["a"]));
    lab.not_created(quota());
    let Limit::OfferPaused { why, until, .. } = limit(&lab, "r1") else { panic!("{:?}", limit(&lab, "r1")) };
    assert!(why.contains("the quota is used up") && lab.now < until, "{why} {until}");
}

#[test]
fn a_provider_that_is_left_alone_is_told_with_until_when() {
    let mut spec = spec([("a", on_demand(1))]);
    spec.providers.values_mut().for_each(|provider| provider.breaker_failures = 1);
    let mut lab = Lab::of(spec);
    waits(&mut lab, wish("r1", "ann", ["a"]));
    let failure =
        vmpool_model::Failure::not_applied(vmpool_model::FailureKind::Unavailable, "no route to host");
    lab.not_created(failure);
    let told = limit(&lab, "r1");
    assert!(matches!(&told, Limit::BreakerOpen { .. }) && told.until().is_some(), "{told:?}");
}

#[test]
fn a_used_up_quota_is_told_with_its_numbers() {
    let mut spec = spec([("a", on_demand(5))]);
    spec.providers.values_mut().for_each(|provider| provider.quota = [("vms".to_owned(), 1)].into());
    let mut lab = Lab::of(spec);
    waits(&mut lab, wish("r1", "ann", ["a"]));
    lab.boot_all();
    waits(&mut lab, wish("r2", "ann", ["a"]));
    let told = limit(&lab, "r2");
    assert!(matches!(&told, Limit::Quota { used: 1, quota: 1, needs: 1, .. }), "{told:?}");
}

#[test]
fn a_pool_that_stands_in_for_one_that_can_make_vms_is_told_as_such() {
    let mut lab = farm([("a", with_fallback(on_demand(1), "b")), ("b", kept(1))]);
    waits(&mut lab, wish("r1", "ann", ["a"]));
    let told = limits(&lab, "r1");
    assert!(matches!(&told[0].1, Limit::Starting { vms: 1, .. }), "{told:?}");
    assert!(matches!(&told[1].1, Limit::StandsBy { pool, .. } if *pool == name("a")), "{told:?}");
}

#[test]
fn too_few_ready_vms_are_told_and_those_who_come_before() {
    let mut pool = kept(2);
    pool.max_total = Some(5);
    let mut lab = farm([("a", pool)]);
    waits(&mut lab, wish("big", "ann", ["a"]).with_count(3));
    assert_eq!(limit(&lab, "big"), Limit::TooFew { ready: 2, wanted: 3, since: lab.now });
    waits(&mut lab, wish("small", "cat", ["a"]));
    assert_eq!(limit(&lab, "small"), Limit::Behind { requests: 1, since: lab.now });
    assert_eq!((explain(&lab, "big").position, explain(&lab, "small").position), (Some(1), Some(2)));
    waits(&mut lab, wish("more", "cat", ["a"]).with_count(3));
    assert!(
        matches!(limit(&lab, "more"), Limit::MaxStarting { starting: 2, .. }),
        "{:?}",
        limit(&lab, "more")
    );
}

#[test]
fn who_waits_beside_a_ready_vm_of_a_full_pool_is_told_who_comes_before() {
    let mut lab = farm([("a", kept(2))]);
    given(&mut lab, wish("r1", "cat", ["a"]));
    waits(&mut lab, wish("big", "ann", ["a"]).with_count(2));
    waits(&mut lab, wish("small", "bob", ["a"]));
    assert_eq!(limit(&lab, "small"), Limit::Behind { requests: 1, since: lab.now });
    assert_eq!(limit(&lab, "big"), Limit::PoolFull { total: 2, max_total: 2, since: lab.now });
}

#[test]
fn a_request_that_does_not_wait_has_nothing_in_its_way() {
    let mut lab = farm([("a", kept(1))]);
    given(&mut lab, wish("r1", "ann", ["a"]));
    let told = explain(&lab, "r1");
    assert_eq!((told.position, told.obstacles, told.likely_at), (None, Vec::new(), None));
    assert_eq!(lab.engine.explain(&id("r9")), Err(Refusal::UnknownRequest { request: id("r9") }));
}

#[test]
fn all_that_wait_are_explained_in_the_order_in_which_they_come() {
    let mut lab = farm([("a", kept(1)), ("b", kept(1))]);
    given(&mut lab, wish("r1", "ann", ["a"]));
    given(&mut lab, wish("r2", "ann", ["b"]));
    for (request, who, priority) in
        [("low", "ann", -1), ("mine", "ann", 0), ("other", "bob", 0), ("high", "ann", 1)]
    {
        waits(&mut lab, wish(request, who, ["a", "b"]).with_priority(priority));
    }
    let all = lab.engine.explain_all();
    let order: Vec<_> = all.iter().map(|one| one.request.as_str()).collect();
    assert_eq!(order, ["high", "other", "mine", "low"]);
    assert!(all.iter().all(|one| one.obstacles.len() == 2));
    assert!(all.iter().all(|one| *one == explain(&lab, one.request.as_str())));
    assert!(all.iter().map(|one| one.position).eq((1..5).map(Some)));
}

#[test]
fn a_start_is_estimated_by_how_long_vms_take_to_become_ready() {
    let mut lab = Lab::of(spec([("a", on_demand(2))]));
    waits(&mut lab, wish("r1", "ann", ["a"]));
    assert_eq!(explain(&lab, "r1").likely_at, None, "nothing was measured yet");
    lab.pass(seconds(20));
    lab.boot_all();
    lab.pass(seconds(5));
    let asked = lab.now;
    waits(&mut lab, wish("r2", "ann", ["a"]));
    lab.pass(seconds(5));
    assert_eq!(explain(&lab, "r2").likely_at, Some(asked + seconds(20)));
    lab.pass(seconds(60));
    assert_eq!(explain(&lab, "r2").likely_at, Some(lab.now), "it is late");
}

#[test]
fn a_start_in_a_full_pool_is_estimated_by_how_long_leases_last() {
    let mut pool = kept(2);
    pool.on_release = OnRelease::Reuse;
    let mut lab = of(spec([("a", pool)]));
    given(&mut lab, wish("r0", "ann", ["a"]));
    lab.pass(seconds(100));
    release(&mut lab, "r0");
    given(&mut lab, wish("r1", "ann", ["a"]));
    given(&mut lab, wish("r2", "ann", ["a"]));
    waits(&mut lab, wish("r3", "ann", ["a"]));
    waits(&mut lab, wish("r4", "ann", ["a"]));
    let likely = |lab: &Lab, request: &str| explain(lab, request).likely_at;
    let end = lab.now + seconds(100);
    assert_eq!((likely(&lab, "r3"), likely(&lab, "r4")), (Some(end), Some(end)), "both leases began at once");
    lab.pass(seconds(60));
    assert_eq!(likely(&lab, "r3"), Some(end), "it comes nearer");
    waits(&mut lab, wish("r5", "ann", ["a"]));
    assert_eq!(likely(&lab, "r5"), Some(end + seconds(100)), "after the lease of one of those before it");
}

#[test]
fn nothing_is_estimated_from_a_lease_that_lasts_longer_than_leases_do() {
    let mut pool = kept(2);
    pool.on_release = OnRelease::Reuse;
    let mut lab = of(spec([("a", pool)]));
    given(&mut lab, wish("r0", "ann", ["a"]));
    lab.pass(seconds(100));
    release(&mut lab, "r0");
    given(&mut lab, wish("r1", "ann", ["a"]).with_ttl(Some(seconds(900))));
    lab.pass(seconds(80));
    given(&mut lab, wish("r2", "ann", ["a"]).with_ttl(Some(seconds(900))));
    waits(&mut lab, wish("r3", "ann", ["a"]).with_wait(seconds(900)));
    let second = lab.now + seconds(100);
    assert_eq!(explain(&lab, "r3").likely_at, Some(lab.now + seconds(20)));
    lab.pass(seconds(21));
    assert_eq!(
        explain(&lab, "r3").likely_at,
        Some(second),
        "who had the first is late, and nobody knows how much"
    );
    lab.pass(seconds(80));
    assert_eq!(explain(&lab, "r3").likely_at, None);
    lab.pass(seconds(100));
    assert_eq!(explain(&lab, "r3").likely_at, None);
}

#[test]
fn what_a_refused_wish_is_told_is_what_is_in_its_way() {
    let mut lab = farm([("a", kept(1)), ("b", on_demand(1))]);
    given(&mut lab, wish("r1", "ann", ["a"]));
    let told = refusal(&mut lab, wish("r2", "ann", ["a", "b"]).with_wait(seconds(0))).to_string();
    assert_eq!(
        told,
        "no VM of the pools a, b can be leased now: a: 1 in_use, the pool has 1 VMs, and max_total is 1; b: the pool has no VM yet; \
         wait for one with --wait"
    );
}

#[test]
fn vms_that_are_kept_for_who_waits_count_as_ready_for_it() {
    let mut pool = kept(2);
    pool.max_total = Some(5);
    let mut lab = of(spec([("a", pool)]));
    given(&mut lab, wish("r1", "ann", ["a"]));
    release(&mut lab, "r1");
    waits(&mut lab, wish("big", "ann", ["a"]).with_count(3));
    assert_eq!(limit(&lab, "big"), Limit::TooFew { ready: 2, wanted: 3, since: lab.now });
}

#[test]
fn who_may_have_as_many_as_it_wants_is_told_no_limit_of_its_own() {
    let mut pool = kept(1);
    pool.max_per_owner = Some(2);
    let mut spec = spec([("a", pool)]);
    spec.limits.max_per_owner = Some(2);
    let mut lab = of(spec);
    given(&mut lab, wish("r1", "ann", ["a"]));
    waits(&mut lab, wish("r2", "ann", ["a"]));
    assert!(matches!(limit(&lab, "r2"), Limit::PoolFull { .. }), "{}", limit(&lab, "r2"));
}

/// A pool that has one VM, which took 20 s to become ready and is leased.
fn measured(pool: vmpool_model::config::PoolConfig) -> Lab {
    let mut lab = Lab::of(spec([("a", pool)]));
    waits(&mut lab, wish("r1", "ann", ["a"]));
    lab.pass(seconds(20));
    lab.boot_all();
    lab
}

#[test]
fn a_start_that_comes_after_another_is_estimated_so() {
    let mut pool = on_demand(3);
    pool.max_starting = 1;
    let mut lab = measured(pool);
    waits(&mut lab, wish("r2", "ann", ["a"]));
    waits(&mut lab, wish("r3", "ann", ["a"]));
    assert_eq!(explain(&lab, "r3").likely_at, Some(lab.now + seconds(40)));
}

#[test]
fn no_start_is_estimated_for_what_is_kept_for_who_waits() {
    let mut pool = on_demand(5);
    pool.on_release = OnRelease::Reuse;
    let mut lab = measured(pool);
    release(&mut lab, "r1");
    waits(&mut lab, wish("big", "ann", ["a"]).with_count(2));
    assert_eq!(explain(&lab, "big").likely_at, Some(lab.now + seconds(20)), "one VM is missing, and starts");
}

#[test]
fn a_vm_that_is_used_once_is_replaced_after_its_lease_and_that_takes_a_start() {
    let mut pool = on_demand(3);
    pool.on_release = OnRelease::Destroy;
    let mut lab = Lab::of(spec([("a", pool)]));
    for request in ["r1", "r2", "r3"] {
        waits(&mut lab, wish(request, "ann", ["a"]));
    }
    lab.pass(seconds(20));
    lab.boot_all();
    lab.pass(seconds(100));
    release(&mut lab, "r1");
    waits(&mut lab, wish("r4", "ann", ["a"]));
    // The other two leases are as old as this one became.
    assert_eq!(explain(&lab, "r4").likely_at, Some(lab.now + seconds(20)));
    lab.pass(seconds(1));
    assert_eq!(explain(&lab, "r4").likely_at, None);
}

#[test]
fn who_would_rather_have_another_pool_is_not_counted_among_those_who_come_before() {
    let mut pool = kept(2);
    pool.max_total = Some(5);
    let mut lab = farm([("a", pool), ("b", on_demand(1))]);
    waits(&mut lab, wish("big", "ann", ["a"]).with_count(3));
    waits(&mut lab, wish("small", "cat", ["b", "a"]));
    let told = limits(&lab, "small");
    assert_eq!(told[1], ("a".to_owned(), Limit::Behind { requests: 1, since: lab.now }));
}
