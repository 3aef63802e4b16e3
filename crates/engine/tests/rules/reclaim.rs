//! Who waits comes before who may come: what pools keep ready gives its room in a shared quota to requests that wait.

use std::collections::BTreeMap;

use vmpool_engine::{Input, Spec};
use vmpool_model::{
    RecordState,
    config::{OfferConfig, PoolConfig},
};

use crate::{
    clouds::named,
    farm::{count, id, of, on_demand, renew, served, spec, waits, wish},
    lab::{Lab, seconds},
};

/// A pool that keeps VMs ready, each of which needs this many cores.
fn stock(min_ready: u32, cores: u64) -> PoolConfig {
    let mut config = sized(on_demand(4), cores);
    config.min_ready = min_ready;
    config
}

fn sized(config: PoolConfig, cores: u64) -> PoolConfig {
    let mut config = config;
    let mut offer = OfferConfig::new(named("lab"), "template");
    offer.needs = BTreeMap::from([("cores".to_owned(), cores)]);
    (config.provider, config.template, config.offers) = (None, None, vec![offer]);
    config
}

fn within<const N: usize>(cores: u64, pools: [(&str, PoolConfig); N]) -> Spec {
    let mut spec = spec(pools);
    let quota = |provider: &mut vmpool_model::config::ProviderConfig| {
        provider.quota.insert("cores".to_owned(), cores);
    };
    spec.providers.values_mut().for_each(quota);
    spec
}

fn ready<const N: usize>(lab: &Lab, pools: [&str; N]) -> [usize; N] {
    pools.map(|pool| count(lab, pool, RecordState::Ready))
}

#[test]
fn what_a_pool_keeps_ready_makes_room_in_the_quota_for_who_waits_in_another_one() {
    let mut lab = of(within(2, [("a", stock(0, 1)), ("b", stock(2, 1))]));
    assert_eq!(ready(&lab, ["b"]), [2]);
    waits(&mut lab, wish("r1", "ann", ["a"]));
    assert_eq!(lab.counts([RecordState::Ready, RecordState::Terminating]), [1, 1], "one is enough");
    renew(&mut lab);
    assert_eq!((served(&lab), ready(&lab, ["b"])), (vec!["r1"], [1]));
}

#[test]
fn a_request_for_several_vms_is_served_although_another_pool_keeps_all_that_the_quota_allows() {
    let mut lab = of(within(3, [("a", stock(0, 1)), ("b", stock(3, 1))]));
    waits(&mut lab, wish("r1", "ann", ["a"]).with_count(3));
    renew(&mut lab);
    assert_eq!((served(&lab), lab.counts([RecordState::InUse])), (vec!["r1"], [3]));
}

#[test]
fn the_room_for_who_waits_is_not_taken_by_the_stock_that_made_it() {
    let mut lab = of(within(2, [("a", stock(0, 2)), ("b", stock(2, 1))]));
    waits(&mut lab, wish("r1", "ann", ["a"]));
    assert_eq!(lab.counts([RecordState::Terminating]), [2], "a VM of a needs both cores");
    let stays = lab.destroyed(Ok(()));
    let left: Vec<_> = lab.vms().filter(|vm| vm.node.as_ref().is_some_and(|node| node.id != stays)).collect();
    let left = left.iter().map(|vm| {
        let node = vm.node.clone().unwrap();
        let mut listed = vmpool_model::Node::new(node.id, vm.name.as_str(), node.state);
        listed.token = Some(vm.token(&lab.engine.spec().installation));
        listed
    });
    let left: Vec<_> = left.collect();
    lab.list(&left);
    lab.list(&left);
    assert_eq!((lab.vms().count(), lab.creates()), (1, 0), "one core is free, and is left to who waits");
    renew(&mut lab);
    assert_eq!((served(&lab), ready(&lab, ["b"])), (vec!["r1"], [0]));
}

#[test]
fn a_stock_is_filled_again_once_nobody_waits_any_more() {
    let mut lab = of(within(2, [("a", stock(0, 2)), ("b", stock(2, 1))]));
    waits(&mut lab, wish("r1", "ann", ["a"]));
    let _ = lab.step(Input::Cancel(id("r1")));
    renew(&mut lab);
    assert_eq!(ready(&lab, ["a", "b"]), [0, 2]);
}

#[test]
fn of_several_stocks_those_give_first_that_have_the_most() {
    let pools = [("a", stock(0, 1)), ("b", stock(1, 1)), ("c", stock(3, 1))];
    let mut lab = of(within(4, pools));
    for (request, left) in [("r1", [1, 2]), ("r2", [1, 1]), ("r3", [0, 1])] {
        waits(&mut lab, wish(request, "ann", ["a"]));
        assert_eq!(ready(&lab, ["b", "c"]), left, "after {request}");
    }
}

#[test]
fn what_is_set_aside_for_who_waits_longer_is_no_stock() {
    let mut lab = of(within(2, [("a", stock(0, 1)), ("b", stock(1, 1)), ("c", stock(0, 1))]));
    waits(&mut lab, wish("r0", "cat", ["c"]));
    lab.boot_all();
    waits(&mut lab, wish("r1", "bob", ["b"]).with_count(2));
    lab.pass(seconds(1));
    waits(&mut lab, wish("r2", "ann", ["a"]));
    assert_eq!((served(&lab), ready(&lab, ["b"])), (vec!["r0"], [1]), "r1 comes first, and lacks one VM");
}

#[test]
fn a_stock_that_would_not_make_room_enough_stays() {
    let mut lab = of(within(3, [("a", stock(0, 3)), ("b", stock(1, 1)), ("c", stock(0, 2))]));
    waits(&mut lab, wish("r1", "cat", ["c"]));
    lab.boot_all();
    waits(&mut lab, wish("r2", "ann", ["a"]));
    assert_eq!((served(&lab), ready(&lab, ["b"])), (vec!["r1"], [1]));
}
