//! Providers.

use comfy_table::Table;
use vmpool_api::{Breaker, Provider};

use super::time;
use crate::output::{facts, or_dash, table};

/// Makes the table of providers.
pub(crate) fn providers(providers: &[Provider]) -> Table {
    let mut table = table(&["provider", "driver", "nodes", "strangers", "listed", "quota", "problem"]);
    for provider in providers {
        table.add_row([
            provider.name.clone(),
            provider.driver.clone(),
            provider.nodes.to_string(),
            provider.strangers.to_string(),
            time(provider.listed_at),
            quota(provider),
            note(provider),
        ]);
    }
    table
}

/// Makes the table of one provider.
pub(crate) fn provider(provider: &Provider) -> Table {
    facts([
        ("provider", provider.name.clone()),
        ("driver", provider.driver.clone()),
        ("endpoint", provider.endpoint.clone()),
        ("nodes", provider.nodes.to_string()),
        ("strangers", provider.strangers.to_string()),
        ("listed", time(provider.listed_at)),
        ("quota", quota(provider)),
        ("breaker", or_dash(provider.breaker.as_ref().map(breaker))),
        ("brake", or_dash(brake(provider))),
        ("problem", or_dash(provider.problem.as_ref())),
    ])
}

fn quota(provider: &Provider) -> String {
    let used: Vec<String> =
        provider.quota.iter().map(|(name, quota)| format!("{}/{} {name}", quota.used, quota.max)).collect();
    or_dash(Some(used.join(", ")).filter(|used| !used.is_empty()))
}

fn breaker(breaker: &Breaker) -> String {
    match breaker.until {
        Some(until) => format!("nothing is created until {until:.0}: {}", breaker.why),
        None => format!("{}: {}", breaker.state, breaker.why),
    }
}

fn brake(provider: &Provider) -> Option<String> {
    let brake = provider.brake.as_ref()?;
    let (missing, since, name) = (brake.missing, brake.since, &provider.name);
    Some(format!(
        "{missing} nodes are missing at once since {since:.0}, so none counts as lost; if they are: vmpool provider \
         accept-loss {name}"
    ))
}

/// Says what an operator should know of a provider first.
fn note(provider: &Provider) -> String {
    let breaker = provider.breaker.as_ref().map(breaker);
    or_dash(brake(provider).or(breaker).or_else(|| provider.problem.clone()))
}
