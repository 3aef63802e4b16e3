//! VMs.

use axum::{Json, extract::State, http::StatusCode};
use serde::Deserialize;
use vmpool::model::{RecordState, VmName};
use vmpool_api::{Problem, TerminateRequest, Vm, Vms, code};

use super::{
    Api, convert, pools,
    read::{Body, Filter, Name},
    refuse::Refused,
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Which {
    pool: Option<String>,
    state: Option<String>,
}

pub(super) async fn list(State(api): State<Api>, Filter(which): Filter<Which>) -> Result<Json<Vms>, Refused> {
    let state = which.state.map(|state| state.parse::<RecordState>()).transpose();
    let state = state.map_err(|err| Problem::new(code::INVALID_REQUEST, format!("filter `state`: {err}")))?;
    let view = api.view().await?;
    if let Some(pool) = &which.pool
        && !view.pools.iter().any(|status| status.pool.name.as_str() == pool)
    {
        return Err(pools::unknown(&view, pool));
    }
    let wanted = view.vms.iter().filter(|vm| {
        which.pool.as_ref().is_none_or(|pool| vm.pool.as_str() == pool)
            && state.is_none_or(|state| vm.state == state)
    });
    Ok(Json(Vms { vms: wanted.map(convert::vm).collect() }))
}

pub(super) async fn show(State(api): State<Api>, Name(name): Name) -> Result<Json<Vm>, Refused> {
    let view = api.view().await?;
    match view.vms.iter().find(|vm| vm.name.as_str() == name) {
        Some(vm) => Ok(Json(convert::vm(vm))),
        None => Err(unknown(&name)),
    }
}

pub(super) async fn terminate(
    State(api): State<Api>,
    Name(name): Name,
    Body(body): Body<TerminateRequest>,
) -> Result<StatusCode, Refused> {
    let vm = VmName::new(&name).map_err(|_| unknown(&name))?;
    let reason = body.reason.unwrap_or_else(|| "terminated by request".to_owned());
    api.manager.terminate(vm, reason).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn unknown(name: &str) -> Refused {
    Problem::new(code::UNKNOWN_VM, format!("there is no VM {name:?}")).into()
}
