//! Snapshots of VMs and of their disks.

use vmpool_model::states::opennebula::VmState;
use vmpool_opennebula::{client::Version, document::Element, vm::Vm};

use crate::{
    Failure,
    account::live,
    devices::image,
    wait::{allowed, is_running, reaches, runs, shows},
};

#[tokio::test]
async fn a_running_vm_goes_back_to_a_snapshot_which_is_then_deleted() -> Result<(), Failure> {
    let Some(live) = live().await? else { return Ok(()) };
    let vm = live.held("snapshots", "").await?;
    vm.release().await?;
    runs(&vm).await?;
    let number = allowed(async || vm.snapshot_create("before").await).await?;
    let has = |vm: &Vm| {
        let template = vm.document.child("TEMPLATE");
        let mut all = template.into_iter().flat_map(|template| template.all("SNAPSHOT"));
        all.any(|snapshot| snapshot.number("SNAPSHOT_ID") == Some(number))
    };
    shows(&vm, "it has the snapshot", |vm| is_running(vm) && has(vm)).await?;
    allowed(async || vm.snapshot_revert(number).await).await?;
    runs(&vm).await?;
    allowed(async || vm.snapshot_delete(number).await).await?;
    shows(&vm, "the snapshot is gone", |vm| is_running(vm) && !has(vm)).await.map(drop)
}

#[tokio::test]
async fn a_disk_goes_back_to_a_snapshot_and_loses_another() -> Result<(), Failure> {
    let Some(live) = live().await? else { return Ok(()) };
    let Some(image) = image(&live).await? else { return Ok(()) };
    let vm = live.held("disk-snapshots", &format!("DISK=[IMAGE_ID={image}]")).await?;
    vm.release().await?;
    let found = runs(&vm).await?;
    let disk = found.disks.iter().find(|disk| disk.image_id == Some(image)).ok_or("the disk is missing")?.id;
    allowed(async || vm.poweroff_hard().await).await?;
    reaches(&vm, VmState::Poweroff).await?;

    let first = allowed(async || vm.disk_snapshot_create(disk, "first").await).await?;
    shows(&vm, "there is one snapshot", |vm| rests(vm, 1)).await?;
    let second = allowed(async || vm.disk_snapshot_create(disk, "second").await).await?;
    let found = shows(&vm, "there are two snapshots", |vm| rests(vm, 2)).await?;
    assert_eq!(names(&found), ["first", "second"]);
    if Version::new(5, 8) <= live.client.version().await? {
        allowed(async || vm.disk_snapshot_rename(disk, first, "renamed").await).await?;
        shows(&vm, "it has another name", |vm| names(vm).contains(&"renamed")).await?;
    }
    allowed(async || vm.disk_snapshot_revert(disk, first).await).await?;
    let is_active = |vm: &Vm| {
        let active = snapshots(vm).find(|snapshot| snapshot.text_of("ACTIVE") == "YES");
        active.and_then(|snapshot| snapshot.number("ID")) == Some(first)
    };
    shows(&vm, "it is back at the first", |vm| rests(vm, 2) && is_active(vm)).await?;
    allowed(async || vm.disk_snapshot_delete(disk, second).await).await?;
    shows(&vm, "there is one snapshot left", |vm| rests(vm, 1)).await.map(drop)
}

fn snapshots(vm: &Vm) -> impl Iterator<Item = &Element> {
    vm.document.all("SNAPSHOTS").flat_map(|of_disk| of_disk.all("SNAPSHOT"))
}

fn names(vm: &Vm) -> Vec<&str> {
    snapshots(vm).map(|snapshot| snapshot.text_of("NAME")).collect()
}

/// Returns whether a VM is off, with so many snapshots of its disks.
fn rests(vm: &Vm, count: usize) -> bool {
    vm.state == VmState::Poweroff && snapshots(vm).count() == count
}
