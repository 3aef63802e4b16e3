//! What owners may hold.

use axum::{Json, extract::State};
use serde::Deserialize;
use vmpool::{manager::OwnerLimitView, model::Owner};
use vmpool_api::{OwnerLimit, OwnerShare, Problem, code};

use super::{
    Api, convert, pools,
    read::{Filter, Name},
    refuse::Refused,
};
use crate::access::Caller;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Where {
    pool: Option<String>,
}

pub(super) async fn show(
    State(api): State<Api>,
    caller: Caller,
    Name(name): Name,
    Filter(Where { pool }): Filter<Where>,
) -> Result<Json<OwnerShare>, Refused> {
    let owner = Owner::new(&name).map_err(|err| Problem::new(code::INVALID_REQUEST, err.to_string()))?;
    if !caller.sees(&owner) {
        let detail = format!("{} is not shown what {name:?} may hold", caller.actor());
        return Err(Problem::new(code::FORBIDDEN, detail).into());
    }
    let pool = match pool {
        Some(pool) => Some(pools::known(&api, &pool).await?),
        None => None,
    };
    let limits = api.manager.owner_limits(owner, pool).await?;
    let limits: Vec<OwnerLimit> = limits.iter().map(limit).collect();
    let room = limits.iter().map(|limit| limit.max.saturating_sub(limit.held)).min();
    Ok(Json(OwnerShare { owner: name, room, limits }))
}

fn limit(limit: &OwnerLimitView) -> OwnerLimit {
    OwnerLimit {
        owner: limit.owner.to_string(),
        pool: limit.pool.as_ref().map(ToString::to_string),
        held: convert::number(limit.held),
        max: limit.max,
    }
}
