//! Pools that take their VMs from several providers, share quotas, have labels, and stand in for each other.

use std::collections::{BTreeMap, BTreeSet};

use fastrand::Rng;
use vmpool_manager::model::{
    Acquire, Label, PoolName, ProviderName,
    config::{OfferConfig, OnRelease, PoolConfig},
};

use crate::scenario::{Scenario, pool_name};

/// Spreads the pools of a scenario over its providers, and lets these have quotas.
pub(crate) fn spread(scenario: &mut Scenario, rng: &mut Rng) {
    let providers: Vec<_> = scenario.providers.keys().cloned().collect();
    for (number, config) in (0..).zip(scenario.pools.values_mut()) {
        if 1 < providers.len() && rng.bool() {
            config.offers = offers(&providers, least(config), rng);
            (config.provider, config.template) = (None, None);
        }
        config.labels = labels().into_iter().filter(|_| rng.bool()).collect();
        config.fallback = (number != 0 && rng.u32(0..4) == 0).then(|| pool_name(rng.u32(0..number)));
    }
    for (name, provider) in &mut scenario.providers {
        if rng.u32(0..3) == 0 {
            provider.config.quota = quota(name, &scenario.pools, rng);
        }
    }
    // What no quota names cannot be needed of it.
    for offer in scenario.pools.values_mut().flat_map(|config| &mut config.offers) {
        let quota = &scenario.providers[&offer.provider].config.quota;
        offer.needs.retain(|resource, _| quota.is_empty() || quota.contains_key(resource));
    }
    if 1 < providers.len() && rng.u32(0..3) == 0 {
        scenario.stays_down = rng.choice(providers);
    }
}

/// Makes offers of two providers or more, each with room for all VMs that the pool keeps.
fn offers(providers: &[ProviderName], least: u32, rng: &mut Rng) -> Vec<OfferConfig> {
    let mut providers = providers.to_vec();
    rng.shuffle(&mut providers);
    providers.truncate(rng.usize(2..=providers.len()));
    let offer = |provider: ProviderName| {
        let mut offer = OfferConfig::new(provider, "template");
        offer.preference = rng.u32(0..2);
        offer.weight = rng.u32(1..4);
        offer.max_total = (rng.u32(0..4) == 0).then(|| least + rng.u32(0..2));
        if rng.bool() {
            offer.needs = BTreeMap::from([("cores".to_owned(), rng.u64(1..4))]);
        }
        offer
    };
    providers.into_iter().map(offer).collect()
}

/// Makes a quota under which all pools can come to rest, and most often do not have all that they may.
fn quota(
    provider: &ProviderName,
    pools: &BTreeMap<PoolName, PoolConfig>,
    rng: &mut Rng,
) -> BTreeMap<String, u64> {
    let offers = pools.values().flat_map(|config| {
        let here = config.offers().into_iter().filter(|offer| offer.provider == *provider);
        here.map(|offer| (u64::from(least(config)), offer))
    });
    let offers: Vec<_> = offers.collect();
    let vms = offers.iter().map(|(least, _)| least).sum::<u64>().max(1);
    let cores =
        offers.iter().map(|(least, offer)| least * offer.needs.get("cores").unwrap_or(&0)).sum::<u64>();
    let quotas = [("vms", vms + rng.u64(0..3)), ("cores", cores.max(1) + rng.u64(0..4))];
    quotas.into_iter().filter(|_| rng.u32(0..3) != 0).map(|(name, most)| (name.to_owned(), most)).collect()
}

/// Changes a pool so that it needs no more than it did at first.
pub(crate) fn vary(config: &mut PoolConfig, first: &PoolConfig, rng: &mut Rng) {
    config.size = rng.u32(0..=first.size);
    config.min_ready = rng.u32(0..=first.min_ready);
    config.max_total = Some(least(first) + rng.u32(0..4));
    config.max_starting = rng.u32(1..4);
    config.on_release = if rng.bool() { OnRelease::Reuse } else { OnRelease::Destroy };
    config.labels = labels().into_iter().filter(|_| rng.bool()).collect();
    config.max_per_owner = (rng.u32(0..3) == 0).then(|| rng.u32(1..4));
    config.fallback = first.fallback.clone();
    for offer in &mut config.offers {
        (offer.preference, offer.weight) = (rng.u32(0..2), rng.u32(1..4));
    }
}

/// Returns how many VMs a pool must be able to have: what it keeps, and one for who comes last.
fn least(config: &PoolConfig) -> u32 {
    config.size.max(config.min_ready).max(1)
}

fn labels() -> [Label; 2] {
    ["fast", "large"].map(|label| Label::new(label).unwrap())
}

/// Lets a wish for a pool be one for several pools, or for what a pool is good for.
pub(crate) fn widen(acquire: Acquire, pools: &BTreeMap<PoolName, PoolConfig>, rng: &mut Rng) -> Acquire {
    let Some(config) = acquire.pools.first().and_then(|pool| pools.get(pool)) else { return acquire };
    let wanted: BTreeSet<_> = config.labels.iter().filter(|_| rng.bool()).cloned().collect();
    match rng.u32(0..6) {
        0 if !wanted.is_empty() => acquire.with_pools(Vec::new()).with_labels(wanted),
        1 => acquire.with_labels(wanted),
        2 => {
            let others = pools.keys().filter(|_| rng.bool());
            let named = acquire.pools.iter().chain(others).cloned().collect();
            acquire.with_pools(named)
        }
        _ => acquire,
    }
}
