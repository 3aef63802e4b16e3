//! Requests that wait or are remembered.

use std::collections::BTreeMap;

use axum::{Json, extract::State, http::StatusCode};
use serde::Deserialize;
use vmpool::{
    manager,
    model::{Owner, RequestId},
};
use vmpool_api::{Explanation, Limit, Problem, Request, Requests, code};

use super::{
    Api, convert,
    page::{self, Part},
    read::{Filter, Name},
    refuse::Refused,
};
use crate::access::Caller;

pub(super) async fn list(
    State(api): State<Api>,
    caller: Caller,
    Filter(part): Filter<Part>,
) -> Result<Json<Requests>, Refused> {
    let all = api.manager.requests().await?;
    let mut binding: BTreeMap<_, _> = api.manager.explain_all().await?.iter().filter_map(binding).collect();
    let seen = all.iter().filter(|request| caller.sees(&request.owner));
    let requests = seen.map(|request| {
        let limit = binding.remove(&request.id);
        Request { limit, ..convert::request(request) }
    });
    let (requests, next) = page::cut(requests, |request| &request.id, part)?;
    Ok(Json(Requests { requests, next }))
}

/// Says which limit binds first, that of the pool that the request likes best.
fn binding(explanation: &manager::Explanation) -> Option<(RequestId, Limit)> {
    Some((explanation.request.clone(), convert::obstacles(explanation).into_iter().next()?))
}

pub(super) async fn explain(
    State(api): State<Api>,
    caller: Caller,
    Name(id): Name,
) -> Result<Json<Explanation>, Refused> {
    let mut request = own(&api, &caller, &id).await?;
    let explanation = api.manager.explain(RequestId::new(&id).map_err(|_| unknown(&id))?).await?;
    let limits = convert::obstacles(&explanation);
    request.limit = limits.first().cloned();
    let position = explanation.position.and_then(|position| u64::try_from(position).ok());
    let likely_at = explanation.likely_at.map(convert::time);
    Ok(Json(Explanation { request, position, limits, likely_at }))
}

pub(super) async fn show(
    State(api): State<Api>,
    caller: Caller,
    Name(id): Name,
) -> Result<Json<Request>, Refused> {
    own(&api, &caller, &id).await.map(Json)
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Withdrawal {
    by: Option<String>,
    #[serde(default)]
    again: bool,
}

pub(super) async fn cancel(
    State(api): State<Api>,
    caller: Caller,
    Name(id): Name,
    Filter(Withdrawal { by, again }): Filter<Withdrawal>,
) -> Result<StatusCode, Refused> {
    if caller.is_limited() {
        own(&api, &caller, &id).await?;
    }
    let request = RequestId::new(&id).map_err(|_| unknown(&id))?;
    let manager = api.manager.by(caller.by(by)?);
    match again {
        true => manager.abandon(request).await?,
        false => manager.cancel(request).await?,
    }
    Ok(StatusCode::NO_CONTENT)
}

/// Finds a request that concerns who asks; one of somebody else looks like none.
async fn own(api: &Api, caller: &Caller, id: &str) -> Result<Request, Refused> {
    let found = find(api, id).await?;
    let owner = Owner::new(&found.owner).ok();
    match owner.is_some_and(|owner| caller.sees(&owner)) {
        true => Ok(found),
        false => Err(unknown(id)),
    }
}

/// Refuses the id of a request that is somebody else's: sent again, it would yield the other one's leases.
pub(super) async fn check_owner(api: &Api, caller: &Caller, id: &RequestId) -> Result<(), Refused> {
    if !caller.is_limited() {
        return Ok(());
    }
    match api.manager.request(id.clone()).await? {
        Some(found) if !caller.sees(&found.owner) => {
            let detail = format!("request {id} is in use, by somebody else: choose an id of your own");
            Err(Problem::new(code::REQUEST_CONFLICT, detail).into())
        }
        _ => Ok(()),
    }
}

/// Finds a request by its id.
pub(super) async fn find(api: &Api, id: &str) -> Result<Request, Refused> {
    let request = RequestId::new(id).map_err(|_| unknown(id))?;
    match api.manager.request(request).await? {
        Some(request) => Ok(convert::request(&request)),
        None => Err(unknown(id)),
    }
}

fn unknown(id: &str) -> Refused {
    Problem::new(
        code::UNKNOWN_REQUEST,
        format!("there is no request {id:?}, or it is not remembered any more"),
    )
    .into()
}
