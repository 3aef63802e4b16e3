//! What changes the devices and the size of a VM.

use vmpool_model::Timestamp;

use super::{actions::turn_page, allocate::check_name};
use crate::opennebula::{
    cloud::Cloud,
    devices::context,
    legality::{self, Change},
    rights::{Caller, Right},
    template::{Attributes, Content, Parts},
    vm::Vm,
    wire::{ACTION, ALLOCATE, Answer, Failure, INTERNAL, Params, refuse},
};

const ATTACH_DISK: i32 = 21;
const DETACH_DISK: i32 = 22;
const ATTACH_NIC: i32 = 23;
const DETACH_NIC: i32 = 24;
const RESIZE_DISK: i32 = 29;
const RESIZE: i32 = 35;

pub(super) fn attach(cloud: &mut Cloud, caller: &Caller, params: Params<'_>, now: Timestamp) -> Answer {
    let (id, template) = (params.int(0)?, params.text(1)?);
    cloud.with_vm(id, |cloud, vm| {
        caller.check(Right::Manage, vm)?;
        let Some(place) = legality::change(Change::Disk { detaches: false }, vm.place) else {
            return refuse(
                ACTION,
                match vm.history.is_empty() {
                    true => "VM is not running in any host".to_owned(),
                    false => wrong_state("add a new disk to", vm),
                },
            );
        };
        let disk = only(template, "DISK")?;
        cloud.add_disk(vm, disk, caller).map_err(as_action)?;
        turn_page(cloud, vm, ATTACH_DISK, caller, now);
        cloud.enter(vm, place, now);
        Ok(id.into())
    })
}

pub(super) fn detach(cloud: &mut Cloud, caller: &Caller, params: Params<'_>, now: Timestamp) -> Answer {
    let (id, disk) = (params.int(0)?, params.int(1)?);
    cloud.with_vm(id, |cloud, vm| {
        caller.check(Right::Manage, vm)?;
        let Some(place) = legality::change(Change::Disk { detaches: true }, vm.place) else {
            return refuse(ACTION, wrong_state("detach disk from", vm));
        };
        if vm.disk(disk).is_none() {
            return refuse(ACTION, format!("Could not detach disk with DISK_ID {disk}, it does not exist."));
        }
        turn_page(cloud, vm, DETACH_DISK, caller, now);
        cloud.enter(vm, place, now);
        vm.leaving = Some(("DISK", disk));
        Ok(id.into())
    })
}

pub(super) fn attach_nic(cloud: &mut Cloud, caller: &Caller, params: Params<'_>, now: Timestamp) -> Answer {
    let (id, template) = (params.int(0)?, params.text(1)?);
    cloud.with_vm(id, |cloud, vm| {
        caller.check(Right::Manage, vm)?;
        let Some(place) = legality::change(Change::Nic, vm.place) else {
            return refuse(ACTION, wrong_state("add a new NIC to", vm));
        };
        let nic = only(template, "NIC")?;
        cloud.check_networks(std::iter::once(&nic), caller).map_err(as_action)?;
        cloud.add_nic(vm, nic).map_err(as_action)?;
        context(vm);
        turn_page(cloud, vm, ATTACH_NIC, caller, now);
        cloud.enter(vm, place, now);
        Ok(id.into())
    })
}

pub(super) fn detach_nic(cloud: &mut Cloud, caller: &Caller, params: Params<'_>, now: Timestamp) -> Answer {
    let (id, nic) = (params.int(0)?, params.int(1)?);
    cloud.with_vm(id, |cloud, vm| {
        caller.check(Right::Manage, vm)?;
        let Some(place) = legality::change(Change::Nic, vm.place) else {
            return refuse(ACTION, wrong_state("detach NIC from", vm));
        };
        if vm.nic(nic).is_none() {
            return refuse(ACTION, format!("Could not detach NIC with NIC_ID {nic}, it does not exist."));
        }
        turn_page(cloud, vm, DETACH_NIC, caller, now);
        cloud.enter(vm, place, now);
        vm.leaving = Some(("NIC", nic));
        Ok(id.into())
    })
}

pub(super) fn update_nic(cloud: &mut Cloud, caller: &Caller, params: Params<'_>, now: Timestamp) -> Answer {
    let (id, nic, template) = (params.int(0)?, params.int(1)?, params.text(2)?);
    params.int_or(3, 0)?;
    cloud.with_vm(id, |cloud, vm| {
        caller.check(Right::Manage, vm)?;
        let Some(place) = legality::change(Change::Nic, vm.place) else {
            return refuse(ACTION, wrong_state("update NIC of", vm));
        };
        let new = only(template, "NIC")?;
        let Some(old) = vm.template.parts_mut("NIC").find(|old| old.number("NIC_ID") == Some(nic)) else {
            return refuse(ACTION, format!("NIC with NIC_ID {nic} does not exist."));
        };
        // What makes it the card that it is stays.
        let keeps = ["NIC_ID", "IP", "MAC", "NETWORK", "NETWORK_ID", "AR_ID"];
        new.iter().filter(|(name, _)| !keeps.contains(name)).for_each(|(name, text)| old.set(name, text));
        cloud.enter(vm, place, now);
        Ok(id.into())
    })
}

pub(super) fn resize(cloud: &mut Cloud, caller: &Caller, params: Params<'_>, now: Timestamp) -> Answer {
    let (id, template, enforces) = (params.int(0)?, params.text(1)?, params.is(2)?);
    cloud.with_vm(id, |cloud, vm| {
        caller.check(Right::Manage, vm)?;
        let Some(place) = legality::change(Change::Resize, vm.place) else {
            return refuse(ACTION, format!("Cannot resize a VM in state {}", vm.place.name()));
        };
        let Ok(new) = Attributes::parse(template) else { return refuse(INTERNAL, "Parse error.") };
        let host = vm.host;
        let old = vm.template.clone();
        cloud.place_on(vm, None);
        for name in ["CPU", "MEMORY", "VCPU"] {
            if let Some(text) = new.text(name) {
                vm.template.set(name, text);
            }
        }
        let fits = |host| cloud.hosts.get(&host).is_none_or(|host| host.has_room(vm));
        let is_refused = enforces && !host.is_none_or(fits);
        if is_refused {
            vm.template = old;
        }
        cloud.place_on(vm, host);
        if is_refused {
            return refuse(ACTION, format!("VM [{id}] does not fit in host [{}]", host.unwrap_or(-1)));
        }
        turn_page(cloud, vm, RESIZE, caller, now);
        if place != vm.place {
            cloud.enter(vm, place, now);
        }
        Ok(id.into())
    })
}

pub(super) fn resize_disk(cloud: &mut Cloud, caller: &Caller, params: Params<'_>, now: Timestamp) -> Answer {
    let (id, disk, size) = (params.int(0)?, params.int(1)?, params.text(2)?);
    cloud.with_vm(id, |cloud, vm| {
        caller.check(Right::Manage, vm)?;
        let Some(place) = legality::change(Change::DiskResize, vm.place) else {
            return refuse(ACTION, wrong_state("resize disk for", vm));
        };
        let Some(found) = vm.template.parts_mut("DISK").find(|other| other.number("DISK_ID") == Some(disk))
        else {
            return refuse(ACTION, format!("Could not resize disk with DISK_ID {disk}, it does not exist."));
        };
        let old: u64 = found.get("SIZE").and_then(|size| size.parse().ok()).unwrap_or(0);
        match size.trim().parse::<u64>() {
            Ok(new) if old < new => found.set("SIZE", new),
            _ => return refuse(ACTION, "New disk size has to be greater than current one"),
        }
        turn_page(cloud, vm, RESIZE_DISK, caller, now);
        cloud.enter(vm, place, now);
        Ok(id.into())
    })
}

pub(super) fn save_disk(cloud: &mut Cloud, caller: &Caller, params: Params<'_>, now: Timestamp) -> Answer {
    let (id, disk, name) = (params.int(0)?, params.int(1)?, params.text(2)?);
    params.text_or_empty(3)?;
    params.int_or(4, -1)?;
    cloud.with_vm(id, |cloud, vm| {
        caller.check(Right::Manage, vm)?;
        let Some(place) = legality::change(Change::SaveDisk, vm.place) else {
            return refuse(INTERNAL, "VM has to be RUNNING, POWEROFF or SUSPENDED to save disks.");
        };
        let Some(found) = vm.disk(disk) else {
            return refuse(INTERNAL, "Cannot use DISK. DISK does not exist.");
        };
        check_name(name, ALLOCATE)?;
        let mut template = Attributes::default();
        template.set("DEV_PREFIX", "sd");
        template.set("SAVED_DISK_ID", disk);
        template.set("SAVED_IMAGE_ID", found.get("IMAGE_ID").unwrap_or("-1"));
        template.set("SAVED_VM_ID", id);
        let size = found.get("SIZE").and_then(|size| size.parse().ok()).unwrap_or(0);
        let taken = |id| format!("Error allocating a new image. NAME is already taken by IMAGE {id}.");
        let image = (name.to_owned(), 0, size);
        let image = cloud.add_image(caller, image, template, now, |id| refuse(ALLOCATE, taken(id)))?;
        cloud.enter(vm, place, now);
        Ok(image)
    })
}

/// Returns the parts of the one device that a template is about.
fn only(template: &str, name: &str) -> Result<Parts, Failure> {
    let mut template = match Attributes::parse(template) {
        Ok(template) => template,
        Err(err) => return refuse(INTERNAL, err.to_string()),
    };
    match template.remove(name).pop() {
        Some(Content::Parts(parts)) => Ok(parts),
        _ => refuse(ACTION, format!("Template is missing or it has no {name}")),
    }
}

/// Gives what is wrong with a device the code that it has when the VM is there already.
fn as_action(failure: Failure) -> Failure {
    match failure {
        Failure::Refused { code: INTERNAL, text, id } => Failure::Refused { code: ACTION, text, id },
        other => other,
    }
}

/// Says that something cannot be done in the state that the VM is in.
pub(super) fn wrong_state(what: &str, vm: &Vm) -> String {
    format!("Could not {what} VM {}, wrong state {}.", vm.id, vm.place.name())
}
