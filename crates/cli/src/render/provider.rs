//! Providers.

use comfy_table::Table;
use vmpool_api::{EventStream, Provider};

use super::{request::limit, time};
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
    let mut rows = vec![
        ("provider", provider.name.clone()),
        ("driver", provider.driver.clone()),
        ("endpoint", provider.endpoint.clone()),
        ("nodes", provider.nodes.to_string()),
        ("orphans", provider.orphans.to_string()),
        ("strangers", provider.strangers.to_string()),
        ("listed", time(provider.listed_at)),
        ("events", or_dash(provider.events.as_ref().map(events))),
        ("quota", quota(provider)),
        ("creates nothing", or_dash(provider.limit.as_ref().map(limit))),
        ("brake", or_dash(brake(provider))),
        ("problem", or_dash(provider.problem.as_ref())),
    ];
    rows.extend(provider.first_strangers.iter().map(|stranger| {
        let whose = stranger.token.as_ref().map(|token| format!(", of {token}")).unwrap_or_default();
        ("stranger", format!("{} {:?}, {}{whose}", stranger.node_id, stranger.name, stranger.state))
    }));
    facts(rows)
}

/// Says whether the stream of events is open, and why not.
fn events(stream: &EventStream) -> String {
    let since = stream.since.map(|since| format!(" since {since:.0}")).unwrap_or_default();
    let reason = stream.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
    format!("{}{since}{reason}", stream.state.replace('_', " "))
}

fn quota(provider: &Provider) -> String {
    let used: Vec<String> =
        provider.quota.iter().map(|(name, quota)| format!("{}/{} {name}", quota.used, quota.max)).collect();
    or_dash(Some(used.join(", ")).filter(|used| !used.is_empty()))
}

fn brake(provider: &Provider) -> Option<String> {
    let brake = provider.brake.as_ref()?;
    let (missing, known, since, name) = (brake.missing, brake.known, brake.since, &provider.name);
    Some(format!(
        "{missing} of {known} nodes are missing at once since {since:.0}, so none counts as lost; if they are: vmpool provider \
         accept-loss {name}"
    ))
}

/// Says what an operator should know of a provider first.
fn note(provider: &Provider) -> String {
    let limit = provider.limit.as_ref().map(|limit| limit.text.clone());
    or_dash(brake(provider).or(limit).or_else(|| provider.problem.clone()))
}
