//! What the daemon measures, for Prometheus.

use axum::{extract::State, http::header::CONTENT_TYPE, response::IntoResponse};

use super::{Api, refuse::Refused};
use crate::metrics::{self, Now};

pub(super) async fn show(State(api): State<Api>) -> Result<impl IntoResponse, Refused> {
    let now = Now {
        started_at: api.watched.started_at,
        pools: api.manager.pools().await?,
        providers: api.manager.providers().await?,
        is_short: api.watched.store.is_short(),
    };
    Ok(([(CONTENT_TYPE, metrics::CONTENT_TYPE)], metrics::render(&api.watched.metrics, &now)))
}
