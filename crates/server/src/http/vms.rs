//! VMs: which there are, and what can be done with one.

use std::net::IpAddr;

use axum::{Json, extract::State, http::StatusCode};
use serde::Deserialize;
use vmpool::{
    manager::{VmQuery, VmStatus},
    model::{Owner, RecordState, TaskId, VmName},
};
use vmpool_api::{ForgetRequest, HoldRequest, Problem, TerminateRequest, VerbRequest, Vm, Vms, code};

use super::{
    Api, convert,
    page::{self, Part},
    pools,
    read::{Body, Filter, Name, does_not_fit},
    refuse::Refused,
};
use crate::access::Caller;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Which {
    pool: Option<String>,
    state: Option<String>,
    address: Option<String>,
    task: Option<String>,
    owner: Option<String>,
    name: Option<String>,
    after: Option<String>,
    limit: Option<usize>,
}

pub(super) async fn list(
    State(api): State<Api>,
    caller: Caller,
    Filter(which): Filter<Which>,
) -> Result<Json<Vms>, Refused> {
    let part = Part { after: which.after, limit: which.limit };
    let states = which.state.iter().flat_map(|states| states.split(',')).map(state);
    let states = states.collect::<Result<Vec<_>, _>>().map_err(|err| invalid("state", &err))?;
    let address = which.address.as_ref().map(|text| text.parse::<IpAddr>()).transpose();
    let address = address.map_err(|err| invalid("address", &err.to_string()))?;
    let mut query = VmQuery::default();
    if let Some(pool) = &which.pool {
        query.pool = Some(pools::known(&api, pool).await?);
    }
    (query.states, query.address) = (states, address);
    // What cannot be a name is that of nobody.
    let (name, task, owner) =
        (which.name.map(VmName::new), which.task.map(TaskId::new), which.owner.map(Owner::new));
    let (Ok(name), Ok(task), Ok(owner)) = (name.transpose(), task.transpose(), owner.transpose()) else {
        return Ok(Json(Vms::default()));
    };
    (query.name, query.task, query.owner) = (name, task, owner);
    query.after.clone_from(&part.after);
    // One more tells whether there are more; of what others have, somebody may see nothing.
    query.limit = part.limit.filter(|_| !caller.is_limited()).map(|limit| limit.saturating_add(1));
    let found = api.manager.find_vms(query).await?;
    let seen = found.iter().filter(|status| sees(&caller, status)).map(convert::vm_of);
    let (vms, next) = page::cut(seen, |vm| &vm.name, part)?;
    Ok(Json(Vms { vms, next }))
}

pub(super) async fn show(
    State(api): State<Api>,
    caller: Caller,
    Name(name): Name,
) -> Result<Json<Vm>, Refused> {
    let mut query = VmQuery::default();
    query.name = Some(vm(&name)?);
    match api.manager.find_vms(query).await?.first() {
        Some(status) if sees(&caller, status) => Ok(Json(convert::vm_of(status))),
        _ => Err(unknown(&name)),
    }
}

/// Returns whether a VM concerns who asks: who sees only what is its own is shown the VMs that it uses or used last.
fn sees(caller: &Caller, VmStatus { vm, .. }: &VmStatus) -> bool {
    vm.owner.as_ref().map_or(!caller.is_limited(), |owner| caller.sees(owner))
}

pub(super) async fn terminate(
    State(api): State<Api>,
    caller: Caller,
    Name(name): Name,
    Body(body): Body<TerminateRequest>,
) -> Result<StatusCode, Refused> {
    let only_if = body.only_if.as_deref().map(state).transpose();
    let only_if = only_if.map_err(|err| does_not_fit("only_if", &err))?;
    let reason = body.reason.unwrap_or_else(|| "terminated by request".to_owned());
    api.manager.by(caller.by(body.by)?).terminate_if(vm(&name)?, only_if, reason).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn hold(
    State(api): State<Api>,
    caller: Caller,
    Name(name): Name,
    Body(body): Body<HoldRequest>,
) -> Result<StatusCode, Refused> {
    let (by, reason) = (caller.by(body.by)?, body.reason.unwrap_or_default());
    api.manager.hold(vm(&name)?, reason, by, body.time).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn unhold(
    State(api): State<Api>,
    caller: Caller,
    Name(name): Name,
    Body(body): Body<VerbRequest>,
) -> Result<StatusCode, Refused> {
    api.manager.by(caller.by(body.by)?).unhold(vm(&name)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn forget(
    State(api): State<Api>,
    caller: Caller,
    Name(name): Name,
    Body(body): Body<ForgetRequest>,
) -> Result<StatusCode, Refused> {
    if body.reason.trim().is_empty() {
        return Err(does_not_fit("reason", "it is empty: say why, because nothing else will tell"));
    }
    api.manager.by(caller.by(body.by)?).forget(vm(&name)?, body.reason).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn state(text: &str) -> Result<RecordState, String> {
    text.parse().map_err(|err: vmpool::model::UnknownRecordState| err.to_string())
}

fn vm(name: &str) -> Result<VmName, Refused> {
    VmName::new(name).map_err(|_| unknown(name))
}

fn invalid(parameter: &str, why: &str) -> Refused {
    Problem::new(code::INVALID_REQUEST, format!("the query does not fit at `{parameter}`: {why}")).into()
}

fn unknown(name: &str) -> Refused {
    Problem::new(code::UNKNOWN_VM, format!("there is no VM {name:?}")).into()
}
