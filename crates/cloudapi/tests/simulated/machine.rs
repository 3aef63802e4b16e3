//! Everything that can be done with a machine, and that what it changed is shown afterwards.

use std::collections::BTreeMap;

use serde_json::json;
use vmpool_cloudapi::{DataCenter, Machine, types::CreateMachine};
use vmpool_model::{FailureKind, states::cloudapi::MachineState};

use crate::world::{IMAGE, INSIDE, OUTSIDE, PACKAGE, World, soon, until};

async fn running(datacenter: &DataCenter, request: &CreateMachine) -> Machine {
    let mut machine = datacenter.create_machine(request).await.unwrap();
    machine.wait_until(&MachineState::Running, &soon()).await.unwrap();
    machine
}

#[tokio::test]
async fn a_machine_lives_and_ends() {
    let world = World::new().await;
    let datacenter = world.open().await;
    let mut machine = running(&datacenter, &CreateMachine::new(PACKAGE, IMAGE).with_name("web-1")).await;
    assert_eq!(machine.public_ips().await.unwrap().len(), 1);
    assert_eq!(machine.private_ips().await.unwrap().len(), 1);
    machine.stop().await.unwrap();
    machine.wait_until(&MachineState::Stopped, &soon()).await.unwrap();
    machine.start().await.unwrap();
    machine.wait_while(&MachineState::Stopped, &soon()).await.unwrap();
    machine.reboot().await.unwrap();
    machine.wait_while(&MachineState::Running, &soon()).await.unwrap();
    machine.wait_until(&MachineState::Running, &soon()).await.unwrap();
    machine.rename("web-2").await.unwrap();
    machine.resize("sample-256M").await.unwrap();
    machine.enable_firewall().await.unwrap();
    let shows = machine.clone();
    until(async || {
        let mut machine = shows.clone();
        let data = machine.refresh().await?;
        Ok(data.name.as_deref() == Some("web-2") && data.memory == Some(256) && data.firewall_enabled)
    })
    .await;
    machine.disable_firewall().await.unwrap();
    machine.enable_deletion_protection().await.unwrap();
    until(async || Ok(shows.clone().refresh().await?.deletion_protection)).await;
    assert_eq!(machine.delete().await.unwrap_err().kind, FailureKind::InvalidState);
    machine.disable_deletion_protection().await.unwrap();
    until(async || Ok(!shows.clone().refresh().await?.deletion_protection)).await;
    machine.delete().await.unwrap();
    machine.wait_until(&MachineState::Deleted, &soon()).await.unwrap();
    assert!(machine.delete().await.unwrap_err().is_gone());
    let audit = machine.audit().await.unwrap();
    assert_eq!(audit.first().map(|entry| entry.action.as_str()), Some("destroy"));
    assert!(audit.iter().all(vmpool_cloudapi::types::AuditEntry::succeeded));
}

#[tokio::test]
async fn what_an_action_came_to_is_in_the_audit() {
    let world = World::new().await;
    let machine = running(&world.open().await, &CreateMachine::new(PACKAGE, IMAGE)).await;
    machine.start().await.unwrap();
    until(async || Ok(machine.audit().await?.first().is_some_and(|entry| entry.action == "start"))).await;
    assert!(!machine.audit().await.unwrap()[0].succeeded());
}

#[tokio::test]
async fn metadata_boot_script_and_passwords_are_set_and_read() {
    let world = World::new().await;
    let mut request = CreateMachine::new(PACKAGE, IMAGE).with_metadata("color", "blue");
    request.credentials.insert("admin".to_owned(), "hunter2".into());
    let mut machine = running(&world.open().await, &request).await;
    assert_eq!(machine.metadatum("color").await.unwrap(), "blue");
    machine.update_metadata(&BTreeMap::from([("n".to_owned(), json!(7))])).await.unwrap();
    machine.set_boot_script("#!/bin/sh\n").await.unwrap();
    let shows = machine.clone();
    until(async || {
        let mut machine = shows.clone();
        let metadata = machine.metadata().await?;
        Ok(metadata.text("user-script") == Some("#!/bin/sh\n") && metadata.get("n") == Some(&json!(7)))
    })
    .await;
    machine.delete_boot_script().await.unwrap();
    until(async || Ok(shows.clone().metadata().await?.text("user-script").is_none())).await;
    assert_eq!(machine.credentials().await.unwrap().len(), 1);
    assert!(!format!("{machine:?}").contains("hunter2"));
    machine.delete_all_metadata().await.unwrap();
    until(async || Ok(shows.clone().metadata().await?.text("color").is_none())).await;
}

#[tokio::test]
async fn tags_are_added_replaced_and_deleted() {
    let world = World::new().await;
    let machine = running(&world.open().await, &CreateMachine::new(PACKAGE, IMAGE).with_tag("a", "1")).await;
    machine
        .add_tags(&BTreeMap::from([("n".to_owned(), 7.into()), ("b".to_owned(), true.into())]))
        .await
        .unwrap();
    until(async || Ok(machine.tags().await?.len() == 3)).await;
    assert_eq!(machine.tag("a").await.unwrap(), "1".into());
    machine.delete_tag("a").await.unwrap();
    until(async || Ok(machine.tags().await?.len() == 2)).await;
    machine.replace_tags(&BTreeMap::from([("only".to_owned(), "this".into())])).await.unwrap();
    until(async || Ok(machine.tags().await?.keys().eq(["only"]))).await;
    machine.delete_all_tags().await.unwrap();
    until(async || Ok(machine.tags().await?.is_empty())).await;
}

#[tokio::test]
async fn snapshots_are_made_started_from_and_deleted() {
    let world = World::new().await;
    let mut machine = running(&world.open().await, &CreateMachine::new(PACKAGE, IMAGE)).await;
    let mut snapshot = machine.create_snapshot(Some("before")).await.unwrap();
    until(async || Ok(snapshot.clone().status().await? == "created")).await;
    snapshot.refresh().await.unwrap();
    assert_eq!(machine.snapshots().await.unwrap().len(), 1);
    snapshot.start().await.unwrap();
    until(async || Ok(machine.audit().await?.iter().any(|entry| entry.action == "rollback_snapshot"))).await;
    machine.wait_until(&MachineState::Running, &soon()).await.unwrap();
    snapshot.delete().await.unwrap();
    until(async || Ok(machine.snapshots().await?.is_empty())).await;
}

#[tokio::test]
async fn interfaces_and_disks_come_and_go() {
    let world = World::new().await;
    let mut request = CreateMachine::new("sample-bhyve-flex-1G", "49b22aec-0c8a-11e6-8807-a3eb4db576ba");
    request.disks = vec![None, Some(1024)];
    let mut machine = running(&world.open().await, &request.with_network(OUTSIDE)).await;
    let nic = machine.add_nic(INSIDE).await.unwrap();
    until(async || Ok(machine.nics().await?.len() == 2)).await;
    assert_eq!(machine.add_nic(INSIDE).await.unwrap_err().kind, FailureKind::AlreadyExists);
    assert_eq!(machine.nic(&nic.mac).await.unwrap().network.as_deref(), Some(INSIDE));
    machine.delete_nic(&nic.mac).await.unwrap();
    until(async || Ok(machine.nics().await?.len() == 1)).await;
    assert_eq!(machine.create_disk(2048).await.unwrap_err().kind, FailureKind::InvalidState);
    machine.wait_until(&MachineState::Running, &soon()).await.unwrap();
    machine.stop().await.unwrap();
    machine.wait_until(&MachineState::Stopped, &soon()).await.unwrap();
    machine.create_disk(2048).await.unwrap();
    until(async || Ok(machine.disks().await?.len() == 3)).await;
    let id = machine.disks().await.unwrap()[2].id.clone();
    machine.resize_disk(&id, 1024, true).await.unwrap();
    until(async || Ok(machine.disk(&id).await?.size == Some(1024))).await;
    machine.delete_disk(&id).await.unwrap();
    until(async || Ok(machine.disks().await?.len() == 2)).await;
    assert_eq!(machine.estimate_migration().await.unwrap_err().kind, FailureKind::InvalidState);
}
