//! Pools: which there are, and bringing one to its end.

use axum::{Json, extract::State, http::StatusCode};
use vmpool::model::PoolName;
use vmpool_api::{DrainRequest, Pool, Pools, Problem, VerbRequest, code};

use super::{
    Api, convert,
    read::{Body, Name},
    refuse::Refused,
};
use crate::access::Caller;

pub(super) async fn list(State(api): State<Api>) -> Result<Json<Pools>, Refused> {
    let pools = api.manager.pools().await?;
    Ok(Json(Pools { pools: pools.iter().map(convert::pool).collect() }))
}

pub(super) async fn show(State(api): State<Api>, Name(name): Name) -> Result<Json<Pool>, Refused> {
    let pool = find(&api, &name).await?;
    match api.manager.pool(pool).await? {
        Some(status) => Ok(Json(convert::pool(&status))),
        None => Err(unknown(&api, &name).await),
    }
}

pub(super) async fn drain(
    State(api): State<Api>,
    caller: Caller,
    Name(name): Name,
    Body(body): Body<DrainRequest>,
) -> Result<StatusCode, Refused> {
    let pool = find(&api, &name).await?;
    let by = caller.by(body.by)?;
    api.manager.by(by).drain(pool, body.reason.unwrap_or_default()).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn undrain(
    State(api): State<Api>,
    caller: Caller,
    Name(name): Name,
    Body(body): Body<VerbRequest>,
) -> Result<StatusCode, Refused> {
    let pool = find(&api, &name).await?;
    api.manager.by(caller.by(body.by)?).undrain(pool).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Reads the name of a pool; one that cannot be a name is that of no pool.
pub(super) async fn find(api: &Api, name: &str) -> Result<PoolName, Refused> {
    match PoolName::new(name) {
        Ok(name) => Ok(name),
        Err(_) => Err(unknown(api, name).await),
    }
}

/// Reads the name of a pool that there is.
pub(super) async fn known(api: &Api, name: &str) -> Result<PoolName, Refused> {
    let pool = find(api, name).await?;
    match api.manager.pool(pool.clone()).await? {
        Some(_) => Ok(pool),
        None => Err(unknown(api, name).await),
    }
}

/// Says that there is no such pool, and which there are.
async fn unknown(api: &Api, name: &str) -> Refused {
    let pools = match api.manager.pools().await {
        Ok(pools) => pools,
        Err(err) => return err.into(),
    };
    let known: Vec<&str> = pools.iter().map(|status| status.pool.name.as_str()).collect();
    let detail = match known.is_empty() {
        true => format!("there is no pool {name:?}, and no other either"),
        false => format!("there is no pool {name:?}; the pools are {}", known.join(", ")),
    };
    Problem::new(code::UNKNOWN_POOL, detail).into()
}
