//! Acquiring, renewing and releasing.

use axum::{Json, extract::State, http::StatusCode};
use vmpool::manager::ManagerError;
use vmpool::model::{Acquire, LeaseId, Owner, PoolName, RequestId, Sandbox, TaskId};
use vmpool_api::{AcquireAnswer, AcquireRequest, Lease, Leases, Problem, RenewRequest, code, routes};

use super::{
    Api, convert, pools,
    read::{Body, Name, invalid_name},
    refuse::Refused,
    requests,
};

pub(super) async fn acquire(
    State(api): State<Api>,
    Body(body): Body<AcquireRequest>,
) -> Result<(StatusCode, Json<AcquireAnswer>), Refused> {
    let request = RequestId::new(&body.request).map_err(invalid_name("request"))?;
    let owner = Owner::new(&body.owner).map_err(invalid_name("owner"))?;
    let sandbox = body.sandbox.map(Sandbox::new).transpose().map_err(invalid_name("sandbox"))?;
    let task = body.task.map(TaskId::new).transpose().map_err(invalid_name("task"))?;
    let Ok(pool) = PoolName::new(&body.pool) else {
        return Err(pools::unknown(&*api.view().await?, &body.pool));
    };
    // A client that is gone must not keep its place: each repetition extends the time again.
    let wait = body.wait.unwrap_or_default().min(api.hold + routes::POLL_GRACE);
    let acquire = Acquire::new(request.clone(), pool, owner)
        .with_sandbox(sandbox)
        .with_task(task)
        .with_ttl(body.ttl)
        .with_wait(wait);
    let poll = api.polls.begin(&request, &api.manager);
    let answer = api.manager.acquire_within(acquire, api.hold).await;
    poll.answer();
    match answer? {
        Some(grants) => {
            let grant = grants.first().ok_or(ManagerError::Stopped)?;
            let lease = Box::new(convert::grant(grant));
            Ok((StatusCode::OK, Json(AcquireAnswer::Granted { lease })))
        }
        None => {
            let request = Box::new(requests::find(&api, request.as_str()).await?);
            Ok((StatusCode::ACCEPTED, Json(AcquireAnswer::Waiting { request })))
        }
    }
}

pub(super) async fn list(State(api): State<Api>) -> Result<Json<Leases>, Refused> {
    let view = api.view().await?;
    Ok(Json(Leases { leases: view.leases.iter().map(|lease| convert::lease(lease, &view)).collect() }))
}

pub(super) async fn show(State(api): State<Api>, Name(id): Name) -> Result<Json<Lease>, Refused> {
    let view = api.view().await?;
    match view.leases.iter().find(|lease| lease.id.as_str() == id) {
        Some(lease) => Ok(Json(convert::lease(lease, &view))),
        None => Err(unknown(&id)),
    }
}

pub(super) async fn renew(
    State(api): State<Api>,
    Name(id): Name,
    Body(body): Body<RenewRequest>,
) -> Result<Json<Lease>, Refused> {
    let lease = LeaseId::new(&id).map_err(|_| unknown(&id))?;
    let lease = api.manager.renew(lease, body.ttl).await?;
    // Renewals are frequent, and what they show beside the lease hardly changes.
    let view = api.recent_view().await?;
    Ok(Json(convert::lease(&lease, &view)))
}

pub(super) async fn release(State(api): State<Api>, Name(id): Name) -> Result<StatusCode, Refused> {
    let lease = LeaseId::new(&id).map_err(|_| unknown(&id))?;
    api.manager.release(lease).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn unknown(id: &str) -> Refused {
    let detail = format!("there is no lease {id:?}: it was released, has expired, or never was");
    Problem::new(code::UNKNOWN_LEASE, detail).into()
}
