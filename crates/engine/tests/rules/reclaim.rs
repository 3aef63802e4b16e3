//! Who waits comes before who may come: what pools keep ready gives its room in a shared quota to requests that wait.

use std::collections::BTreeMap;

use vmpool_engine::{Input, Spec};
use vmpool_model::{
    EventKind, Node, RecordState,
    config::{OfferConfig, OnRelease, PoolConfig},
    states::NodeState,
};

use crate::{
    clouds::named,
    farm::{count, given, id, name, of, on_demand, release, renew, served, spec, waits, wish},
    lab::{Lab, provider, seconds},
    reconfigure::change,
};

/// A pool that keeps VMs ready, each of which needs this many cores.
fn stock(min_ready: u32, cores: u64) -> PoolConfig {
    let mut config = sized(on_demand(4), cores);
    config.min_ready = min_ready;
    config
}

/// A pool that keeps no VMs ready, each of which needs one core.
fn on_demand_of(max_total: u32) -> PoolConfig {
    sized(on_demand(max_total), 1)
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

/// Lets everything be destroyed that is to be, and asks for what takes its place.
fn replace(lab: &mut Lab) {
    while lab.destroys() != 0 {
        lab.destroyed(Ok(()));
    }
    let installation = lab.engine.spec().installation.clone();
    let stays = lab.vms().filter(|vm| vm.state != RecordState::Terminating);
    let nodes = stays.filter_map(|vm| {
        let view = vm.node.as_ref()?;
        let mut node = Node::new(view.id.clone(), vm.name.as_str(), view.state);
        node.token = Some(vm.token(&installation));
        Some(node)
    });
    let nodes: Vec<_> = nodes.collect();
    lab.list(&nodes);
    lab.list(&nodes);
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

/// Lets ann wait for a VM of a, which needs two cores: of those of b that make room one is gone, and one is not yet.
fn one_core_is_left_to_ann(lab: &mut Lab) {
    waits(lab, wish("r1", "ann", ["a"]));
    assert_eq!(lab.counts([RecordState::Terminating]), [2], "a VM of a needs both cores");
    let stays = lab.destroyed(Ok(()));
    let vms = lab.vms().filter(|vm| vm.provider == provider());
    let left = vms.filter(|vm| vm.node.as_ref().is_some_and(|node| node.id != stays));
    let left = left.map(|vm| {
        let node = vm.node.clone().unwrap();
        let mut listed = Node::new(node.id, vm.name.as_str(), node.state);
        listed.token = Some(vm.token(&lab.engine.spec().installation));
        listed
    });
    let left: Vec<_> = left.collect();
    lab.list(&left);
    lab.list(&left);
    assert_eq!((count(lab, "b", RecordState::Terminating), lab.creates()), (1, 0), "it is left to who waits");
}

#[test]
fn the_room_for_who_waits_is_not_taken_by_the_stock_that_made_it() {
    let mut lab = of(within(2, [("a", stock(0, 2)), ("b", stock(2, 1))]));
    one_core_is_left_to_ann(&mut lab);
    renew(&mut lab);
    assert_eq!((served(&lab), ready(&lab, ["b"])), (vec!["r1"], [0]));
}

#[test]
fn the_room_that_was_left_to_a_pool_is_taken_when_a_reload_removes_it() {
    let mut lab = of(within(2, [("a", stock(0, 2)), ("b", stock(2, 1))]));
    one_core_is_left_to_ann(&mut lab);
    change(&mut lab, |to| drop(to.pools.remove(&name("a"))));
    assert_eq!(lab.creates(), 1);
}

#[test]
fn the_room_that_was_left_to_a_pool_is_taken_when_a_reload_moves_it_elsewhere() {
    let far = |config: PoolConfig| {
        let mut config = config;
        config.offers[0].provider = named("far");
        config
    };
    let mut spec = within(2, [("a", stock(0, 2)), ("b", stock(2, 1)), ("c", far(stock(2, 1)))]);
    spec.providers.insert(named("far"), spec.providers[&provider()].clone());
    let mut lab = of(spec);
    for request in ["r2", "r3"] {
        given(&mut lab, wish(request, "cat", ["c"]));
    }
    one_core_is_left_to_ann(&mut lab);
    change(&mut lab, |to| {
        to.pools.insert(name("a"), far(stock(0, 2)));
    });
    assert_eq!(lab.creates(), 1);
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

#[test]
fn a_request_that_would_not_be_complete_takes_no_stock_and_one_that_would_does() {
    let few = |mut pool: PoolConfig| {
        pool.offers[0].max_total = Some(3);
        pool
    };
    for (pool, count) in [(stock(0, 1), 4), (stock(0, 1), 3), (few(stock(0, 1)), 2)] {
        let mut lab = of(within(4, [("a", pool), ("b", stock(2, 1))]));
        waits(&mut lab, wish("r1", "cat", ["a"]).with_count(2));
        renew(&mut lab);
        waits(&mut lab, wish("r2", "ann", ["a"]).with_count(count));
        assert_eq!((lab.counts([RecordState::Terminating]), ready(&lab, ["b"])), ([0], [2]), "{count}");
        release(&mut lab, "r1");
        // First what it had makes room, then what b keeps ready.
        renew(&mut lab);
        renew(&mut lab);
        assert_eq!(served(&lab), ["r1", "r2"], "{count}");
    }
}

#[test]
fn no_stock_goes_for_a_second_request_that_cannot_be_complete_beside_the_first_one() {
    let mut lab = of(within(6, [("a", on_demand_of(8)), ("b", stock(2, 1))]));
    for (request, owner) in [("r1", "ann"), ("r2", "bob")] {
        waits(&mut lab, wish(request, owner, ["a"]).with_count(4));
    }
    renew(&mut lab);
    assert_eq!((served(&lab), ready(&lab, ["b"])), (vec!["r1"], [2]));
    release(&mut lab, "r1");
    renew(&mut lab);
    assert_eq!(served(&lab), ["r1", "r2"]);
}

#[test]
fn no_stock_goes_for_who_waits_behind_a_request_that_cannot_be_complete_and_would_be_given_it_instead() {
    let mut lab = of(within(5, [("a", on_demand_of(3)), ("b", stock(3, 1))]));
    waits(&mut lab, wish("r1", "cat", ["a"]));
    renew(&mut lab);
    waits(&mut lab, wish("big", "ann", ["a"]).with_count(3));
    waits(&mut lab, wish("small", "bob", ["a"]));
    renew(&mut lab);
    assert_eq!((lab.counts([RecordState::Terminating]), ready(&lab, ["a", "b"])), ([0], [1, 3]));
    release(&mut lab, "r1");
    renew(&mut lab);
    renew(&mut lab);
    assert_eq!((served(&lab), ready(&lab, ["b"])), (vec!["r1", "big"], [2]), "as much as completes it");
    release(&mut lab, "big");
    renew(&mut lab);
    assert_eq!(served(&lab), ["r1", "big", "small"]);
}

#[test]
fn stock_goes_for_who_waits_behind_a_request_that_may_have_no_more_of_the_pool() {
    let mut scarce = on_demand_of(4);
    scarce.max_per_owner = Some(2);
    let mut lab = of(within(4, [("a", scarce), ("b", stock(3, 1)), ("c", sized(on_demand(1), 2))]));
    given(&mut lab, wish("r1", "cat", ["b"]));
    renew(&mut lab);
    // Of a it may have two, and for one of c there is no room beside them.
    waits(&mut lab, wish("big", "ann", ["a", "c"]).with_count(3));
    waits(&mut lab, wish("small", "bob", ["a"]));
    (0..4).for_each(|_| renew(&mut lab));
    assert_eq!(served(&lab), ["small"]);
}

#[test]
fn no_stock_goes_for_who_waits_behind_what_another_request_of_its_owner_claims() {
    let mut spec = within(6, [("a", on_demand_of(8)), ("b", stock(2, 1))]);
    spec.limits.max_per_owner = Some(5);
    let mut lab = of(spec);
    waits(&mut lab, wish("r1", "ann", ["a"]).with_count(2));
    renew(&mut lab);
    waits(&mut lab, wish("big", "ann", ["a"]).with_count(4).with_priority(9));
    waits(&mut lab, wish("small", "ann", ["a"]).with_priority(8));
    waits(&mut lab, wish("other", "bob", ["a"]).with_count(5));
    renew(&mut lab);
    assert_eq!((served(&lab), lab.counts([RecordState::Terminating])), (vec!["r1"], [0]));
    assert_eq!(ready(&lab, ["b"]), [2]);
}

#[test]
fn what_other_pools_have_and_what_its_owner_used_before_count_for_what_completes_a_request() {
    let mut reused = on_demand_of(4);
    reused.on_release = OnRelease::Reuse;
    let mut lab = of(within(6, [("a", reused), ("b", stock(2, 1)), ("c", stock(1, 1))]));
    waits(&mut lab, wish("r1", "ann", ["a"]));
    renew(&mut lab);
    release(&mut lab, "r1");
    assert_eq!(ready(&lab, ["a", "b", "c"]), [1, 2, 1]);
    waits(&mut lab, wish("r2", "cat", ["a"]));
    renew(&mut lab);
    waits(&mut lab, wish("r3", "ann", ["a", "c"]).with_count(4));
    renew(&mut lab);
    assert_eq!((served(&lab), ready(&lab, ["b"])), (vec!["r1", "r2", "r3"], [1]));
}

#[test]
fn a_stock_gets_back_the_room_of_what_another_pool_no_longer_needs() {
    let mut lab = of(within(2, [("a", stock(0, 1)), ("b", stock(2, 1))]));
    waits(&mut lab, wish("r1", "ann", ["a"]).with_count(2));
    replace(&mut lab);
    lab.created(NodeState::Running);
    assert_eq!(ready(&lab, ["a", "b"]), [1, 0]);
    let _ = lab.step(Input::Cancel(id("r1")));
    lab.boot_all();
    renew(&mut lab);
    assert_eq!(ready(&lab, ["a", "b"]), [0, 2]);
    let ended = lab.happened(EventKind::VmTerminating);
    for _ in 0..60 {
        lab.pass(seconds(60));
        renew(&mut lab);
    }
    assert_eq!((ready(&lab, ["a", "b"]), lab.happened(EventKind::VmTerminating)), ([0, 2], ended));
}

#[test]
fn a_stock_takes_no_more_than_it_lacks_and_only_what_is_beyond_the_stock_of_others() {
    let mut lab = of(within(4, [("a", stock(1, 1)), ("b", stock(1, 1)), ("c", stock(0, 1))]));
    for request in ["r1", "r2"] {
        waits(&mut lab, wish(request, "ann", ["c"]));
    }
    given(&mut lab, wish("r3", "bob", ["b"]));
    lab.boot_all();
    assert_eq!((served(&lab), ready(&lab, ["a", "b", "c"])), (vec!["r1", "r2"], [1, 0, 0]));
    assert_eq!(lab.counts([RecordState::Terminating]), [0], "a has no more than it is to keep");
}

#[test]
fn stocks_that_do_not_fit_together_leave_each_other_alone() {
    let mut lab = of(within(3, [("a", stock(2, 1)), ("b", stock(2, 1))]));
    let before = ready(&lab, ["a", "b"]);
    assert_eq!(before.iter().sum::<usize>(), 3);
    for _ in 0..10 {
        lab.pass(seconds(60));
        renew(&mut lab);
    }
    assert_eq!((ready(&lab, ["a", "b"]), lab.happened(EventKind::VmTerminating)), (before, 0));
}

#[test]
fn what_is_kept_for_its_last_user_is_no_room_for_a_stock() {
    let mut reused = stock(0, 1);
    reused.on_release = OnRelease::Reuse;
    let mut lab = of(within(2, [("a", reused), ("b", stock(2, 1))]));
    waits(&mut lab, wish("r1", "ann", ["a"]));
    renew(&mut lab);
    release(&mut lab, "r1");
    renew(&mut lab);
    assert_eq!((ready(&lab, ["a", "b"]), lab.happened(EventKind::VmTerminating)), ([1, 1], 1));
}

#[test]
fn a_stock_that_starts_when_somebody_comes_makes_room_once_it_is_ready() {
    let mut lab = Lab::of(within(2, [("a", stock(0, 1)), ("b", stock(2, 1))]));
    waits(&mut lab, wish("r1", "ann", ["a"]));
    lab.boot_all();
    renew(&mut lab);
    assert_eq!((served(&lab), ready(&lab, ["b"])), (vec!["r1"], [1]));
}

#[test]
fn nothing_goes_for_a_stock_that_would_leave_the_room_to_who_waits() {
    let mut large = stock(0, 3);
    large.offers[0].max_total = Some(1);
    let mut lab = of(within(3, [("a", stock(0, 1)), ("b", stock(1, 1)), ("c", large), ("d", stock(0, 2))]));
    waits(&mut lab, wish("r1", "dan", ["d"]));
    lab.boot_all();
    waits(&mut lab, wish("r2", "ann", ["a"]));
    replace(&mut lab);
    waits(&mut lab, wish("r3", "cat", ["c"]));
    let _ = lab.step(Input::Cancel(id("r2")));
    lab.boot_all();
    assert_eq!((ready(&lab, ["a", "b"]), lab.counts([RecordState::Terminating])), ([1, 0], [0]));
    release(&mut lab, "r1");
    renew(&mut lab);
    renew(&mut lab);
    assert_eq!(served(&lab), ["r1", "r3"]);
}
