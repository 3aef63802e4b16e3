//! Pools.

use vmpool::{
    manager::{PoolStatus, PoolView},
    model::{
        RecordState,
        config::{OfferConfig, PoolConfig},
    },
};
use vmpool_api as api;

use super::{number, provider::limit, stock::stock, time};

pub(in crate::http) fn pool(status: &PoolStatus) -> api::Pool {
    let view = &status.pool;
    let counts = RecordState::ALL.iter().zip(view.counts).filter(|(_, count)| *count != 0);
    let config = status.config.as_ref();
    let offer = config.and_then(|config| config.offers().into_iter().next());
    api::Pool {
        name: view.name.to_string(),
        provider: offer.as_ref().map(|offer| offer.provider.to_string()).unwrap_or_default(),
        template: offer.map(|offer| offer.template).unwrap_or_default(),
        offers: config.map(|config| offers(view, config)).unwrap_or_default(),
        labels: config.into_iter().flat_map(|config| &config.labels).map(ToString::to_string).collect(),
        fallback: config.and_then(|config| Some(config.fallback.as_ref()?.to_string())),
        counts: counts.map(|(state, count)| (state.to_string(), number(count))).collect(),
        size: config.map_or(0, |config| config.size),
        max_total: config.map_or(0, |config| config.max_total()),
        min_ready: config.map_or(0, |config| config.min_ready),
        stock: config.map(|config| stock(&view.stock, config)),
        retired: view.retired,
        drain: view.drain.as_ref().map(|drain| api::Drain {
            reason: drain.reason.clone(),
            since: time(drain.since),
            by: drain.by.as_ref().map(ToString::to_string),
        }),
        waiting: number(view.waiting),
        wanted: number(view.wanted),
        limits: view.limits.iter().map(limit).collect(),
        problem: problem(view),
        retry_at: view.paused_until.map(time),
    }
}

/// Says what is the matter with a pool; that it left the configuration comes first.
fn problem(view: &PoolView) -> Option<String> {
    let left = match (view.retired, view.removed_at, &view.drain) {
        (false, ..) => return view.problem.clone(),
        (true, Some(_), _) => "it was taken out of the configuration, and goes with its last VM",
        (true, None, Some(_)) => "it is not in the configuration, and goes with its last VM",
        (true, None, None) => {
            "it is not in the configuration: its VMs are kept until it is configured again or drained"
        }
    };
    Some(view.problem.iter().fold(left.to_owned(), |left, problem| format!("{left} ({problem})")))
}

fn offers(view: &PoolView, config: &PoolConfig) -> Vec<api::Offer> {
    let total = |offer: &OfferConfig| {
        let known = view
            .offers
            .iter()
            .find(|known| known.provider == offer.provider && known.template == offer.template);
        known.map_or(0, |known| number(known.total))
    };
    let offer = |offer: OfferConfig| api::Offer {
        total: total(&offer),
        provider: offer.provider.to_string(),
        template: offer.template,
        preference: offer.preference,
        weight: offer.weight,
        max_total: offer.max_total,
        price: offer.price,
    };
    config.offers().into_iter().map(offer).collect()
}
