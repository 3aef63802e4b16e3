//! Snapshots of whole VMs and of their disks.

use vmpool_model::Timestamp;

use super::{actions::turn_page, changes::wrong_state};
use crate::opennebula::{
    clock::seconds,
    cloud::Cloud,
    legality::{self, Change},
    rights::{Caller, Right},
    template::{Content, Parts},
    vm::{DiskSnapshot, DiskSnapshots, Vm},
    wire::{ACTION, Answer, Failure, Params, Value, refuse},
};

const DISK_SNAPSHOT: i32 = 25;
const DISK_SNAPSHOT_DELETE: i32 = 26;

/// What the server answers instead of an id where it forgot to.
const NO_ID: Value = Value::Int(-1);

pub(super) fn create(cloud: &mut Cloud, caller: &Caller, params: Params<'_>, now: Timestamp) -> Answer {
    let (id, name) = (params.int(0)?, params.text(1)?);
    cloud.with_vm(id, |cloud, vm| {
        caller.check(Right::Manage, vm)?;
        let Some(place) = legality::change(Change::Snapshot, vm.place) else {
            return refuse(ACTION, wrong_state("create a new snapshot for", vm));
        };
        let snapshot = vm.next_snapshot;
        vm.next_snapshot += 1;
        let name = if name.is_empty() { format!("snapshot-{snapshot}") } else { name.to_owned() };
        let parts = [
            ("HYPERVISOR_ID", format!("snap-{snapshot}")),
            ("NAME", name),
            ("SNAPSHOT_ID", snapshot.to_string()),
            ("SYSTEM_DISK_SIZE", "0".to_owned()),
            ("TIME", seconds(now).to_string()),
        ];
        let parts: Parts = parts.into_iter().map(|(name, text)| (name.to_owned(), text)).collect();
        vm.template.add("SNAPSHOT", Content::Parts(parts));
        cloud.enter(vm, place, now);
        Ok(snapshot.into())
    })
}

pub(super) fn revert(cloud: &mut Cloud, caller: &Caller, params: Params<'_>, now: Timestamp) -> Answer {
    of_vm(cloud, caller, params, now, "revert VM to", |_, _| {})
}

pub(super) fn delete(cloud: &mut Cloud, caller: &Caller, params: Params<'_>, now: Timestamp) -> Answer {
    of_vm(cloud, caller, params, now, "delete", |vm, snapshot| {
        vm.template.retain(|name, content| {
            name != "SNAPSHOT"
                || content.as_parts().and_then(|parts| parts.number("SNAPSHOT_ID")) != Some(snapshot)
        });
    })
}

fn of_vm(
    cloud: &mut Cloud,
    caller: &Caller,
    params: Params<'_>,
    now: Timestamp,
    what: &str,
    change: impl FnOnce(&mut Vm, i32),
) -> Answer {
    let (id, snapshot) = (params.int(0)?, params.int(1)?);
    cloud.with_vm(id, |cloud, vm| {
        caller.check(Right::Manage, vm)?;
        let Some(place) = legality::change(Change::Snapshot, vm.place) else {
            return refuse(ACTION, wrong_state(&format!("{what} snapshot {snapshot} for"), vm));
        };
        if !vm.template.parts("SNAPSHOT").any(|parts| parts.number("SNAPSHOT_ID") == Some(snapshot)) {
            let text = format!("Could not {what} snapshot {snapshot} for VM {id}, it does not exist.");
            return refuse(ACTION, text);
        }
        change(vm, snapshot);
        cloud.enter(vm, place, now);
        Ok(NO_ID)
    })
}

pub(super) fn create_of_disk(
    cloud: &mut Cloud,
    caller: &Caller,
    params: Params<'_>,
    now: Timestamp,
) -> Answer {
    let (id, disk, name) = (params.int(0)?, params.int(1)?, params.text(2)?);
    cloud.with_vm(id, |cloud, vm| {
        caller.check(Right::Manage, vm)?;
        let Some(place) = legality::change(Change::DiskSnapshot, vm.place) else {
            return refuse(ACTION, wrong_state("create a new snapshot for", vm));
        };
        if vm.disk(disk).is_none() {
            return refuse(ACTION, "VM disk does not exist");
        }
        let first = || DiskSnapshots { active: -1, ..DiskSnapshots::default() };
        let snapshots = vm.disk_snapshots.entry(disk).or_insert_with(first);
        let snapshot = snapshots.next;
        let name = name.to_owned();
        let parent = snapshots.active;
        snapshots.list.push(DiskSnapshot { id: snapshot, parent, name, made_at: now });
        (snapshots.next, snapshots.active) = (snapshot + 1, snapshot);
        count_sizes(vm, disk);
        turn_page(cloud, vm, DISK_SNAPSHOT, caller, now);
        cloud.enter(vm, place, now);
        Ok(snapshot.into())
    })
}

pub(super) fn revert_disk(cloud: &mut Cloud, caller: &Caller, params: Params<'_>, now: Timestamp) -> Answer {
    let (id, disk, snapshot) = (params.int(0)?, params.int(1)?, params.int(2)?);
    cloud.with_vm(id, |cloud, vm| {
        caller.check(Right::Manage, vm)?;
        let Some(place) = legality::change(Change::DiskRevert, vm.place) else {
            return refuse(ACTION, wrong_state(&format!("revert to disk snapshot {snapshot} for"), vm));
        };
        find(vm, disk, snapshot)?;
        if let Some(snapshots) = vm.disk_snapshots.get_mut(&disk) {
            snapshots.active = snapshot;
        }
        cloud.enter(vm, place, now);
        Ok(snapshot.into())
    })
}

pub(super) fn delete_of_disk(
    cloud: &mut Cloud,
    caller: &Caller,
    params: Params<'_>,
    now: Timestamp,
) -> Answer {
    let (id, disk, snapshot) = (params.int(0)?, params.int(1)?, params.int(2)?);
    cloud.with_vm(id, |cloud, vm| {
        caller.check(Right::Manage, vm)?;
        let Some(place) = legality::change(Change::DiskSnapshotDelete, vm.place) else {
            return refuse(ACTION, wrong_state(&format!("delete disk snapshot {snapshot} for"), vm));
        };
        find(vm, disk, snapshot)?;
        if let Some(snapshots) = vm.disk_snapshots.get_mut(&disk) {
            if snapshots.active == snapshot {
                return refuse(ACTION, "Cannot delete the active snapshot");
            }
            if snapshots.list.iter().any(|other| other.parent == snapshot) {
                return refuse(ACTION, "Cannot delete snapshot with children");
            }
            snapshots.list.retain(|other| other.id != snapshot);
        }
        count_sizes(vm, disk);
        turn_page(cloud, vm, DISK_SNAPSHOT_DELETE, caller, now);
        cloud.enter(vm, place, now);
        Ok(snapshot.into())
    })
}

pub(super) fn rename_of_disk(cloud: &mut Cloud, caller: &Caller, params: Params<'_>, _: Timestamp) -> Answer {
    let (id, disk, snapshot) = (params.int(0)?, params.int(1)?, params.int(2)?);
    let name = params.text(3)?;
    cloud.with_vm(id, |_, vm| {
        caller.check(Right::Manage, vm)?;
        find(vm, disk, snapshot)?;
        let all = vm.disk_snapshots.get_mut(&disk).into_iter().flat_map(|snapshots| &mut snapshots.list);
        all.filter(|other| other.id == snapshot).for_each(|found| name.clone_into(&mut found.name));
        Ok(id.into())
    })
}

/// Notes how much all snapshots of a disk take: each as much as the disk.
fn count_sizes(vm: &mut Vm, disk: i32) {
    let count = vm.disk_snapshots.get(&disk).map_or(0, |snapshots| snapshots.list.len() as u64);
    if let Some(disk) = vm.template.parts_mut("DISK").find(|other| other.number("DISK_ID") == Some(disk)) {
        let size: u64 = disk.get("SIZE").and_then(|size| size.parse().ok()).unwrap_or(0);
        disk.set("DISK_SNAPSHOT_TOTAL_SIZE", size.saturating_mul(count));
    }
}

fn find(vm: &Vm, disk: i32, snapshot: i32) -> Result<(), Failure> {
    let snapshots = vm.disk_snapshots.get(&disk);
    match snapshots.is_some_and(|snapshots| snapshots.list.iter().any(|other| other.id == snapshot)) {
        true => Ok(()),
        false => refuse(ACTION, format!("Snapshot {snapshot} of disk {disk} does not exist")),
    }
}
