//! Pools: which there are, and bringing one to its end.

use axum::{Json, extract::State, http::StatusCode};
use vmpool::{manager::View, model::PoolName};
use vmpool_api::{DrainRequest, Pool, Pools, Problem, VerbRequest, code};

use super::{
    Api,
    convert::{self, Totals},
    read::{Body, Name, operator},
    refuse::Refused,
};

pub(super) async fn list(State(api): State<Api>) -> Result<Json<Pools>, Refused> {
    let view = api.view().await?;
    let totals = Totals::of(&view);
    Ok(Json(Pools { pools: view.pools.iter().map(|status| convert::pool(status, &totals)).collect() }))
}

pub(super) async fn show(State(api): State<Api>, Name(name): Name) -> Result<Json<Pool>, Refused> {
    let view = api.view().await?;
    match view.pools.iter().find(|status| status.pool.name.as_str() == name) {
        Some(status) => Ok(Json(convert::pool(status, &Totals::of(&view)))),
        None => Err(unknown(&view, &name)),
    }
}

pub(super) async fn drain(
    State(api): State<Api>,
    Name(name): Name,
    Body(body): Body<DrainRequest>,
) -> Result<StatusCode, Refused> {
    let pool = find(&api, &name).await?;
    let by = operator(body.by)?;
    api.manager.by(by).drain(pool, body.reason.unwrap_or_default()).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn undrain(
    State(api): State<Api>,
    Name(name): Name,
    Body(body): Body<VerbRequest>,
) -> Result<StatusCode, Refused> {
    let pool = find(&api, &name).await?;
    api.manager.by(operator(body.by)?).undrain(pool).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Reads the name of a pool; one that cannot be a name is that of no pool.
pub(super) async fn find(api: &Api, name: &str) -> Result<PoolName, Refused> {
    match PoolName::new(name) {
        Ok(name) => Ok(name),
        Err(_) => Err(unknown(&*api.view().await?, name)),
    }
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
