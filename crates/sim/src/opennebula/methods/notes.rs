//! What is noted about a VM: its name, its owner, its user template, its lock.

use vmpool_model::{Timestamp, states::opennebula::VmState};

use super::allocate::check_name;
use crate::opennebula::{
    cloud::Cloud,
    devices::context,
    place::{DONE, RUNNING, STOPPED, SUSPENDED},
    rights::{Caller, Right, locked_already},
    template::{Attributes, Content},
    vm::{Lock, Vm},
    wire::{ACTION, Answer, INTERNAL, Params, no_such, refuse},
};

/// What `one.vm.updateconf` may change.
const OF_CONFIGURATION: [&str; 9] =
    ["BACKUP_CONFIG", "CONTEXT", "CPU_MODEL", "EMULATOR", "FEATURES", "GRAPHICS", "INPUT", "OS", "RAW"];

pub(super) fn update(cloud: &mut Cloud, caller: &Caller, params: Params<'_>, _: Timestamp) -> Answer {
    let (id, template, mode) = (params.int(0)?, params.text(1)?, params.int(2)?);
    cloud.with_vm(id, |_, vm| {
        caller.check(Right::Manage, vm)?;
        let template = match Attributes::parse(template) {
            Err(err) => return refuse(ACTION, err.to_string()),
            Ok(template) => template,
        };
        // The real server says that all went well, too, and keeps nothing.
        if template.breaks_cdata() {
            return Ok(id.into());
        }
        match mode {
            0 => vm.user_template = template,
            _ => vm.user_template.merge(template),
        }
        Ok(id.into())
    })
}

pub(super) fn update_conf(cloud: &mut Cloud, caller: &Caller, params: Params<'_>, _: Timestamp) -> Answer {
    let (id, template) = (params.int(0)?, params.text(1)?);
    let appends = params.int_or(2, 0)? == 1;
    cloud.with_vm(id, |_, vm| {
        caller.check(Right::Manage, vm)?;
        if !is_configurable(vm) {
            let text = format!("configuration cannot be updated in state {}", vm.place.name());
            return refuse(INTERNAL, text);
        }
        let mut template = match Attributes::parse(template) {
            Err(err) => return refuse(INTERNAL, err.to_string()),
            Ok(template) => template,
        };
        let template = template.split(|name| OF_CONFIGURATION.contains(&name));
        let old = vm.template.parts("CONTEXT").next().cloned();
        match (old, template.parts("CONTEXT").next()) {
            (None, Some(_)) => {
                return refuse(INTERNAL, "Virtual machine does not have context, cannot add a new one.");
            }
            (Some(old), Some(new)) => {
                let mut context = if appends { old.clone() } else { Default::default() };
                for name in ["DISK_ID", "TARGET"] {
                    context.set(name, old.get(name).unwrap_or_default());
                }
                new.iter().for_each(|(name, text)| context.set(name, text));
                vm.template.remove("CONTEXT");
                vm.template.add("CONTEXT", Content::Parts(context));
            }
            (_, None) => {}
        }
        for (name, content) in template.iter().filter(|(name, _)| *name != "CONTEXT") {
            vm.template.remove(name);
            vm.template.add(name, content.clone());
        }
        context(vm);
        Ok(id.into())
    })
}

/// Returns whether the configuration of a VM can be changed.
fn is_configurable(vm: &Vm) -> bool {
    let name = vm.place.name();
    let is_under_way = |prefix: &str| vm.place.active_lcm().is_some() && name.starts_with(prefix);
    let is_busy = ["BOOT", "SAVE_", "MIGRATE", "HOTPLUG"].into_iter().any(is_under_way);
    vm.place == RUNNING
        || !(is_busy || matches!(vm.place, DONE | SUSPENDED | STOPPED) || vm.place.state == VmState::Init)
}

pub(super) fn rename(cloud: &mut Cloud, caller: &Caller, params: Params<'_>, _: Timestamp) -> Answer {
    let (id, name) = (params.int(0)?, params.text(1)?);
    cloud.with_vm(id, |_, vm| {
        // A lock is not in the way.
        caller.check_right(Right::Manage, vm)?;
        check_name(name, ACTION)?;
        name.clone_into(&mut vm.name);
        Ok(id.into())
    })
}

pub(super) fn chmod(cloud: &mut Cloud, caller: &Caller, params: Params<'_>, _: Timestamp) -> Answer {
    let id = params.int(0)?;
    let mut bits = [None; 9];
    for (index, bit) in bits.iter_mut().enumerate() {
        *bit = match params.int(1 + index)? {
            -1 => None,
            number => Some(number == 1),
        };
    }
    cloud.with_vm(id, |_, vm| {
        caller.check(Right::Manage, vm)?;
        for (old, new) in vm.permissions.0.iter_mut().zip(bits) {
            *old = new.unwrap_or(*old);
        }
        Ok(id.into())
    })
}

pub(super) fn chown(cloud: &mut Cloud, caller: &Caller, params: Params<'_>, _: Timestamp) -> Answer {
    let (id, uid, gid) = (params.int(0)?, params.int(1)?, params.int(2)?);
    if 0 <= uid && !cloud.users.contains_key(&uid) {
        return no_such("user", uid);
    }
    if 0 <= gid && !cloud.groups.contains_key(&gid) {
        return no_such("group", gid);
    }
    cloud.with_vm(id, |_, vm| {
        caller.check(Right::Manage, vm)?;
        if 0 <= uid && uid != vm.uid && !caller.is_admin() {
            return caller.not_authorized(Right::Manage, "USER", uid);
        }
        vm.uid = if uid < 0 { vm.uid } else { uid };
        vm.gid = if gid < 0 { vm.gid } else { gid };
        Ok(id.into())
    })
}

pub(super) fn lock(cloud: &mut Cloud, caller: &Caller, params: Params<'_>, now: Timestamp) -> Answer {
    let (id, level, tests) = (params.int(0)?, params.int(1)?, params.is(2)?);
    cloud.with_vm(id, |_, vm| {
        caller.check_right(Right::Manage, vm)?;
        if !(1..=4).contains(&level) {
            return refuse(ACTION, "Wrong lock level specified");
        }
        match vm.lock {
            Some(lock) if tests => return locked_already(lock.at),
            // To lock all is to lock from the first kind of operation on.
            _ => {
                vm.lock = Some(Lock {
                    level: if level == 4 { 1 } else { level },
                    uid: caller.uid,
                    at: now,
                    request: caller.request,
                })
            }
        }
        Ok(id.into())
    })
}

pub(super) fn unlock(cloud: &mut Cloud, caller: &Caller, params: Params<'_>, _: Timestamp) -> Answer {
    let id = params.int(0)?;
    cloud.with_vm(id, |_, vm| {
        caller.check_right(Right::Manage, vm)?;
        vm.lock = None;
        Ok(id.into())
    })
}
