//! Disks, network cards, images and the size of a VM.

use vmpool_model::states::opennebula::VmState;
use vmpool_opennebula::{
    api::{Filter, SaveDiskOptions, UpdateMode, VirtualMachine, cloud},
    client::{RefusalKind, Version},
    vm::Vm,
};

use crate::{
    Failure,
    account::{Live, live},
    wait::{allowed, is_running, reaches, runs, shows, soon, until},
};

/// Makes an empty image, and returns its id; nothing if the account may not.
pub(crate) async fn image(live: &Live) -> Result<Option<i32>, Failure> {
    let stores = cloud::datastores(&live.client).await?;
    // 0: a datastore of images.
    let Some(store) = stores.iter().rev().find(|store| store.document.number("TYPE") == Some(0)) else {
        eprintln!("passed over: the account sees no datastore for images");
        return Ok(None);
    };
    let template = format!("NAME=\"{}\" TYPE=\"DATABLOCK\" SIZE=16 FORMAT=\"raw\"", live.name("image"));
    let image = match cloud::allocate_image(&live.client, template, store.id).await {
        Err(err) if err.refusal() == Some(RefusalKind::Permission) => {
            eprintln!("passed over: the account may not make images: {err}");
            return Ok(None);
        }
        answer => answer?,
    };
    is_ready(live, image).await?;
    Ok(Some(image))
}

/// Waits until an image can be used.
async fn is_ready(live: &Live, image: i32) -> Result<(), Failure> {
    let look = async || {
        let found = cloud::image(&live.client, image).await?;
        // 1 and 2: ready, and used by VMs.
        Ok(matches!(found.document.number("STATE"), Some(1 | 2)))
    };
    until(&format!("image {image} is ready"), look).await
}

#[tokio::test]
async fn disks_come_and_go_grow_and_are_saved() -> Result<(), Failure> {
    let Some(live) = live().await? else { return Ok(()) };
    let Some(image) = image(&live).await? else { return Ok(()) };
    let disk = format!("DISK=[IMAGE_ID={image}]");
    let vm = live.held("disks", &disk).await?;
    vm.release().await?;
    let disks = runs(&vm).await?.disks.len();
    let with = |count: usize| move |vm: &Vm| is_running(vm) && vm.disks.len() == count;

    allowed(async || vm.attach_disk(disk.as_str()).await).await?;
    let found = shows(&vm, "it has one disk more", with(disks + 1)).await?;
    let last = found.disks.last().ok_or("there is no disk")?;
    assert_eq!(last.image_id, Some(image));
    let number = last.id;
    allowed(async || vm.detach_disk(number).await).await?;
    shows(&vm, "it has one disk less", with(disks)).await?;

    allowed(async || vm.poweroff_hard().await).await?;
    reaches(&vm, VmState::Poweroff).await?;
    let own = found.disks.iter().find(|disk| disk.image_id == Some(image)).ok_or("the disk is missing")?.id;
    if Version::new(5, 4) <= live.client.version().await? {
        allowed(async || vm.disk_resize(own, 32).await).await?;
        let is_larger = |vm: &Vm| vm.disks.iter().any(|disk| disk.id == own && disk.size == Some(32));
        let grows = |vm: &Vm| vm.state == VmState::Poweroff && is_larger(vm);
        if !soon(&vm, grows).await? {
            eprintln!(
                "passed over: the drivers of the host or of the datastore did not make the disk larger"
            );
            reaches(&vm, VmState::Poweroff).await?;
        }
    }
    let options = SaveDiskOptions::default();
    let saved = allowed(async || vm.save_disk(own, &live.name("saved"), &options).await).await?;
    is_ready(&live, saved).await?;
    reaches(&vm, VmState::Poweroff).await?;
    let err = vm.save_disk(own, &live.name("saved"), &options).await.unwrap_err();
    assert_eq!(err.refusal(), Some(RefusalKind::NameTaken), "{err}");
    let saved = cloud::image(&live.client, saved).await?;
    assert_eq!((saved.name, saved.uid), (live.name("saved"), Some(live.uid)));
    Ok(())
}

#[tokio::test]
async fn network_cards_come_change_and_go() -> Result<(), Failure> {
    let Some(live) = live().await? else { return Ok(()) };
    let networks = cloud::networks(&live.client, Filter::All).await?;
    let Some(network) = networks.first() else {
        eprintln!("passed over: the account sees no network");
        return Ok(());
    };
    let vm = live.held("cards", "").await?;
    vm.release().await?;
    let before = runs(&vm).await?.nics.len();
    let with = |count: usize| move |vm: &Vm| is_running(vm) && vm.nics.len() == count;
    allowed(async || vm.attach_nic(format!("NIC=[NETWORK_ID={}]", network.id)).await).await?;
    let found = shows(&vm, "it has one card more", with(before + 1)).await?;
    let card = found.nics.last().ok_or("there is no card")?;
    assert_eq!((card.network_id, card.network.as_str()), (Some(network.id), network.name.as_str()));
    assert!(found.addresses().all().len() >= card.addresses.all().len());
    if Version::new(6, 6) <= live.client.version().await? {
        allowed(async || vm.update_nic(card.id, "NIC=[INBOUND_AVG_BW=100]", UpdateMode::Merge).await).await?;
        runs(&vm).await?;
    }
    allowed(async || vm.detach_nic(card.id).await).await?;
    shows(&vm, "it has one card less", with(before)).await.map(drop)
}

#[tokio::test]
async fn a_vm_gets_more_processors_and_memory_whether_it_waits_or_is_off() -> Result<(), Failure> {
    let Some(live) = live().await? else { return Ok(()) };
    let vm = live.held("grows", "").await?;
    resizes(&vm, "0.2", "128").await?;
    vm.release().await?;
    runs(&vm).await?;
    allowed(async || vm.poweroff_hard().await).await?;
    reaches(&vm, VmState::Poweroff).await?;
    resizes(&vm, "0.3", "256").await
}

async fn resizes(vm: &VirtualMachine, cpu: &str, memory: &str) -> Result<(), Failure> {
    let template = format!("CPU={cpu}\nMEMORY={memory}");
    allowed(async || vm.resize(template.as_str(), true).await).await?;
    let has = |vm: &Vm| {
        let template = |name: &str| vm.document.text_of(&format!("TEMPLATE/{name}")).to_owned();
        (template("CPU"), template("MEMORY")) == (cpu.to_owned(), memory.to_owned())
    };
    shows(vm, "it is larger", has).await.map(drop)
}
