//! Pools.

use comfy_table::Table;
use vmpool_api::{Demand, Offer, Pool, Stock, duration};

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
    ]);
    rows.extend(pool.stock.iter().flat_map(stock));
    rows.extend([
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

/// Shows what is kept ready, and why.
fn stock(stock: &Stock) -> Vec<(&'static str, String)> {
    let Stock { target, why, arrivals_per_hour, .. } = stock;
    let changes = stock.changes_at.map(|at| format!("; the schedule changes at {at:.0}")).unwrap_or_default();
    let mut rows = vec![("keeps ready", format!("{target} ({why}){changes}"))];
    rows.extend(stock.schedule.iter().map(|at| {
        let days = if at.days.is_empty() { "every day".to_owned() } else { at.days.join(",") };
        ("schedule", format!("{} ready from {} to {} UTC, {days}", at.min_ready, at.from, at.to))
    }));
    if let Some(Demand { quantile, half_life, max_ready }) = &stock.demand {
        let likely = or_dash(stock.likely);
        let most = max_ready.map(|most| format!(", at most {most}")).unwrap_or_default();
        let half_life = duration::format(*half_life);
        rows.push((
            "demand",
            format!("{likely} likely with quantile {quantile}{most}, half-life {half_life}"),
        ));
    }
    rows.push(("asked for", format!("{arrivals_per_hour:.1} VMs an hour")));
    rows.push(("boot time", or_dash(stock.boot_time.map(duration::format))));
    rows
}

/// Shows one way to make a pool's VMs.
fn offer(offer: &Offer) -> String {
    let Offer { provider, template, preference, weight, total, .. } = offer;
    let max = offer.max_total.map(|max| format!(" of {max}")).unwrap_or_default();
    format!("{template:?} at {provider}: {total}{max} VMs, preference {preference}, weight {weight}")
}
