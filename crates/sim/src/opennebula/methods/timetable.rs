//! What the server is to do with a VM by itself.

use vmpool_model::Timestamp;

use crate::opennebula::{
    cloud::Cloud,
    rights::{Caller, Right},
    schedule::time_of,
    template::Attributes,
    vm::{Scheduled, Vm},
    wire::{ACTION, Answer, Failure, Params, no_such, refuse},
};

pub(super) fn add(cloud: &mut Cloud, caller: &Caller, params: Params<'_>, _: Timestamp) -> Answer {
    let (id, template) = (params.int(0)?, params.text(1)?);
    cloud.with_vm(id, |cloud, vm| {
        caller.check(Right::Manage, vm)?;
        match Attributes::parse(template) {
            Err(err) => refuse(ACTION, err.to_string()),
            Ok(template) => Ok(cloud.schedule(vm, &template)?.into()),
        }
    })
}

pub(super) fn update(cloud: &mut Cloud, caller: &Caller, params: Params<'_>, _: Timestamp) -> Answer {
    let (id, action, template) = (params.int(0)?, params.int(1)?, params.text(2)?);
    cloud.with_vm(id, |_, vm| {
        caller.check(Right::Manage, vm)?;
        let made_at = vm.made_at;
        let scheduled = find(vm, action)?;
        let template = match Attributes::parse(template) {
            Err(err) => return refuse(ACTION, err.to_string()),
            Ok(template) => template,
        };
        let Some(parts) = template.parts("SCHED_ACTION").next() else {
            return refuse(ACTION, "Scheduled action template is missing");
        };
        if let Some(time) = parts.get("TIME") {
            match time_of(time, made_at) {
                Some(at) => (scheduled.at, scheduled.again_at, scheduled.done_at) = (at, None, None),
                None => return refuse(ACTION, format!("Unable to parse TIME value {time}")),
            }
        }
        if let Some(new) = parts.get("ACTION") {
            new.clone_into(&mut scheduled.action);
        }
        Ok(action.into())
    })
}

pub(super) fn delete(cloud: &mut Cloud, caller: &Caller, params: Params<'_>, _: Timestamp) -> Answer {
    let (id, action) = (params.int(0)?, params.int(1)?);
    cloud.with_vm(id, |_, vm| {
        caller.check(Right::Manage, vm)?;
        find(vm, action)?;
        vm.scheduled.retain(|scheduled| scheduled.id != action);
        Ok(action.into())
    })
}

fn find(vm: &mut Vm, action: i32) -> Result<&mut Scheduled, Failure> {
    match vm.scheduled.iter_mut().find(|scheduled| scheduled.id == action) {
        Some(scheduled) => Ok(scheduled),
        None => no_such("scheduled action", action),
    }
}
