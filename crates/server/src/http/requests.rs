//! Requests that wait or are remembered.

use std::collections::BTreeMap;

use axum::{Json, extract::State, http::StatusCode};
use serde::Deserialize;
use vmpool::{manager, model::RequestId};
use vmpool_api::{Explanation, Limit, Problem, Request, Requests, code};

use super::{
    Api, convert,
    read::{Filter, Name, operator},
    refuse::Refused,
};

pub(super) async fn list(State(api): State<Api>) -> Result<Json<Requests>, Refused> {
    let view = api.view().await?;
    let mut binding: BTreeMap<_, _> = api.manager.explain_all().await?.iter().filter_map(binding).collect();
    let requests = view.requests.iter().map(|request| {
        let limit = binding.remove(&request.id);
        Request { limit, ..convert::request(request) }
    });
    Ok(Json(Requests { requests: requests.collect() }))
}

/// Says which limit binds first, that of the pool that the request likes best.
fn binding(explanation: &manager::Explanation) -> Option<(RequestId, Limit)> {
    Some((explanation.request.clone(), convert::obstacles(explanation).into_iter().next()?))
}

pub(super) async fn explain(State(api): State<Api>, Name(id): Name) -> Result<Json<Explanation>, Refused> {
    let mut request = find(&api, &id).await?;
    let explanation = api.manager.explain(RequestId::new(&id).map_err(|_| unknown(&id))?).await?;
    let limits = convert::obstacles(&explanation);
    request.limit = limits.first().cloned();
    let position = explanation.position.and_then(|position| u64::try_from(position).ok());
    let likely_at = explanation.likely_at.map(convert::time);
    Ok(Json(Explanation { request, position, limits, likely_at }))
}

pub(super) async fn show(State(api): State<Api>, Name(id): Name) -> Result<Json<Request>, Refused> {
    find(&api, &id).await.map(Json)
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
    Name(id): Name,
    Filter(Withdrawal { by, again }): Filter<Withdrawal>,
) -> Result<StatusCode, Refused> {
    let request = RequestId::new(&id).map_err(|_| unknown(&id))?;
    let manager = api.manager.by(operator(by)?);
    match again {
        true => manager.abandon(request).await?,
        false => manager.cancel(request).await?,
    }
    Ok(StatusCode::NO_CONTENT)
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
