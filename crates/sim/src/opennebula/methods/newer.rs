//! What servers got in their sixth major version: backups, devices of the host and security groups of cards.
//!
//! It is built after OpenNebula's documentation; no real server was measured at it.

use vmpool_model::{Timestamp, states::opennebula::LcmState as Lcm};

use super::{allocate::read, changes::wrong_state};
use crate::opennebula::{
    cloud::Cloud,
    legality::{self, Change},
    place::{DONE, POWEROFF, RUNNING, UNDEPLOYED},
    rights::{Caller, Right},
    template::{Content, Parts},
    wire::{ACTION, Answer, INTERNAL, Params, no_such, refuse},
};

/// The first id of what is not there from the beginning.
const FIRST_OWN: i32 = 100;

/// The type of an image that is a backup.
const BACKUP: i32 = 6;

/// Makes a datastore, which can be one for backups only.
pub(super) fn allocate_store(cloud: &mut Cloud, caller: &Caller, params: Params<'_>, _: Timestamp) -> Answer {
    let template = read(params.text(0)?)?;
    if !caller.is_admin() {
        return caller.not_authorized(Right::Admin, "DATASTORE", -1);
    }
    match (template.text("NAME"), template.text("TYPE")) {
        (Some(name), Some("BACKUP_DS")) => cloud.stores.push(name.to_owned()),
        _ => return refuse(INTERNAL, "Only a datastore with a NAME and TYPE=BACKUP_DS is simulated."),
    }
    Ok((FIRST_OWN - 1 + i32::try_from(cloud.stores.len()).unwrap_or(0)).into())
}

pub(super) fn backup(cloud: &mut Cloud, caller: &Caller, params: Params<'_>, now: Timestamp) -> Answer {
    let (id, store) = (params.int(0)?, params.int(1)?);
    params.is(2)?;
    let stores = FIRST_OWN..FIRST_OWN + i32::try_from(cloud.stores.len()).unwrap_or(0);
    cloud.with_vm(id, |cloud, vm| {
        caller.check(Right::Admin, vm)?;
        match store {
            0..3 => return refuse(ACTION, format!("Datastore [{store}] is not a backup datastore")),
            store if !stores.contains(&store) => return no_such("datastore", store),
            _ => {}
        }
        let Some(place) = legality::change(Change::Backup, vm.place) else {
            return refuse(ACTION, wrong_state("create a new backup for", vm));
        };
        vm.backed_up_by = Some((caller.uid, caller.gid));
        cloud.enter(vm, place, now);
        Ok(id.into())
    })
}

pub(super) fn cancel_backup(
    cloud: &mut Cloud,
    caller: &Caller,
    params: Params<'_>,
    now: Timestamp,
) -> Answer {
    let id = params.int(0)?;
    cloud.with_vm(id, |cloud, vm| {
        caller.check(Right::Admin, vm)?;
        let place = match vm.place.active_lcm() {
            Some(Lcm::Backup) => RUNNING,
            Some(Lcm::BackupPoweroff) => POWEROFF,
            _ => return refuse(ACTION, wrong_state("cancel backup of", vm)),
        };
        vm.backed_up_by = None;
        cloud.fail(vm, place, now);
        Ok(id.into())
    })
}

impl Cloud {
    /// Keeps the image of a backup that has come to its end.
    pub(crate) fn keep_backup(&mut self, vm: &mut crate::opennebula::vm::Vm, at: Timestamp) {
        let Some((uid, gid)) = vm.backed_up_by.take() else { return };
        let owner = Caller { uid, gid, groups: vec![gid], request: -1 };
        let size = vm.template.parts("DISK").filter_map(|disk| disk.number("SIZE")).sum::<i32>();
        let name = format!("{} backup {}", vm.id, vm.backups.len());
        let image = (name, BACKUP, u64::from(size.unsigned_abs()));
        let kept = self.add_image(&owner, image, Default::default(), at, |taken| Ok(taken.into()));
        if let Ok(crate::opennebula::wire::Value::Int(id)) = kept {
            vm.backups.push(id);
        }
    }
}

pub(super) fn restore(cloud: &mut Cloud, caller: &Caller, params: Params<'_>, now: Timestamp) -> Answer {
    let (id, image) = (params.int(0)?, params.int(1)?);
    params.int(2)?;
    params.int(3)?;
    cloud.with_vm(id, |cloud, vm| {
        caller.check(Right::Admin, vm)?;
        if !cloud.images.contains_key(&image) {
            return no_such("image", image);
        }
        if !vm.backups.contains(&image) {
            return refuse(ACTION, format!("Image [{image}] is no backup of VM [{id}]"));
        }
        let Some(place) = legality::change(Change::Restore, vm.place) else {
            return refuse(ACTION, wrong_state("restore", vm));
        };
        cloud.enter(vm, place, now);
        Ok(id.into())
    })
}

pub(super) fn attach_pci(cloud: &mut Cloud, caller: &Caller, params: Params<'_>, _: Timestamp) -> Answer {
    let (id, template) = (params.int(0)?, read(params.text(1)?)?);
    cloud.with_vm(id, |_, vm| {
        caller.check(Right::Manage, vm)?;
        if !matches!(vm.place, POWEROFF | UNDEPLOYED) {
            return refuse(ACTION, wrong_state("attach PCI device to", vm));
        }
        let Some(mut device) = template.parts("PCI").next().cloned() else {
            return refuse(ACTION, "Template is missing or it has no PCI");
        };
        device.set("PCI_ID", vm.next_device("PCI"));
        vm.template.add("PCI", Content::Parts(device));
        Ok(id.into())
    })
}

pub(super) fn detach_pci(cloud: &mut Cloud, caller: &Caller, params: Params<'_>, _: Timestamp) -> Answer {
    let (id, device) = (params.int(0)?, params.int(1)?);
    cloud.with_vm(id, |_, vm| {
        caller.check(Right::Manage, vm)?;
        if !matches!(vm.place, POWEROFF | UNDEPLOYED) {
            return refuse(ACTION, wrong_state("detach PCI device from", vm));
        }
        let is_it = |parts: &Parts| parts.number("PCI_ID") == Some(device);
        if !vm.template.parts("PCI").any(is_it) {
            return refuse(ACTION, format!("PCI device with PCI_ID {device} does not exist."));
        }
        vm.template.retain(|name, content| name != "PCI" || !content.as_parts().is_some_and(is_it));
        Ok(id.into())
    })
}

/// Makes a security group, of which nothing but its id is known.
pub(super) fn allocate_group(cloud: &mut Cloud, _: &Caller, params: Params<'_>, _: Timestamp) -> Answer {
    read(params.text(0)?)?;
    cloud.security_groups += 1;
    Ok((FIRST_OWN - 1 + cloud.security_groups).into())
}

pub(super) fn attach_group(cloud: &mut Cloud, caller: &Caller, params: Params<'_>, _: Timestamp) -> Answer {
    change_groups(cloud, caller, params, |groups, group| match groups.contains(&group) {
        true => refuse(ACTION, format!("Security group {group} is attached already")),
        false => {
            groups.push(group);
            Ok(group.into())
        }
    })
}

pub(super) fn detach_group(cloud: &mut Cloud, caller: &Caller, params: Params<'_>, _: Timestamp) -> Answer {
    change_groups(cloud, caller, params, |groups, group| match groups.contains(&group) {
        true => {
            groups.retain(|other| *other != group);
            Ok(group.into())
        }
        false => refuse(ACTION, format!("Security group {group} is not attached")),
    })
}

fn change_groups(
    cloud: &mut Cloud,
    caller: &Caller,
    params: Params<'_>,
    change: impl FnOnce(&mut Vec<i32>, i32) -> Answer,
) -> Answer {
    let (id, nic, group) = (params.int(0)?, params.int(1)?, params.int(2)?);
    let is_known = group == 0 || (FIRST_OWN..FIRST_OWN + cloud.security_groups).contains(&group);
    cloud.with_vm(id, |_, vm| {
        caller.check(Right::Manage, vm)?;
        if !is_known {
            return no_such("security group", group);
        }
        if vm.place == DONE {
            return refuse(ACTION, wrong_state("change security groups of", vm));
        }
        let Some(found) = vm.template.parts_mut("NIC").find(|other| other.number("NIC_ID") == Some(nic))
        else {
            return refuse(ACTION, format!("NIC with NIC_ID {nic} does not exist."));
        };
        let texts = found.get("SECURITY_GROUPS").unwrap_or_default().split(',');
        let mut groups: Vec<i32> = texts.filter_map(|text| text.trim().parse().ok()).collect();
        change(&mut groups, group)?;
        let texts: Vec<String> = groups.iter().map(i32::to_string).collect();
        found.set("SECURITY_GROUPS", texts.join(","));
        Ok(id.into())
    })
}
