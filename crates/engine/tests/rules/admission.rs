//! What several pools could have together is less than what each could have alone: requests for more are refused at once.

use vmpool_engine::{Refusal, Spec};
use vmpool_model::config::PoolConfig;

use crate::{
    clouds::{named, offer},
    farm::{name, on_demand, refusal, spec, waits, wish},
    lab::Lab,
};

/// Returns a spec in which provider `lab` has this much of a resource.
fn limited(mut spec: Spec, resource: &str, amount: u64) -> Spec {
    spec.providers.get_mut(&named("lab")).unwrap().quota.insert(resource.to_owned(), amount);
    spec
}

fn needing(max_total: u32, cores: u64) -> PoolConfig {
    let mut pool = on_demand(max_total);
    let mut offer = offer("lab", 0);
    offer.needs.insert("cores".to_owned(), cores);
    (pool.provider, pool.template, pool.offers) = (None, None, vec![offer]);
    pool
}

/// Asks for ever more VMs at once of both pools, and returns how many can be waited for at most.
fn most(spec: &Spec) -> u32 {
    let ask = |count| wish("r1", "ann", ["a", "b"]).with_count(count);
    let told = match refusal(&mut Lab::of(spec.clone()), ask(1000)) {
        Refusal::CountOutOfRange { max, .. } => u32::try_from(max).unwrap(),
        other => panic!("{other}"),
    };
    let next = refusal(&mut Lab::of(spec.clone()), ask(told + 1));
    assert!(matches!(next, Refusal::CountOutOfRange { .. }), "{next}");
    waits(&mut Lab::of(spec.clone()), ask(told));
    told
}

#[test]
fn a8_more_than_two_pools_can_have_of_one_quota_is_refused_at_once() {
    assert_eq!(most(&limited(spec([("a", on_demand(5)), ("b", on_demand(5))]), "vms", 7)), 7);
    assert_eq!(most(&limited(spec([("a", on_demand(2)), ("b", on_demand(3))]), "vms", 7)), 5);
}

#[test]
fn a8_the_vms_that_need_least_are_counted_first() {
    // Two of 2 cores and one of 4 fit, and 2 cores are left.
    assert_eq!(most(&limited(spec([("a", needing(9, 4)), ("b", needing(2, 2))]), "cores", 10)), 3);
    // Those that need none of it are not limited by it.
    assert_eq!(most(&limited(spec([("a", needing(9, 4)), ("b", on_demand(6))]), "cores", 10)), 8);
}

#[test]
fn a8_the_scarcest_part_of_a_quota_decides() {
    let pools = spec([("a", needing(9, 1)), ("b", needing(9, 1))]);
    assert_eq!(most(&limited(limited(pools, "cores", 12), "vms", 4)), 4);
}

#[test]
fn a8_quotas_of_two_providers_add_up() {
    let mut far = on_demand(9);
    far.provider = Some(named("far"));
    let mut spec = limited(spec([("a", on_demand(9)), ("b", far)]), "vms", 3);
    let provider = spec.providers[&named("lab")].clone();
    spec.providers.insert(named("far"), provider);
    assert_eq!(most(&spec), 6);
    spec.providers.get_mut(&named("far")).unwrap().quota.clear();
    assert_eq!(most(&spec), 12);
    spec.pools.remove(&name("b"));
    let told = refusal(&mut Lab::of(spec), wish("r1", "ann", ["a"]).with_count(4));
    assert_eq!(told.to_string(), "4 VMs at once are not possible: ask for 1 to 3 of pool a");
}
