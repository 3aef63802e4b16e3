//! Providers.

use vmpool::manager::{EventStream, Explanation, Limit, ProviderStatus, ProviderView, Stranger};
use vmpool_api as api;

use super::time;

pub(in crate::http) fn provider(status: &ProviderStatus) -> api::Provider {
    let state = &status.provider;
    api::Provider {
        name: status.name.to_string(),
        driver: status.config.driver.clone(),
        endpoint: status.endpoint.clone(),
        retired_at: state.retired_at.map(time),
        listed_at: status.listed_at.map(time),
        nodes: large(status.nodes),
        problem: status.problem.clone(),
        events: status.events.as_ref().map(events),
        quota: quota(status),
        limit: state.stop.as_ref().map(limit),
        brake: state.mass_loss.as_ref().map(|loss| api::Brake {
            missing: large(loss.missing),
            known: large(loss.known),
            since: time(loss.since),
        }),
        orphans: large(state.orphans),
        strangers: large(state.strangers),
        first_strangers: strangers(state),
    }
}

/// Shows what is in the way of a request in each pool.
pub(in crate::http) fn obstacles(explanation: &Explanation) -> Vec<api::Limit> {
    let obstacles = explanation.obstacles.iter();
    obstacles.map(|at| api::Limit { pool: Some(at.pool.to_string()), ..limit(&at.limit) }).collect()
}

/// Shows what is in the way.
pub(in crate::http) fn limit(limit: &Limit) -> api::Limit {
    api::Limit {
        kind: limit.kind().to_owned(),
        text: limit.to_string(),
        since: time(limit.since()),
        pool: None,
    }
}

fn events(stream: &EventStream) -> api::EventStream {
    let (state, since, reason) = match stream {
        EventStream::Up { since } => ("up", Some(*since), None),
        EventStream::Down { since, why } => ("down", Some(*since), Some(why)),
        EventStream::NotOffered { why } => ("not_offered", None, Some(why)),
        _ => ("opening", None, None),
    };
    api::EventStream { state: state.to_owned(), since: since.map(time), reason: reason.cloned() }
}

fn quota(status: &ProviderStatus) -> std::collections::BTreeMap<String, api::Quota> {
    let used = |part: &str| status.provider.used.get(part).copied().unwrap_or_default();
    let parts = status.config.quota.iter();
    parts.map(|(part, max)| (part.clone(), api::Quota { used: used(part), max: *max })).collect()
}

fn strangers(state: &ProviderView) -> Vec<api::Stranger> {
    let shown = |stranger: &Stranger| api::Stranger {
        node_id: stranger.node.to_string(),
        name: stranger.name.clone(),
        state: stranger.state.to_string(),
        token: stranger.token.as_ref().map(ToString::to_string),
    };
    state.first_strangers.iter().map(shown).collect()
}

fn large(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}
