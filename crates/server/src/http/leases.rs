//! Acquiring, renewing and releasing.

use axum::{Json, extract::State, http::StatusCode};
use serde::Deserialize;
use vmpool::{
    manager::ManagerError,
    model::{Acquire, Label, LeaseId, RequestId, Sandbox, TaskId},
};
use vmpool_api::{AcquireAnswer, AcquireRequest, Lease, Leases, Problem, RenewRequest, code, routes};

use super::{
    Api, convert,
    page::{self, Part},
    pools,
    read::{Body, Filter, Name, does_not_fit, invalid_name},
    refuse::Refused,
    requests,
};
use crate::access::Caller;

pub(super) async fn acquire(
    State(api): State<Api>,
    caller: Caller,
    Body(body): Body<AcquireRequest>,
) -> Result<(StatusCode, Json<AcquireAnswer>), Refused> {
    let acquire = read(&api, &caller, body).await?;
    let (request, wanted) = (acquire.request.clone(), acquire.count as usize);
    requests::check_owner(&api, &caller, &request).await?;
    let poll = api.polls.begin(&request, &api.manager);
    let answer = api.manager.by(caller.by(None)?).acquire_within(acquire, api.hold).await;
    poll.answer();
    match answer? {
        Some(grants) => {
            let leases: Vec<Lease> = grants.iter().map(convert::grant).collect();
            let lease = Box::new(leases.first().cloned().ok_or(ManagerError::Stopped)?);
            // Who asks again after some ended gets fewer, and is told of the others.
            let ended = match leases.len() < wanted {
                // What is granted is told, whatever became of the request since.
                true => {
                    requests::find(&api, request.as_str()).await.map(|found| found.ended).unwrap_or_default()
                }
                false => Vec::new(),
            };
            Ok((StatusCode::OK, Json(AcquireAnswer::Granted { lease, leases, ended })))
        }
        None => {
            let request = Box::new(requests::find(&api, request.as_str()).await?);
            Ok((StatusCode::ACCEPTED, Json(AcquireAnswer::Waiting { request })))
        }
    }
}

async fn read(api: &Api, caller: &Caller, body: AcquireRequest) -> Result<Acquire, Refused> {
    if body.pool.is_some() && !body.pools.is_empty() {
        return Err(does_not_fit("pools", "give either one pool as `pool` or several as `pools`"));
    }
    if body.pools().next().is_none() && body.labels.is_empty() {
        return Err(does_not_fit("pool", "it is missing: name a pool, pools or labels"));
    }
    let mut pools = Vec::new();
    for name in body.pools() {
        pools.push(pools::find(api, name).await?);
    }
    let labels =
        body.labels.iter().map(Label::new).collect::<Result<_, _>>().map_err(invalid_name("labels"))?;
    let request = RequestId::new(&body.request).map_err(invalid_name("request"))?;
    let owner = caller.owner(&body.owner)?;
    // A client that is gone must not keep its place: each repetition extends the time again.
    Ok(Acquire::in_pools(request, pools, owner)
        .with_labels(labels)
        .with_count(body.count)
        .with_priority(body.priority)
        .with_sandbox(body.sandbox.map(Sandbox::new).transpose().map_err(invalid_name("sandbox"))?)
        .with_task(body.task.map(TaskId::new).transpose().map_err(invalid_name("task"))?)
        .with_ttl(body.ttl)
        .with_wait(body.wait.unwrap_or_default())
        .with_repeat_within(Some(api.hold + routes::POLL_GRACE)))
}

pub(super) async fn list(
    State(api): State<Api>,
    caller: Caller,
    Filter(part): Filter<Part>,
) -> Result<Json<Leases>, Refused> {
    let leases = api.manager.leases().await?;
    let seen = leases.iter().filter(|(lease, _)| caller.sees(&lease.owner));
    let shown = seen.map(|(lease, vm)| convert::lease_of(lease, vm.as_ref()));
    let (leases, next) = page::cut(shown, |lease| &lease.id, part)?;
    Ok(Json(Leases { leases, next }))
}

pub(super) async fn show(
    State(api): State<Api>,
    caller: Caller,
    Name(id): Name,
) -> Result<Json<Lease>, Refused> {
    let lease = LeaseId::new(&id).map_err(|_| unknown(&id))?;
    match api.manager.lease(lease).await? {
        Some((lease, vm)) if caller.sees(&lease.owner) => Ok(Json(convert::lease_of(&lease, vm.as_ref()))),
        _ => Err(unknown(&id)),
    }
}

/// Reads the id of a lease that who asks may renew and release. One of somebody else looks like none, so that nobody finds
/// out which there are.
async fn own(api: &Api, caller: &Caller, id: &str) -> Result<LeaseId, Refused> {
    let lease = LeaseId::new(id).map_err(|_| unknown(id))?;
    if !caller.is_limited() {
        return Ok(lease);
    }
    match api.manager.lease(lease.clone()).await? {
        Some((found, _)) if caller.sees(&found.owner) => Ok(lease),
        _ => Err(unknown(id)),
    }
}

pub(super) async fn renew(
    State(api): State<Api>,
    caller: Caller,
    Name(id): Name,
    Body(body): Body<RenewRequest>,
) -> Result<Json<Lease>, Refused> {
    let lease = own(&api, &caller, &id).await?;
    let renewed = api.manager.by(caller.by(None)?).renew_if(lease, body.fence, body.ttl).await?;
    Ok(Json(convert::lease_of(&renewed.lease, renewed.vm.as_ref())))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Return {
    fence: Option<u64>,
    by: Option<String>,
}

pub(super) async fn release(
    State(api): State<Api>,
    caller: Caller,
    Name(id): Name,
    Filter(Return { fence, by }): Filter<Return>,
) -> Result<StatusCode, Refused> {
    let lease = own(&api, &caller, &id).await?;
    api.manager.by(caller.by(by)?).release_if(lease, fence).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn unknown(id: &str) -> Refused {
    unknown_lease(id).into()
}

/// Says that there is no such lease.
pub(super) fn unknown_lease(id: &str) -> Problem {
    let detail = format!("there is no lease {id:?}: it was released, has expired, or never was");
    Problem::new(code::UNKNOWN_LEASE, detail)
}
