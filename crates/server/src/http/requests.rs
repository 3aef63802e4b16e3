//! Requests that wait or are remembered.

use axum::{Json, extract::State, http::StatusCode};
use vmpool::model::RequestId;
use vmpool_api::{Problem, Request, Requests, code};

use super::{Api, convert, read::Name, refuse::Refused};

pub(super) async fn list(State(api): State<Api>) -> Result<Json<Requests>, Refused> {
    let view = api.view().await?;
    Ok(Json(Requests { requests: view.requests.iter().map(convert::request).collect() }))
}

pub(super) async fn show(State(api): State<Api>, Name(id): Name) -> Result<Json<Request>, Refused> {
    find(&api, &id).await.map(Json)
}

pub(super) async fn cancel(State(api): State<Api>, Name(id): Name) -> Result<StatusCode, Refused> {
    let request = RequestId::new(&id).map_err(|_| unknown(&id))?;
    api.manager.cancel(request).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Finds a request by its id.
pub(super) async fn find(api: &Api, id: &str) -> Result<Request, Refused> {
    let view = api.view().await?;
    match view.requests.iter().find(|request| request.id.as_str() == id) {
        Some(request) => Ok(convert::request(request)),
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
