//! Pools and providers.

use axum::{Json, extract::State};
use vmpool::manager::View;
use vmpool_api::{Pool, Pools, Problem, Providers, code};

use super::{Api, convert, read::Name, refuse::Refused};

pub(super) async fn list(State(api): State<Api>) -> Result<Json<Pools>, Refused> {
    let view = api.view().await?;
    Ok(Json(Pools { pools: view.pools.iter().map(convert::pool).collect() }))
}

pub(super) async fn show(State(api): State<Api>, Name(name): Name) -> Result<Json<Pool>, Refused> {
    let view = api.view().await?;
    match view.pools.iter().find(|status| status.pool.name.as_str() == name) {
        Some(status) => Ok(Json(convert::pool(status))),
        None => Err(unknown(&view, &name)),
    }
}

pub(super) async fn providers(State(api): State<Api>) -> Result<Json<Providers>, Refused> {
    let view = api.view().await?;
    Ok(Json(Providers { providers: view.providers.iter().map(convert::provider).collect() }))
}

/// Says that there is no such pool, and which there are.
pub(super) fn unknown(view: &View, name: &str) -> Refused {
    let known: Vec<&str> = view.pools.iter().map(|status| status.pool.name.as_str()).collect();
    let detail = match known.is_empty() {
        true => format!("there is no pool {name:?}, and no other either"),
        false => format!("there is no pool {name:?}; the pools are {}", known.join(", ")),
    };
    Problem::new(code::UNKNOWN_POOL, detail).into()
}
