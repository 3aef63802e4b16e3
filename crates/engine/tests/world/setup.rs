//! Random configurations: small numbers, so that every limit is met.

use std::{collections::BTreeMap, time::Duration};

use proptest::prelude::*;
use vmpool_engine::Spec;
use vmpool_model::{
    InstallationId, PoolName, ProviderName,
    config::{DemandConfig, OfferConfig, PoolConfig, ProviderConfig},
};

use crate::{
    life::{LifeSetup, life},
    wants::{self, Limits},
};

/// What a history begins with.
#[derive(Debug, Clone)]
pub(crate) struct Setup {
    pub(crate) seed: u64,
    pub(crate) pools: Vec<PoolSetup>,
    pub(crate) providers: Vec<ProviderSetup>,
    pub(crate) limits: Limits,
    /// Whether the clouds go on listing what is terminated.
    pub(crate) lists_dead: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct PoolSetup {
    size: u32,
    more: u32,
    min_ready: u32,
    max_starting: u32,
    spawn_min_interval: u64,
    /// How many VMs are kept ready at most for those who are likely to come.
    likely: Option<u32>,
    life: LifeSetup,
    offers: Vec<OfferSetup>,
}

#[derive(Debug, Clone)]
pub(crate) struct OfferSetup {
    provider: usize,
    preference: u32,
    weight: u32,
    max_total: Option<u32>,
    cores: u64,
}

#[derive(Debug, Clone)]
pub(crate) struct ProviderSetup {
    visibility_window: u64,
    missing_grace: u64,
    max_creating: usize,
    breaker_failures: u32,
    /// By how much the quotas of VMs and cores are more than what all pools keep, and one VM more.
    spare: (Option<u64>, Option<u64>),
}

pub(crate) fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub(crate) fn setup() -> impl Strategy<Value = Setup> {
    let offer = (0..2_usize, 0..2_u32, 1..4_u32, proptest::option::of(1..3_u32), 0..3_u64);
    let offer = offer.prop_map(|(provider, preference, weight, max_total, cores)| OfferSetup {
        provider,
        preference,
        weight,
        max_total,
        cores,
    });
    let offers = proptest::collection::vec(offer, 1..4);
    let numbers = (0..3_u32, 0..3_u32, 0..2_u32, 1..3_u32, 0..2_u64);
    let pool = (numbers, proptest::option::of(1..3_u32), life(), offers);
    let pool = pool.prop_map(|(numbers, likely, life, offers)| {
        let (size, more, min_ready, max_starting, interval) = numbers;
        let size = if size + more + min_ready == 0 { 1 } else { size };
        let spawn_min_interval = interval * 7;
        PoolSetup { size, more, min_ready, max_starting, spawn_min_interval, likely, life, offers }
    });
    let times = (prop_oneof![Just(0_u64), Just(15)], prop_oneof![Just(0_u64), Just(12)]);
    let spare = || proptest::option::of(0..4_u64);
    let provider = (times, 1..4_usize, 1..4_u32, (spare(), spare()));
    let provider = provider.prop_map(|(times, max_creating, breaker_failures, spare)| {
        let (visibility_window, missing_grace) = times;
        ProviderSetup { visibility_window, missing_grace, max_creating, breaker_failures, spare }
    });
    let pools = proptest::collection::vec(pool, 1..4);
    let providers = proptest::collection::vec(provider, 1..3);
    (any::<u64>(), pools, providers, wants::limits(), any::<bool>()).prop_map(
        |(seed, pools, providers, limits, lists_dead)| Setup { seed, pools, providers, limits, lists_dead },
    )
}

impl Setup {
    pub(crate) fn spec(&self) -> Spec {
        let mut spec = Spec::new(InstallationId::new("ours").unwrap(), 1, self.seed);
        spec.request_memory = seconds(50);
        spec.restart_grace = seconds(20);
        for (index, provider) in self.providers.iter().enumerate() {
            let mut config = ProviderConfig::new("model");
            config.list_interval = seconds(5);
            config.visibility_window = seconds(provider.visibility_window);
            config.missing_grace = seconds(provider.missing_grace);
            config.orphan_grace = seconds(20);
            config.max_creating = Some(provider.max_creating);
            config.breaker_failures = provider.breaker_failures;
            config.breaker_pause = seconds(5);
            config.breaker_max_pause = seconds(20);
            config.quota = self.quota(provider.spare);
            spec.providers.insert(provider_name(index), config);
        }
        for (index, pool) in self.pools.iter().enumerate() {
            let mut config =
                PoolConfig::new(provider_name(index % self.providers.len()), "template", pool.size);
            (config.provider, config.template) = (None, None);
            config.offers = self.offers(index, pool);
            let most = pool.size.max(pool.min_ready) + pool.more;
            config.max_total = Some(most);
            config.min_ready = pool.min_ready;
            config.max_starting = pool.max_starting;
            config.demand = pool.likely.map(|most| {
                let mut demand = DemandConfig::default();
                (demand.half_life, demand.max_ready) = (seconds(20), Some(most.min(config.max_total())));
                demand
            });
            config.spawn_min_interval = seconds(pool.spawn_min_interval);
            config.lease_ttl = seconds(60);
            config.max_lease_ttl = seconds(100);
            config.dirty_timeout = seconds(40);
            config.max_idle = seconds(30);
            config.boot_timeout = seconds(60);
            pool.life.apply(&mut config);
            config.retry_min = seconds(1);
            config.retry_max = seconds(16);
            config.validate().unwrap();
            spec.pools.insert(pool_name(index), config);
        }
        self.limits.apply(&mut spec);
        spec
    }
}

impl Setup {
    /// A quota with room for all that the pools keep and one VM more, so that everybody is served in the end.
    fn quota(&self, (vms, cores): (Option<u64>, Option<u64>)) -> BTreeMap<String, u64> {
        let kept = |pool: &PoolSetup| u64::from(pool.size.max(pool.min_ready));
        let most = |pool: &PoolSetup| pool.offers.iter().map(|offer| offer.cores).max().unwrap_or_default();
        let all_vms: u64 = self.pools.iter().map(kept).sum();
        let all_cores: u64 = self.pools.iter().map(|pool| kept(pool) * most(pool)).sum();
        let one = self.pools.iter().map(most).max().unwrap_or_default();
        let vms = vms.map(|spare| ("vms".to_owned(), all_vms + 1 + spare));
        let cores = cores.map(|spare| ("cores".to_owned(), all_cores + one + spare));
        vms.into_iter().chain(cores).collect()
    }

    /// The offers of a pool; the first is enough for all of its VMs.
    fn offers(&self, index: usize, pool: &PoolSetup) -> Vec<OfferConfig> {
        let mut offers = Vec::new();
        for (number, offer) in pool.offers.iter().enumerate() {
            let provider = provider_name((index + offer.provider) % self.providers.len());
            let mut config = OfferConfig::new(provider, format!("template-{index}-{number}"));
            config.preference = offer.preference;
            config.weight = offer.weight;
            config.max_total = offer.max_total.filter(|_| number != 0);
            config.price = f64::from(offer.weight);
            let quota = self.quota(self.providers[(index + offer.provider) % self.providers.len()].spare);
            if offer.cores != 0 && (quota.is_empty() || quota.contains_key("cores")) {
                config.needs.insert("cores".to_owned(), offer.cores);
            }
            offers.push(config);
        }
        offers
    }
}

pub(crate) fn pool_name(index: usize) -> PoolName {
    PoolName::new(format!("pool{index}")).unwrap()
}

fn provider_name(index: usize) -> ProviderName {
    ProviderName::new(format!("cloud{index}")).unwrap()
}
