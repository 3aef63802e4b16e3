//! VMs: which there are, and what can be done with one.

use std::net::IpAddr;

use axum::{Json, extract::State, http::StatusCode};
use serde::Deserialize;
use vmpool::{
    manager::View,
    model::{RecordState, VmName, VmRecord},
};
use vmpool_api::{ForgetRequest, HoldRequest, Problem, TerminateRequest, VerbRequest, Vm, Vms, code};

use super::{
    Api, convert, pools,
    read::{Body, Filter, Name, does_not_fit, operator},
    refuse::Refused,
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Which {
    pool: Option<String>,
    state: Option<String>,
    address: Option<String>,
    task: Option<String>,
    owner: Option<String>,
    name: Option<String>,
}

pub(super) async fn list(State(api): State<Api>, Filter(which): Filter<Which>) -> Result<Json<Vms>, Refused> {
    let states = which.state.iter().flat_map(|states| states.split(',')).map(state);
    let states = states.collect::<Result<Vec<_>, _>>().map_err(|err| invalid("state", &err))?;
    let address = which.address.as_ref().map(|text| text.parse::<IpAddr>()).transpose();
    let address = address.map_err(|err| invalid("address", &err.to_string()))?;
    let view = api.view().await?;
    if let Some(pool) = &which.pool
        && !view.pools.iter().any(|status| status.pool.name.as_str() == pool)
    {
        return Err(pools::unknown(&view, pool));
    }
    let wanted = view.vms.iter().filter(|vm| {
        which.pool.as_ref().is_none_or(|pool| vm.pool.as_str() == pool)
            && (states.is_empty() || states.contains(&vm.state))
            && address.is_none_or(|address| has_address(vm, address))
            && which
                .owner
                .as_ref()
                .is_none_or(|owner| vm.owner.as_ref().is_some_and(|is| is.as_str() == owner))
            && which.name.as_ref().is_none_or(|name| vm.name.as_str() == name)
            && which.task.as_ref().is_none_or(|task| is_for(vm, task, &view))
    });
    Ok(Json(Vms { vms: wanted.map(|vm| convert::vm_of(vm, &view)).collect() }))
}

pub(super) async fn show(State(api): State<Api>, Name(name): Name) -> Result<Json<Vm>, Refused> {
    let view = api.view().await?;
    match view.vms.iter().find(|vm| vm.name.as_str() == name) {
        Some(vm) => Ok(Json(convert::vm_of(vm, &view))),
        None => Err(unknown(&name)),
    }
}

pub(super) async fn terminate(
    State(api): State<Api>,
    Name(name): Name,
    Body(body): Body<TerminateRequest>,
) -> Result<StatusCode, Refused> {
    let only_if = body.only_if.as_deref().map(state).transpose();
    let only_if = only_if.map_err(|err| does_not_fit("only_if", &err))?;
    let reason = body.reason.unwrap_or_else(|| "terminated by request".to_owned());
    api.manager.by(operator(body.by)?).terminate_if(vm(&name)?, only_if, reason).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn hold(
    State(api): State<Api>,
    Name(name): Name,
    Body(body): Body<HoldRequest>,
) -> Result<StatusCode, Refused> {
    let (by, reason) = (operator(body.by)?, body.reason.unwrap_or_default());
    api.manager.hold(vm(&name)?, reason, by, body.time).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn unhold(
    State(api): State<Api>,
    Name(name): Name,
    Body(body): Body<VerbRequest>,
) -> Result<StatusCode, Refused> {
    api.manager.by(operator(body.by)?).unhold(vm(&name)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn forget(
    State(api): State<Api>,
    Name(name): Name,
    Body(body): Body<ForgetRequest>,
) -> Result<StatusCode, Refused> {
    if body.reason.trim().is_empty() {
        return Err(does_not_fit("reason", "it is empty: say why, because nothing else will tell"));
    }
    api.manager.by(operator(body.by)?).forget(vm(&name)?, body.reason).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn has_address(vm: &VmRecord, address: IpAddr) -> bool {
    vm.node.as_ref().is_some_and(|node| node.addresses.contains(&address))
}

fn is_for(vm: &VmRecord, task: &str, view: &View) -> bool {
    let lease = vm.lease.as_ref().and_then(|lease| convert::find_lease(lease, view));
    lease.and_then(|lease| lease.task.as_ref()).is_some_and(|is| is.as_str() == task)
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
