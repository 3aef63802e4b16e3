//! Which pools serve a request, and which requests none ever will.

use std::collections::BTreeMap;

use vmpool_engine::{Input, Refusal};
use vmpool_model::{Label, config::OwnerLimits};

use crate::{
    farm::{
        farm, given, grants, id, kept, labels, name, of, on_demand, owner, refusal, served, spec, waits,
        wish, with_fallback, with_labels,
    },
    lab::{Lab, sandbox, seconds},
};

#[test]
fn c14_own_vms_come_first_in_each_pool_and_pools_in_their_order() {
    let mut lab = farm([("a", kept(2)), ("b", kept(1))]);
    let tenant = |request, pools: &[&str]| {
        wish(request, "bob", [])
            .with_pools(pools.iter().map(|pool| name(pool)).collect())
            .with_sandbox(sandbox("s"))
    };
    let first = grants(&mut lab, tenant("r0", &["a"])).remove(0).lease;
    lab.release(&first);
    let own = grants(&mut lab, tenant("r1", &["a", "b"])).remove(0).lease;
    assert_eq!(own.vm, first.vm, "the one that bob used before");
    assert_eq!(given(&mut lab, tenant("r2", &["a", "b"])), ["a"]);
    let none = refusal(&mut lab, tenant("r3", &["a"]).with_wait(seconds(0)));
    assert!(matches!(none, Refusal::NoVmAvailable { .. }), "{none}");
    assert_eq!(given(&mut lab, tenant("r4", &["a", "b"])), ["b"]);
}

#[test]
fn the_pool_liked_best_serves_first_whatever_its_name() {
    let mut lab = farm([("a", kept(1)), ("b", kept(1))]);
    assert_eq!(given(&mut lab, wish("r1", "ann", ["b", "a"])), ["b"]);
    assert_eq!(given(&mut lab, wish("r2", "ann", ["b", "a", "b"])), ["a"]);
}

#[test]
fn who_waits_takes_whichever_pool_has_a_vm_first() {
    let mut lab = Lab::of(spec([("a", on_demand(1)), ("b", on_demand(1))]));
    waits(&mut lab, wish("r1", "ann", ["a"]));
    waits(&mut lab, wish("r2", "bob", ["a", "b"]));
    assert_eq!(lab.creates(), 2, "a has no room for both");
    lab.boot_all();
    assert_eq!(served(&lab).len(), 2);
}

#[test]
fn labels_find_the_pools_that_have_all_of_them() {
    let mut lab = farm([
        ("a", with_labels(kept(1), ["x86"])),
        ("b", with_labels(kept(1), ["x86", "big"])),
        ("c", with_labels(kept(1), ["arm", "big"])),
    ]);
    let all = |request| wish(request, "ann", []).with_labels(labels(["x86", "big"]));
    assert_eq!(given(&mut lab, all("r1")), ["b"]);
    waits(&mut lab, all("r2"));
    let named = wish("r3", "ann", ["a", "c"]).with_labels(labels(["big"]));
    assert_eq!(given(&mut lab, named), ["c"], "labels choose among the pools that are named");
    assert_eq!(given(&mut lab, wish("r4", "bob", []).with_labels(labels(["x86"]))), ["a"]);
}

#[test]
fn labels_that_no_pool_has_are_refused_with_those_there_are() {
    let pools = [("a", with_labels(kept(1), ["x86"])), ("b", with_labels(kept(1), ["arm"]))];
    let mut lab = farm(pools);
    let told = refusal(&mut lab, wish("r1", "ann", []).with_labels(labels(["x86", "arm"])));
    let Refusal::NoPoolWithLabels { known, pools, .. } = &told else { panic!("{told}") };
    assert_eq!((known, pools.len()), (&labels(["arm", "x86"]), 0));
    assert_eq!(told.to_string(), "no pool has the labels arm, x86; the labels there are: arm, x86");
    let told = refusal(&mut lab, wish("r1", "ann", ["a"]).with_labels(labels(["arm"])));
    let arm = Label::new("x86").unwrap();
    assert!(
        matches!(&told, Refusal::NoPoolWithLabels { known, .. } if known.first() == Some(&arm)),
        "{told}"
    );
}

#[test]
fn a_request_that_names_nothing_is_refused() {
    let mut lab = farm([("a", kept(1))]);
    assert_eq!(refusal(&mut lab, wish("r1", "ann", [])), Refusal::NoPoolNamed { known: vec![name("a")] });
}

#[test]
fn one_unknown_pool_among_known_ones_is_refused() {
    let mut lab = farm([("a", kept(1))]);
    let unknown = Refusal::UnknownPool { pool: name("b"), known: vec![name("a")] };
    assert_eq!(refusal(&mut lab, wish("r1", "ann", ["a", "b"])), unknown);
}

#[test]
fn no_vms_and_more_than_the_pools_can_have_are_refused() {
    let mut lab = farm([("a", on_demand(2)), ("b", with_fallback(on_demand(1), "c")), ("c", on_demand(3))]);
    let told = |lab: &mut Lab, count| match refusal(lab, wish("r1", "ann", ["a", "b"]).with_count(count)) {
        Refusal::CountOutOfRange { max, .. } => max,
        other => panic!("{other}"),
    };
    assert_eq!((told(&mut lab, 0), told(&mut lab, 7)), (6, 6), "c stands in for b");
    waits(&mut lab, wish("r1", "ann", ["a", "b"]).with_count(6));
}

#[test]
fn more_than_an_owner_may_ever_hold_is_refused() {
    let mut spec = spec([("a", on_demand(9)), ("b", on_demand(9))]);
    spec.limits.max_per_owner = Some(5);
    let mut of_team = OwnerLimits::default();
    (of_team.max, of_team.max_per_sub_owner) = (Some(7), Some(2));
    spec.limits.owners.insert(owner("team"), of_team);
    spec.pools.get_mut(&name("b")).unwrap().max_per_owner = Some(3);
    let mut lab = of(spec);
    for (who, pools, most) in
        [("ann", ["a", "a"], 5), ("team", ["a", "a"], 7), ("team/x", ["a", "a"], 2), ("team", ["b", "b"], 3)]
    {
        let told = refusal(&mut lab, wish("r1", who, pools).with_count(most + 1));
        assert!(matches!(told, Refusal::OwnerLimit { max, .. } if max == most as usize), "{told}");
        waits(&mut lab, wish("r1", who, pools).with_count(most));
        let _ = lab.step(Input::Abandon(id("r1")));
        lab.pass(seconds(1));
    }
}

#[test]
fn a_pool_whose_vms_no_quota_has_room_for_is_refused() {
    let mut config = on_demand(2);
    config.offers = config.offers();
    (config.provider, config.template) = (None, None);
    config.offers[0].needs = BTreeMap::from([("cores".to_owned(), 8), ("addresses".to_owned(), 1)]);
    let mut spec = spec([("a", config), ("b", on_demand(1))]);
    let provider = spec.providers.values_mut().next().unwrap();
    provider.quota.extend([("cores".to_owned(), 4), ("addresses".to_owned(), 1)]);
    let mut lab = of(spec);
    let told = refusal(&mut lab, wish("r1", "ann", ["a"]));
    assert!(matches!(&told, Refusal::NeverPossible { .. }), "{told}");
    assert!(told.to_string().contains("a VM needs 8 cores at provider lab, whose quota is 4"), "{told}");
    waits(&mut lab, wish("r1", "ann", ["a", "b"]));
}

#[test]
fn pools_that_are_all_drained_are_refused_and_one_that_is_not_serves() {
    let mut lab = farm([("a", kept(1)), ("b", kept(1))]);
    let _ = lab.step(Input::Drain { pool: name("a"), reason: "new image".to_owned() });
    let told = refusal(&mut lab, wish("r1", "ann", ["a"]));
    assert_eq!(told, Refusal::PoolDrained { pool: name("a"), reason: "new image".to_owned() });
    assert_eq!(given(&mut lab, wish("r2", "ann", ["a", "b"])), ["b"]);
}

#[test]
fn who_waits_for_a_pool_that_is_drained_goes_on_to_the_next_or_is_turned_away() {
    let mut lab = Lab::of(spec([("a", on_demand(1)), ("b", on_demand(1))]));
    waits(&mut lab, wish("r1", "ann", ["a", "b"]));
    waits(&mut lab, wish("r2", "ann", ["a"]));
    let _ = lab.step(Input::Drain { pool: name("a"), reason: "new image".to_owned() });
    let (turned_away, result) = lab.decided.remove(0);
    assert_eq!((turned_away.as_str(), lab.engine.requests().count()), ("r2", 2), "it is remembered");
    assert!(matches!(refusal(&mut lab, wish("r2", "ann", ["a"])), Refusal::TurnedAway { .. }));
    assert!(matches!(result, Err(Refusal::PoolDrained { .. })), "{result:?}");
    lab.boot_all();
    assert_eq!(served(&lab), ["r1"]);
}

#[test]
fn a_lease_lasts_no_longer_than_its_pool_allows() {
    let mut short = kept(1);
    (short.lease_ttl, short.max_lease_ttl) = (seconds(60), seconds(100));
    let mut lab = farm([("a", short), ("b", kept(1))]);
    let asked = wish("r1", "ann", ["a", "b"]).with_ttl(Some(seconds(500)));
    assert_eq!(grants(&mut lab, asked).remove(0).lease.ttl, seconds(100), "a allows no more");
    let again = wish("r2", "ann", ["a", "b"]).with_ttl(Some(seconds(500)));
    assert_eq!(grants(&mut lab, again).remove(0).lease.ttl, seconds(500));
    let told = refusal(&mut lab, wish("r3", "ann", ["a", "b"]).with_ttl(Some(seconds(86_401))));
    assert_eq!(told, Refusal::TtlOutOfRange { pool: name("b"), max: seconds(86_400) });
}
