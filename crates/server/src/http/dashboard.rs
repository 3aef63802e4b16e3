//! The dashboard: its files, and what its pages show.

use std::collections::BTreeMap;

use axum::{
    Json,
    extract::{Path, State},
    http::HeaderMap,
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use vmpool::manager::{Clock as _, ProviderStatus};
use vmpool_api::{Explanation, Health, Pool, Problem, Provider, code};

use super::{Api, convert, health, read::Filter, refuse::Refused};
use crate::{
    dashboard::{
        Delta, Range, Series,
        assets::{Asset, INDEX},
    },
    metrics::Calls,
};

/// How many requests that wait are told, those that are served first.
const QUEUE: usize = 500;

pub(super) async fn page(headers: HeaderMap) -> Response {
    INDEX.answer(&headers)
}

pub(super) async fn asset(Path(name): Path<String>, headers: HeaderMap) -> Response {
    match Asset::find(&name) {
        Some(asset) => asset.answer(&headers),
        None => {
            let problem = Problem::new(code::NO_ROUTE, format!("the dashboard has no file {name:?}"));
            Refused::from(problem).into_response()
        }
    }
}

/// What a page wants to know.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    /// The revision that it knows.
    after: Option<u64>,
    /// Whether it can do without VMs and leases, such as for a first look.
    #[serde(default)]
    brief: bool,
}

/// How much is asked of a provider, and how fast that may be.
#[derive(Debug, Serialize)]
pub(super) struct Traffic {
    calls: u64,
    failed: u64,
    under_way: usize,
    rate: Option<f64>,
    burst: u32,
}

/// How everything is: the same words as in the API, but for VMs and leases, of which there may be very many.
#[derive(Debug, Serialize)]
pub(super) struct Shown {
    now: i64,
    health: Health,
    pools: Vec<Pool>,
    providers: Vec<Provider>,
    traffic: BTreeMap<String, Traffic>,
    /// How many requests wait; only the first of them are told.
    waiting: usize,
    queue: Vec<Explanation>,
    #[serde(skip_serializing_if = "Option::is_none")]
    changed: Option<Delta>,
}

pub(super) async fn state(
    State(api): State<Api>,
    Filter(wanted): Filter<Wanted>,
) -> Result<Json<Shown>, Refused> {
    let watched = &api.watched;
    // Before the rest: what is missed now is told the next time.
    let changed = (!wanted.brief).then(|| watched.board.delta(wanted.after));
    let pools = api.manager.pools().await?;
    let providers = api.manager.providers().await?;
    let (waiting, queue) = queue(&api).await?;
    Ok(Json(Shown {
        now: watched.clock.now().as_millis(),
        health: health::of(&api).await?,
        pools: pools.iter().map(convert::pool).collect(),
        traffic: providers.iter().map(|status| (status.name.to_string(), traffic(&api, status))).collect(),
        providers: providers.iter().map(convert::provider).collect(),
        waiting,
        queue,
        changed,
    }))
}

fn traffic(api: &Api, status: &ProviderStatus) -> Traffic {
    let Calls { calls, failed, under_way } = api.watched.metrics.calls(&status.name);
    Traffic { calls, failed, under_way, rate: status.config.rate, burst: status.config.burst }
}

async fn queue(api: &Api) -> Result<(usize, Vec<Explanation>), Refused> {
    if !api.watched.board.somebody_waits() {
        return Ok((0, Vec::new()));
    }
    let all = api.manager.explain_all().await?;
    let shown = all.iter().take(QUEUE).filter_map(|explanation| {
        let mut request = convert::request(&api.watched.board.waiting(&explanation.request)?);
        let limits = convert::obstacles(explanation);
        request.limit = limits.first().cloned();
        let position = explanation.position.and_then(|position| u64::try_from(position).ok());
        Some(Explanation { request, position, limits, likely_at: explanation.likely_at.map(convert::time) })
    });
    Ok((all.len(), shown.collect()))
}

/// Which samples a page wants.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Which {
    #[serde(default)]
    range: Range,
    pool: Option<String>,
}

pub(super) async fn history(
    State(api): State<Api>,
    Filter(which): Filter<Which>,
) -> Json<BTreeMap<String, Series>> {
    Json(api.watched.history.series(which.range, which.pool.as_deref()))
}
