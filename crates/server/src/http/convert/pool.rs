//! Pools.

use std::collections::BTreeMap;

use vmpool::{
    manager::{PoolStatus, View},
    model::{
        PoolName, ProviderName, RecordState,
        config::{OfferConfig, PoolConfig},
    },
};
use vmpool_api as api;

use super::{number, provider::limit, time};

pub(in crate::http) fn pool(status: &PoolStatus, totals: &Totals<'_>) -> api::Pool {
    let view = &status.pool;
    let counts = RecordState::ALL.iter().zip(view.counts).filter(|(_, count)| *count != 0);
    let config = status.config.as_ref();
    let offer = config.and_then(|config| config.offers().into_iter().next());
    api::Pool {
        name: view.name.to_string(),
        provider: offer.as_ref().map(|offer| offer.provider.to_string()).unwrap_or_default(),
        template: offer.map(|offer| offer.template).unwrap_or_default(),
        offers: config.map(|config| offers(&view.name, config, totals)).unwrap_or_default(),
        labels: config.into_iter().flat_map(|config| &config.labels).map(ToString::to_string).collect(),
        fallback: config.and_then(|config| Some(config.fallback.as_ref()?.to_string())),
        counts: counts.map(|(state, count)| (state.to_string(), number(count))).collect(),
        size: config.map_or(0, |config| config.size),
        max_total: config.map_or(0, |config| config.max_total()),
        min_ready: config.map_or(0, |config| config.min_ready),
        retired: view.retired,
        drain: view.drain.as_ref().map(|drain| api::Drain {
            reason: drain.reason.clone(),
            since: time(drain.since),
            by: drain.by.as_ref().map(ToString::to_string),
        }),
        waiting: number(view.waiting),
        wanted: number(view.wanted),
        limits: view.limits.iter().map(limit).collect(),
        problem: view.problem.clone(),
        retry_at: view.paused_until.map(time),
    }
}

/// How many VMs there are of each offer.
#[derive(Debug)]
pub(in crate::http) struct Totals<'a>(BTreeMap<(&'a PoolName, &'a ProviderName, &'a str), u32>);

impl<'a> Totals<'a> {
    /// Counts the VMs of all pools.
    pub(in crate::http) fn of(view: &'a View) -> Self {
        let mut totals = BTreeMap::new();
        for vm in &view.vms {
            *totals.entry((&vm.pool, &vm.provider, vm.template.as_str())).or_default() += 1;
        }
        Self(totals)
    }
}

fn offers(pool: &PoolName, config: &PoolConfig, Totals(totals): &Totals<'_>) -> Vec<api::Offer> {
    let offer = |offer: OfferConfig| api::Offer {
        total: totals.get(&(pool, &offer.provider, offer.template.as_str())).copied().unwrap_or(0),
        provider: offer.provider.to_string(),
        template: offer.template,
        preference: offer.preference,
        weight: offer.weight,
        max_total: offer.max_total,
        price: offer.price,
    };
    config.offers().into_iter().map(offer).collect()
}
