//! Pools.

use comfy_table::Table;
use vmpool_api::{Offer, Pool};

use super::time;
use crate::output::{facts, or_dash, table};

/// Makes the table of pools.
pub(crate) fn pools(pools: &[Pool]) -> Table {
    let mut table = table(&["pool", "ready", "in use", "total", "max", "waiting", "provider", "problem"]);
    for pool in pools {
        table.add_row([
            pool.name.clone(),
            pool.count("ready").to_string(),
            pool.count("in_use").to_string(),
            pool.total().to_string(),
            pool.max_total.to_string(),
            pool.waiting.to_string(),
            pool.provider.clone(),
            note(pool),
        ]);
    }
    table
}

/// Makes the table of pools with all that fits into a line.
pub(crate) fn pools_wide(pools: &[Pool]) -> Table {
    let mut table = table(&[
        "pool",
        "ready",
        "starting",
        "in use",
        "held",
        "ending",
        "total",
        "max",
        "size",
        "min ready",
        "waiting",
        "wanted",
        "provider",
        "drained",
        "limit",
        "tries again",
        "problem",
    ]);
    for pool in pools {
        let sum = |states: &[&str]| states.iter().map(|state| pool.count(state)).sum::<u32>().to_string();
        table.add_row([
            pool.name.clone(),
            sum(&["ready"]),
            sum(&["spawning", "got_ip", "check_health", "check_health_failed"]),
            sum(&["in_use"]),
            sum(&["held"]),
            sum(&["releasing", "terminating"]),
            pool.total().to_string(),
            pool.max_total.to_string(),
            pool.size.to_string(),
            pool.min_ready.to_string(),
            pool.waiting.to_string(),
            pool.wanted.to_string(),
            pool.provider.clone(),
            or_dash(pool.drain.as_ref().map(|drain| &drain.reason)),
            or_dash(pool.limits.first().map(|limit| &limit.text)),
            time(pool.retry_at),
            or_dash(pool.problem.as_ref()),
        ]);
    }
    table
}

/// Says what an operator should know of a pool first.
fn note(pool: &Pool) -> String {
    let drain = pool.drain.as_ref().map(|drain| format!("drained: {}", drain.reason));
    let limit = || pool.limits.first().map(|limit| limit.text.clone());
    or_dash(drain.or_else(|| pool.problem.clone()).or_else(limit))
}

/// Makes the table of one pool.
pub(crate) fn pool(pool: &Pool) -> Table {
    let counts: Vec<String> = pool.counts.iter().map(|(state, count)| format!("{count} {state}")).collect();
    let mut rows = vec![("pool", pool.name.clone())];
    rows.extend(pool.offers.iter().map(|offer| ("offer", self::offer(offer))));
    rows.extend([
        ("VMs", if counts.is_empty() { "none".to_owned() } else { counts.join(", ") }),
        ("size", pool.size.to_string()),
        ("min ready", pool.min_ready.to_string()),
        ("max total", pool.max_total.to_string()),
        ("labels", or_dash(Some(pool.labels.join(", ")).filter(|labels| !labels.is_empty()))),
        ("falls back to", or_dash(pool.fallback.as_ref())),
        ("waiting", format!("{} requests for {} VMs", pool.waiting, pool.wanted.max(pool.waiting))),
        (
            "drained",
            or_dash(pool.drain.as_ref().map(|drain| {
                let by = drain.by.as_ref().map(|by| format!(", by {by}")).unwrap_or_default();
                format!("{}, since {:.0}{by}", drain.reason, drain.since)
            })),
        ),
        ("problem", or_dash(pool.problem.as_ref())),
        ("tries again", time(pool.retry_at)),
    ]);
    rows.extend(pool.limits.iter().map(|limit| ("limit", super::request::limit(limit))));
    facts(rows)
}

/// Shows one way to make a pool's VMs.
fn offer(offer: &Offer) -> String {
    let Offer { provider, template, preference, weight, total, .. } = offer;
    let max = offer.max_total.map(|max| format!(" of {max}")).unwrap_or_default();
    format!("{template:?} at {provider}: {total}{max} VMs, preference {preference}, weight {weight}")
}
