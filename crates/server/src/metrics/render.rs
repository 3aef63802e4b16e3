//! Writing all metrics down.

use vmpool::{
    manager::{PoolStatus, ProviderStatus},
    model::{EventKind, RecordState, Timestamp},
};

use super::{
    Metrics, catalog as c,
    catalog::Family,
    numbers::{Numbers, OfPool},
    process::Process,
    text::Text,
};

/// What is so now.
#[derive(Debug)]
pub(crate) struct Now {
    pub(crate) started_at: Timestamp,
    pub(crate) pools: Vec<PoolStatus>,
    pub(crate) providers: Vec<ProviderStatus>,
    pub(crate) is_short: bool,
}

/// Writes all metrics down.
pub(crate) fn render(metrics: &Metrics, now: &Now) -> String {
    let mut text = Text::default();
    text.family(&c::BUILD_INFO).flag(&[env!("CARGO_PKG_VERSION")], true);
    text.family(&c::START_TIME).sample(&[], seconds(now.started_at));
    pools(&mut text, &now.pools);
    {
        let numbers = metrics.numbers();
        happened(&mut text, &numbers);
        web(&mut text, &numbers);
    }
    providers(&mut text, &now.providers);
    metrics.layers().render(&mut text);
    text.family(&c::STORE_SHORT).flag(&[], now.is_short);
    let process = Process::now();
    process.memory.into_iter().for_each(|bytes| text.family(&c::MEMORY).total(&[], bytes));
    process.files.into_iter().for_each(|files| text.family(&c::FILES).count(&[], files));
    text.finish()
}

fn pools(text: &mut Text, pools: &[PoolStatus]) {
    let mut samples = text.family(&c::POOL_VMS);
    for PoolStatus { pool, .. } in pools {
        for (state, count) in RecordState::ALL.iter().zip(pool.counts) {
            samples.count(&[pool.name.as_str(), state.as_str()], count);
        }
    }
    let mut each = |family: &'static Family, value: fn(&PoolStatus) -> f64| {
        let mut samples = text.family(family);
        for status in pools {
            samples.sample(&[status.pool.name.as_str()], value(status));
        }
    };
    each(&c::POOL_MAX, |status| status.config.as_ref().map_or(0.0, |config| f64::from(config.max_total())));
    each(&c::POOL_TARGET, |status| status.pool.stock.target as f64);
    each(&c::POOL_WAITING, |status| status.pool.waiting as f64);
    each(&c::POOL_WANTED, |status| status.pool.wanted as f64);
    each(&c::POOL_ARRIVALS, |status| status.pool.stock.arrivals);
    each(&c::POOL_DRAINED, |status| f64::from(u8::from(status.pool.drain.is_some())));
    each(&c::LEASES, |status| {
        let in_use = RecordState::ALL.iter().zip(status.pool.counts);
        in_use.filter(|(state, _)| **state == RecordState::InUse).map(|(_, count)| count as f64).sum()
    });
    let mut samples = text.family(&c::POOL_LIMITED);
    for PoolStatus { pool, .. } in pools {
        // Several limits of one kind may bind, such as those of two providers.
        let mut kinds: Vec<_> = pool.limits.iter().map(|limit| limit.kind()).collect();
        kinds.sort_unstable();
        kinds.dedup();
        for kind in kinds {
            samples.flag(&[pool.name.as_str(), kind], true);
        }
    }
}

fn providers(text: &mut Text, providers: &[ProviderStatus]) {
    let mut each = |family: &'static Family, value: fn(&ProviderStatus) -> Option<f64>| {
        let mut samples = text.family(family);
        for status in providers {
            value(status).into_iter().for_each(|value| samples.sample(&[status.name.as_str()], value));
        }
    };
    each(&c::PROVIDER_UP, |status| {
        Some(f64::from(u8::from(status.problem.is_none() && status.listed_at.is_some())))
    });
    each(&c::PROVIDER_BREAKER, |status| {
        let is_open = status.provider.stop.as_ref().is_some_and(|stop| stop.kind() == "breaker_open");
        Some(f64::from(u8::from(is_open)))
    });
    each(&c::PROVIDER_LISTED, |status| status.listed_at.map(seconds));
    each(&c::PROVIDER_NODES, |status| Some(status.nodes as f64));
    each(&c::ORPHANS, |status| Some(status.provider.orphans as f64));
    each(&c::STRANGERS, |status| Some(status.provider.strangers as f64));
    each(&c::MASS_LOSS, |status| Some(status.provider.mass_loss.map_or(0.0, |loss| loss.missing as f64)));
    let mut samples = text.family(&c::PROVIDER_LIMITED);
    for status in providers {
        let stop = status.provider.stop.iter();
        stop.for_each(|stop| samples.flag(&[status.name.as_str(), stop.kind()], true));
    }
    let mut samples = text.family(&c::QUOTA_USED);
    for status in providers {
        for (part, used) in &status.provider.used {
            samples.total(&[status.name.as_str(), part], *used);
        }
    }
    let mut samples = text.family(&c::QUOTA_LIMIT);
    for status in providers {
        for (part, limit) in &status.config.quota {
            samples.total(&[status.name.as_str(), part], *limit);
        }
    }
}

fn happened(text: &mut Text, numbers: &Numbers) {
    let mut each = |family: &'static Family, write: fn(&OfPool) -> u64| {
        let mut samples = text.family(family);
        for (pool, of_pool) in &numbers.pools {
            samples.total(&[pool.as_str()], write(of_pool));
        }
    };
    each(&c::LEASES_GRANTED, |pool| pool.events_of(EventKind::LeaseGranted));
    each(&c::LEASES_RELEASED, |pool| pool.events_of(EventKind::LeaseReleased));
    each(&c::LEASES_EXPIRED, |pool| pool.events_of(EventKind::LeaseExpired));
    each(&c::SPAWNS, |pool| pool.events_of(EventKind::VmSpawning));
    each(&c::SPAWN_FAILURES, |pool| pool.events_of(EventKind::SpawnFailed));
    each(&c::VMS_GONE, |pool| pool.events_of(EventKind::VmGone));
    let mut samples = text.family(&c::REQUEST_WAIT);
    for (pool, of_pool) in &numbers.pools {
        samples.histogram(&[pool.as_str()], &of_pool.waits);
    }
    let mut samples = text.family(&c::VM_START);
    for (pool, of_pool) in &numbers.pools {
        samples.histogram(&[pool.as_str()], &of_pool.starts);
    }
    let mut samples = text.family(&c::REQUESTS_UNSERVED);
    samples.total(&["cancelled"], numbers.events_of(EventKind::RequestCancelled));
    samples.total(&["timed_out"], numbers.events_of(EventKind::RequestTimedOut));
    samples.total(&["turned_away"], numbers.events_of(EventKind::RequestTurnedAway));
    let mut samples = text.family(&c::CHECKS);
    for ((pool, outcome), times) in &numbers.checks {
        samples.histogram(&[pool.as_str(), outcome], times);
    }
    let mut samples = text.family(&c::HOOKS);
    for ((pool, hook, outcome), times) in &numbers.hooks {
        samples.histogram(&[pool.as_str(), hook.as_str(), outcome], times);
    }
    let mut samples = text.family(&c::ORPHANS_FOUND);
    for (provider, count) in &numbers.orphans_found {
        samples.total(&[provider.as_str()], *count);
    }
    let mut samples = text.family(&c::LEAKS_PREVENTED);
    samples.total(&["adopted"], numbers.events_of(EventKind::VmAdopted));
    samples.total(&["destroyed"], numbers.events_of(EventKind::OrphanDestroyed));
    let mut samples = text.family(&c::EVENTS);
    for (kind, count) in &numbers.events {
        samples.total(&[kind], *count);
    }
    text.family(&c::COMMITS).histogram(&[], &numbers.commits);
    text.family(&c::COMMIT_FAILURES).total(&[], numbers.failed_commits);
}

fn web(text: &mut Text, numbers: &Numbers) {
    let mut samples = text.family(&c::ACQUIRE);
    for (outcome, times) in &numbers.acquires {
        samples.histogram(&[outcome], times);
    }
    let mut samples = text.family(&c::HTTP_REQUESTS);
    for ((method, route, status), count) in &numbers.answers {
        samples.total(&[method, route, &status.to_string()], *count);
    }
    let mut samples = text.family(&c::HTTP_TIME);
    for ((method, route), times) in &numbers.answer_times {
        samples.histogram(&[method, route], times);
    }
}

fn seconds(time: Timestamp) -> f64 {
    time.as_millis() as f64 / 1_000.0
}
