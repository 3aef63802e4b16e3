//! What is asked about VMs.

use vmpool_model::{Timestamp, states::opennebula::VmState};

use crate::opennebula::{
    cloud::Cloud,
    document,
    place::RUNNING,
    rights::{Caller, Right},
    vm::Vm,
    wire::{Answer, Failure, INTERNAL, Params, XML_RPC_API, refuse},
};

pub(super) fn info(cloud: &mut Cloud, caller: &Caller, params: Params<'_>, now: Timestamp) -> Answer {
    let id = params.int(0)?;
    let vm = cloud.vm(id)?;
    caller.check_right(Right::Use, vm)?;
    let mut out = String::new();
    document::full(vm, cloud.names(vm.uid, vm.gid), Some(now), &mut out);
    Ok(out.into())
}

pub(super) fn monitoring(cloud: &mut Cloud, caller: &Caller, params: Params<'_>, now: Timestamp) -> Answer {
    let vm = cloud.vm(params.int(0)?)?;
    caller.check_right(Right::Use, vm)?;
    Ok(measured(std::iter::once(vm), now).into())
}

pub(super) fn pool_info(cloud: &mut Cloud, caller: &Caller, params: Params<'_>, _: Timestamp) -> Answer {
    let vms = select(cloud, caller, params)?;
    Ok(pool(cloud, vms, |cloud, vm, out| document::short(vm, cloud.names(vm.uid, vm.gid), out)).into())
}

pub(super) fn pool_info_extended(
    cloud: &mut Cloud,
    caller: &Caller,
    params: Params<'_>,
    _: Timestamp,
) -> Answer {
    let vms = select(cloud, caller, params)?;
    Ok(pool(cloud, vms, |cloud, vm, out| document::full(vm, cloud.names(vm.uid, vm.gid), None, out)).into())
}

pub(super) fn pool_info_set(cloud: &mut Cloud, caller: &Caller, params: Params<'_>, _: Timestamp) -> Answer {
    let wanted: Vec<i32> = params.text(0)?.split(',').filter_map(|id| id.trim().parse().ok()).collect();
    let is_extended = params.is(1)?;
    let vms = cloud.vms.values().rev().filter(|vm| wanted.contains(&vm.id) && is_visible(caller, vm));
    let document = pool(cloud, vms.collect(), |cloud, vm, out| {
        let names = cloud.names(vm.uid, vm.gid);
        match is_extended {
            true => document::full(vm, names, None, out),
            false => document::short(vm, names, out),
        }
    });
    Ok(document.into())
}

pub(super) fn pool_monitoring(
    cloud: &mut Cloud,
    caller: &Caller,
    params: Params<'_>,
    now: Timestamp,
) -> Answer {
    let filter = params.int(0)?;
    params.int_or(1, -1)?;
    check_filter(filter)?;
    Ok(measured(cloud.vms.values().filter(|vm| is_in(filter, caller, vm)), now).into())
}

pub(super) fn pool_accounting(
    cloud: &mut Cloud,
    caller: &Caller,
    params: Params<'_>,
    _: Timestamp,
) -> Answer {
    let (filter, from, to) = (params.int(0)?, params.int(1)?, params.int(2)?);
    check_filter(filter)?;
    let mut out = String::from("<HISTORY_RECORDS>");
    for vm in cloud.vms.values().filter(|vm| is_in(filter, caller, vm)) {
        document::accounting(vm, cloud.names(vm.uid, vm.gid), (from.into(), to.into()), &mut out);
    }
    out.push_str("</HISTORY_RECORDS>");
    Ok(out.into())
}

/// Tells what VMs cost: nothing, since nobody has had it calculated.
pub(super) fn pool_showback(_: &mut Cloud, _: &Caller, params: Params<'_>, _: Timestamp) -> Answer {
    check_filter(params.int(0)?)?;
    for month_or_year in 1..5 {
        params.int(month_or_year)?;
    }
    Ok("<SHOWBACK_RECORDS></SHOWBACK_RECORDS>".to_owned().into())
}

/// Returns the VMs that a pool call asks for, the newest first.
fn select<'a>(cloud: &'a Cloud, caller: &Caller, params: Params<'_>) -> Result<Vec<&'a Vm>, Failure> {
    let (filter, start, end, state) = (params.int(0)?, params.int(1)?, params.int(2)?, params.int(3)?);
    check_filter(filter)?;
    if !(-2..=11).contains(&state) {
        return refuse(XML_RPC_API, "Incorrect filter_flag, state");
    }
    if !params.text_or_empty(4)?.is_empty() {
        return refuse(INTERNAL, "JSON query search is not supported by the SQL backend");
    }
    let is_in_state = |vm: &Vm| match state {
        -2 => true,
        -1 => vm.place.state != VmState::Done,
        state => vm.place.state.number() == state,
    };
    let all = cloud.vms.values().rev().filter(|vm| is_in(filter, caller, vm) && is_in_state(vm));
    Ok(match end {
        // A page: so many from an offset on.
        ..-1 => {
            let (offset, size) = (usize::try_from(start).unwrap_or(0), end.unsigned_abs() as usize);
            all.skip(offset).take(size).collect()
        }
        // Without a first id, the last one does not count.
        _ if start < 0 => all.collect(),
        -1 => all.filter(|vm| start <= vm.id).collect(),
        end => all.filter(|vm| (start..=end).contains(&vm.id)).collect(),
    })
}

fn check_filter(filter: i32) -> Result<(), Failure> {
    match filter {
        ..-4 => refuse(XML_RPC_API, "Incorrect filter_flag"),
        _ => Ok(()),
    }
}

/// Returns whether a filter lets a VM through.
fn is_in(filter: i32, caller: &Caller, vm: &Vm) -> bool {
    match filter {
        -4 => vm.gid == caller.gid,
        -3 => vm.uid == caller.uid,
        -1 => {
            let is_own = vm.uid == caller.uid || caller.groups.contains(&vm.gid);
            is_own && is_visible(caller, vm)
        }
        0.. => vm.uid == filter && is_visible(caller, vm),
        _ => is_visible(caller, vm),
    }
}

fn is_visible(caller: &Caller, vm: &Vm) -> bool {
    caller.has(Right::Use, (vm.uid, vm.gid), vm.permissions)
}

fn pool(cloud: &Cloud, vms: Vec<&Vm>, write: impl Fn(&Cloud, &Vm, &mut String)) -> String {
    let mut out = String::from("<VM_POOL>");
    vms.into_iter().for_each(|vm| write(cloud, vm, &mut out));
    out.push_str("</VM_POOL>");
    out
}

fn measured<'a>(vms: impl Iterator<Item = &'a Vm>, now: Timestamp) -> String {
    let mut out = String::from("<MONITORING_DATA>");
    for vm in vms.filter(|vm| vm.place == RUNNING) {
        out.push_str("<MONITORING>");
        document::measured(vm, now, &mut out);
        out.push_str("</MONITORING>");
    }
    out.push_str("</MONITORING_DATA>");
    out
}
