//! Network interfaces and disks of machines.

use serde_json::{Value, json};
use vmpool_model::states::cloudapi::MachineState;

use super::{Asked, plain, says_yes};
use crate::cloudapi::{
    catalog::{is_uuid, text},
    cloud::Cloud,
    jobs::Work,
    machine::{Disk, Machine, Nic},
    reply::{Answer, Refusal, SimReply, invalid, missing, refuse},
};

fn state_of_nics(machine: &Machine) -> &'static str {
    match machine.state {
        MachineState::Running | MachineState::Ready => "running",
        MachineState::Provisioning | MachineState::Stopping => "provisioning",
        _ => "stopped",
    }
}

pub(in crate::cloudapi) fn nics(cloud: &mut Cloud, asked: &Asked<'_>, ids: &[&str]) -> Answer {
    let machine = cloud.named(asked, ids.first().copied().unwrap_or_default())?;
    let state = state_of_nics(machine);
    let shown: Vec<Value> = machine.nics.iter().map(|nic| nic.shown(state)).collect();
    let count = shown.len().to_string();
    Ok(SimReply::ok(json!(shown)).with_header("x-resource-count", count))
}

fn find<'a>(machine: &'a Machine, mac: &str) -> Result<&'a Nic, Refusal> {
    if mac.len() != 12 || !mac.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return invalid("mac has invalid format");
    }
    match machine.nics.iter().find(|nic| nic.bare() == mac) {
        Some(nic) => Ok(nic),
        None => missing("Nic not found"),
    }
}

pub(in crate::cloudapi) fn nic(cloud: &mut Cloud, asked: &Asked<'_>, names: &[&str]) -> Answer {
    let [id, mac] = names else { return missing("Nic not found") };
    let machine = cloud.named(asked, id)?;
    Ok(SimReply::ok(find(machine, mac)?.shown(state_of_nics(machine))))
}

pub(in crate::cloudapi) fn add_nic(cloud: &mut Cloud, asked: &Asked<'_>, ids: &[&str]) -> Answer {
    let given = asked.parameters()?;
    let network = match given.get("network") {
        None => return refuse(409, "MissingParameter", "network is required"),
        Some(Value::String(id)) => id.clone(),
        Some(other) => text(other, "ipv4_uuid").to_owned(),
    };
    let id = ids.first().copied().unwrap_or_default();
    cloud.change(asked, id, |cloud, machine| {
        if !is_uuid(&network) || cloud.catalog.network(&network).is_none() {
            return invalid("owner cannot attach nic to network");
        }
        let location = |nic: &Nic| asked.path(&format!("machines/{id}/nics/{}", nic.bare()));
        if let Some(nic) = machine.nics.iter().find(|nic| nic.network == network) {
            return Ok(SimReply::empty(302).with_header("location", location(nic)));
        }
        let nic = cloud.nic(&network, says_yes(given.get("primary")));
        let answer = SimReply::created(nic.shown("provisioning"), location(&nic));
        cloud.enqueue(machine, Work::AddNic(nic), &asked.caller, asked.now);
        Ok(answer)
    })
}

pub(in crate::cloudapi) fn delete_nic(cloud: &mut Cloud, asked: &Asked<'_>, names: &[&str]) -> Answer {
    let [id, mac] = names else { return missing("Nic not found") };
    cloud.change(asked, id, |cloud, machine| {
        find(machine, mac)?;
        cloud.enqueue(machine, Work::RemoveNic((*mac).to_owned()), &asked.caller, asked.now);
        Ok(SimReply::empty(204))
    })
}

pub(in crate::cloudapi) fn disks(cloud: &mut Cloud, asked: &Asked<'_>, ids: &[&str]) -> Answer {
    let machine = cloud.named(asked, ids.first().copied().unwrap_or_default())?;
    has_disks(machine)?;
    let shown: Vec<Value> = machine.disks.iter().map(Disk::shown).collect();
    let count = shown.len().to_string();
    Ok(SimReply::ok(json!(shown)).with_header("x-resource-count", count))
}

fn has_disks(machine: &Machine) -> Result<(), Refusal> {
    match machine.brand.as_str() {
        "bhyve" => Ok(()),
        brand => invalid(&format!("VM brand \"{brand}\" does not support disks")),
    }
}

fn can_change_disks(machine: &Machine) -> Result<(), Refusal> {
    has_disks(machine)?;
    match machine.state {
        MachineState::Stopped => Ok(()),
        _ => invalid("VM must be stopped"),
    }
}

pub(in crate::cloudapi) fn disk(cloud: &mut Cloud, asked: &Asked<'_>, names: &[&str]) -> Answer {
    let [id, disk] = names else { return missing("Disk not found") };
    match cloud.named(asked, id)?.disks.iter().find(|known| known.id == *disk) {
        Some(disk) => Ok(SimReply::ok(disk.shown())),
        None => missing("Disk not found"),
    }
}

/// Returns the size that is asked for, in MiB.
fn size(given: Option<&Value>, free: u64) -> Result<u64, Refusal> {
    let text = given.map(plain).unwrap_or_default();
    match text.parse() {
        _ if text == "remaining" => Ok(free),
        Ok(size) if 0 < size => Ok(size),
        _ => invalid("size must be a positive number of MiB"),
    }
}

fn free(machine: &Machine) -> u64 {
    machine.disk.saturating_sub(machine.disks.iter().filter_map(|disk| disk.size).sum())
}

pub(in crate::cloudapi) fn add_disk(cloud: &mut Cloud, asked: &Asked<'_>, ids: &[&str]) -> Answer {
    let given = asked.parameters()?;
    let id = ids.first().copied().unwrap_or_default();
    cloud.change(asked, id, |cloud, machine| {
        can_change_disks(machine)?;
        let size = size(given.get("size"), free(machine))?;
        let disk = Disk { id: cloud.uuid(), size: Some(size), is_boot: false, image: None };
        let location = asked.path(&format!("machines/{id}/disks/{}", disk.id));
        cloud.enqueue(machine, Work::AddDisk(disk), &asked.caller, asked.now);
        Ok(SimReply::empty(202).with_header("location", location))
    })
}

pub(in crate::cloudapi) fn resize_disk(cloud: &mut Cloud, asked: &Asked<'_>, names: &[&str]) -> Answer {
    let given = asked.parameters()?;
    let [id, disk] = names else { return missing("Disk not found") };
    cloud.change(asked, id, |cloud, machine| {
        can_change_disks(machine)?;
        let Some(known) = machine.disks.iter().find(|known| known.id == *disk) else {
            return missing("Disk not found");
        };
        let size = size(given.get("size"), free(machine))?;
        if known.size.is_some_and(|was| size < was) && !says_yes(given.get("dangerous_allow_shrink")) {
            return invalid("Reducing disk size is a dangerous operation: use dangerous_allow_shrink");
        }
        cloud.enqueue(machine, Work::ResizeDisk((*disk).to_owned(), size), &asked.caller, asked.now);
        Ok(SimReply::empty(202))
    })
}

pub(in crate::cloudapi) fn delete_disk(cloud: &mut Cloud, asked: &Asked<'_>, names: &[&str]) -> Answer {
    let [id, disk] = names else { return missing("Disk not found") };
    cloud.change(asked, id, |cloud, machine| {
        can_change_disks(machine)?;
        if machine.disks.iter().all(|known| known.id != *disk) {
            return missing("Disk not found");
        }
        cloud.enqueue(machine, Work::RemoveDisk((*disk).to_owned()), &asked.caller, asked.now);
        Ok(SimReply::empty(204))
    })
}
