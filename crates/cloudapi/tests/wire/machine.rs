//! The machine and its snapshots, as the original has them, over recordings of the real server.

use std::collections::BTreeMap;

use secrecy::ExposeSecret;
use serde_json::json;
use vmpool_cloudapi::{Machine, Snapshot, types::TagValue};
use vmpool_model::{FailureKind, states::cloudapi::MachineState};

use crate::{
    exchange::{Exchange, all, one},
    loopback::{Server, say},
    open,
};

/// Serves some recordings: a request is answered by the next one with its method and path, and the last one stays.
async fn serve(ids: &[&str]) -> Server {
    let recorded: Vec<Exchange> = ids.iter().map(|id| one(id)).collect();
    let left = std::sync::Mutex::new(recorded);
    Server::start(move |asked| {
        let mut left = left.lock().unwrap();
        let same = |it: &Exchange| (&it.request.method, &it.request.path) == (&asked.method, &asked.path);
        let index = left.iter().position(same)?;
        let last = left.iter().filter(|it| same(it)).count() == 1;
        Some(if last { left[index].response.clone() } else { left.remove(index).response })
    })
    .await
}

/// Returns the recorded machine behind a server with recordings.
async fn machine(ids: &[&str]) -> (Machine, Server) {
    let server = serve(ids).await;
    let data = serde_json::from_str(&one("056-get-running").response.body).unwrap();
    (Machine::new(open(&server.url).await, data), server)
}

#[tokio::test]
async fn a_machine_shows_every_attribute_that_the_server_sends() {
    let (machine, _) = machine(&[]).await;
    assert_eq!(machine.id, "86c631ed-5f92-43e3-bbbc-31d4e8bfc225");
    assert_eq!(machine.path(), "machines/86c631ed-5f92-43e3-bbbc-31d4e8bfc225");
    assert_eq!(machine.name.as_deref(), Some("pool-a-1"));
    assert_eq!((machine.kind.as_deref(), machine.brand.as_deref()), (Some("smartmachine"), Some("joyent")));
    assert_eq!(machine.state, MachineState::Running);
    assert_eq!(machine.image.as_deref(), Some("2b683a82-a066-11e3-97ab-2faa44701c5a"));
    assert_eq!((machine.memory, machine.disk), (Some(128), Some(10240)));
    assert_eq!(
        (machine.ips.as_slice(), machine.package.as_str()),
        (&["10.88.0.11".to_owned()][..], "sample-128M")
    );
    assert_eq!(machine.created.as_deref(), Some("2026-11-21T08:36:16.360Z"));
    assert_eq!(machine.updated.as_deref(), Some("2026-11-21T08:36:20.425Z"));
    assert_eq!(machine.networks, [Some("f1e6dd77-3f6d-4b8b-9c0c-2a1f0c5d6a01".to_owned())]);
    assert_eq!(machine.compute_node.as_deref(), Some("44454c4c-5400-1034-8053-b7c04f383432"));
    assert_eq!((machine.nics[0].primary, machine.primary_ip.as_deref()), (true, Some("10.88.0.11")));
    assert_eq!(machine.boot_script(), Some("#!/bin/sh\necho hi\n"));
    assert_eq!(machine.metadata.text("foo"), Some("bar"));
    assert_eq!(machine.tags["count"], TagValue::from(7));
    assert_eq!(machine.tags["enabled"], TagValue::from(true));
    assert!(machine.firewall_enabled && !machine.deletion_protection);
}

#[tokio::test]
async fn a_machine_is_created_in_its_data_center() {
    let server = serve(&["061-create-by-names"]).await;
    let datacenter = open(&server.url).await;
    let request =
        vmpool_cloudapi::types::CreateMachine::new("sample-256M", "2b683a82-a066-11e3-97ab-2faa44701c5a");
    let machine = Machine::create(&datacenter, &request).await.unwrap();
    assert_eq!((machine.state.clone(), machine.package.as_str()), (MachineState::Provisioning, ""));
    assert_eq!(machine.datacenter().account(), "test");
}

#[tokio::test]
async fn a_refresh_and_the_status_show_what_the_server_says_now() {
    let (mut machine, _) = machine(&["128-get-stopping", "129-get-stopped"]).await;
    assert_eq!(machine.refresh().await.unwrap().state, MachineState::Stopping);
    assert_eq!(machine.status().await.unwrap(), MachineState::Stopped);
    assert_eq!(machine.state, MachineState::Stopped);
}

#[tokio::test]
async fn passwords_come_when_they_are_asked_for() {
    let server = Server::start(|asked| {
        assert!(asked.path.ends_with("?credentials=true"), "{}", asked.path);
        say(200, r#"{"id": "a", "credentials": "true", "metadata": {"credentials": {"root": "hunter2"}}}"#)
    })
    .await;
    let data = serde_json::from_str(r#"{"id": "a"}"#).unwrap();
    let mut machine = Machine::new(open(&server.url).await, data);
    let credentials = machine.credentials().await.unwrap();
    assert_eq!(credentials["root"].expose_secret(), "hunter2");
    assert!(!format!("{machine:?} {credentials:?}").contains("hunter2"));
}

#[tokio::test]
async fn addresses_are_asked_for_if_there_are_none_yet() {
    let server = serve(&["056-get-running"]).await;
    let data = serde_json::from_str(&one("051-create-machine").response.body).unwrap();
    let mut machine = Machine::new(open(&server.url).await, data);
    assert_eq!(machine.private_ips().await.unwrap()[0].to_string(), "10.88.0.11");
    assert!(machine.public_ips().await.unwrap().is_empty());
    assert_eq!(server.asked().len(), 1, "known addresses are not asked for again");
}

#[tokio::test]
async fn each_action_is_one_order_with_its_name() {
    let server = Server::start(|_| say(202, "")).await;
    let data = serde_json::from_str(r#"{"id": "a", "state": "running"}"#).unwrap();
    let machine = Machine::new(open(&server.url).await, data);
    machine.stop().await.unwrap();
    machine.start().await.unwrap();
    machine.reboot().await.unwrap();
    machine.resize("sample-1G").await.unwrap();
    machine.rename("web-2").await.unwrap();
    machine.enable_firewall().await.unwrap();
    machine.disable_firewall().await.unwrap();
    machine.enable_deletion_protection().await.unwrap();
    machine.disable_deletion_protection().await.unwrap();
    let bodies: Vec<_> = server.asked().iter().map(|asked| asked.json().unwrap()).collect();
    let expected = [
        json!({"action": "stop"}),
        json!({"action": "start"}),
        json!({"action": "reboot"}),
        json!({"action": "resize", "package": "sample-1G"}),
        json!({"action": "rename", "name": "web-2"}),
        json!({"action": "enable_firewall"}),
        json!({"action": "disable_firewall"}),
        json!({"action": "enable_deletion_protection"}),
        json!({"action": "disable_deletion_protection"}),
    ];
    assert_eq!(bodies, expected);
    assert!(
        server
            .asked()
            .iter()
            .all(|asked| (asked.method.as_str(), asked.path.as_str()) == ("POST", "/test/machines/a"))
    );
}

#[tokio::test]
async fn a_machine_is_deleted_in_whatever_state_and_only_once() {
    let (machine, _) = machine(&["206-delete-running", "207-delete-again", "211-delete-deleted"]).await;
    machine.delete().await.unwrap();
    machine.delete().await.unwrap();
    let err = machine.delete().await.unwrap_err();
    assert!(err.is_gone() && err.is_not_found(), "{err}");
}

#[tokio::test]
async fn metadata_is_read_changed_and_removed_and_the_machine_shows_it() {
    let ids =
        ["168-md-list", "170-md-update", "171-md-get", "173-md-delete", "179-md-after", "174-md-delete-404"];
    let (mut machine, _) = machine(&ids).await;
    assert_eq!(machine.metadata().await.unwrap().text("foo"), Some("bar"));
    let entries = BTreeMap::from([("foo".to_owned(), json!("bar2")), ("extra".to_owned(), json!("1"))]);
    machine.update_metadata(&entries).await.unwrap();
    assert_eq!(machine.data().metadata.text("foo"), Some("bar2"));
    assert_eq!(machine.metadatum("foo").await.unwrap(), "bar2");
    let left = machine.delete_metadata("foo").await.unwrap();
    assert!(left.get("foo").is_none() && left.get("root_authorized_keys").is_some(), "{left:?}");
    assert!(machine.delete_metadata("foo").await.unwrap_err().is_not_found());
}

#[tokio::test]
async fn all_metadata_is_removed_but_what_the_server_keeps() {
    let server = Server::start(|asked| match asked.method.as_str() {
        "DELETE" => say(204, ""),
        _ => say(200, r#"{"root_authorized_keys": "k"}"#),
    })
    .await;
    let mut machine = Machine::new(open(&server.url).await, serde_json::from_str(r#"{"id": "a"}"#).unwrap());
    assert_eq!(machine.delete_all_metadata().await.unwrap().len(), 1);
    let asked: Vec<_> =
        server.asked().iter().map(|asked| format!("{} {}", asked.method, asked.path)).collect();
    assert_eq!(asked, ["DELETE /test/machines/a/metadata", "GET /test/machines/a/metadata"]);
}

#[tokio::test]
async fn a_boot_script_is_set_from_text_or_file_and_deleted() {
    let server = Server::start(|asked| match asked.method.as_str() {
        "DELETE" => say(204, ""),
        _ => say(200, asked.body.clone()),
    })
    .await;
    let mut machine = Machine::new(open(&server.url).await, serde_json::from_str(r#"{"id": "a"}"#).unwrap());
    machine.set_boot_script("#!/bin/sh\n").await.unwrap();
    assert_eq!(machine.boot_script(), Some("#!/bin/sh\n"));
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("boot"), "#!/bin/bash\n").unwrap();
    machine.set_boot_script_from(&folder.path().join("boot")).await.unwrap();
    assert_eq!(machine.boot_script(), Some("#!/bin/bash\n"));
    let missing = machine.set_boot_script_from(&folder.path().join("no-such")).await.unwrap_err();
    assert_eq!(missing.kind, FailureKind::InvalidRequest);
    machine.delete_boot_script().await.unwrap();
    assert_eq!(server.asked().last().unwrap().path, "/test/machines/a/metadata/user-script");
    assert_eq!(server.asked().len(), 3);
}

#[tokio::test]
async fn tags_are_read_added_replaced_and_removed() {
    let ids = [
        "152-tags-list",
        "153-tags-add",
        "156-tag-get",
        "157-tag-get-number",
        "158-tag-get-404",
        "162-tag-delete",
        "164-tags-replace",
    ];
    let (machine, _) = machine(&ids).await;
    assert_eq!(machine.tags().await.unwrap()["count"], TagValue::from(7));
    let more = BTreeMap::from([
        ("group".to_owned(), "web".into()),
        ("n".to_owned(), 3.into()),
        ("ok".to_owned(), false.into()),
    ]);
    assert_eq!(machine.add_tags(&more).await.unwrap().len(), 8);
    assert_eq!(machine.tag("pool").await.unwrap().as_text(), Some("pool-a"));
    assert_eq!(machine.tag("n").await.unwrap().as_text(), Some(""), "the server shows numbers so");
    assert!(machine.tag("nosuch").await.unwrap_err().is_not_found());
    machine.delete_tag("group").await.unwrap();
    let only = BTreeMap::from([("only".to_owned(), "this".into())]);
    assert_eq!(machine.replace_tags(&only).await.unwrap(), only);
    let server = Server::start(|_| say(204, "")).await;
    let machine = Machine::new(open(&server.url).await, machine.into_data());
    machine.delete_all_tags().await.unwrap();
    assert!(server.asked()[0].path.ends_with("/tags"));
}

#[tokio::test]
async fn snapshots_are_made_listed_used_and_deleted() {
    let ids = [
        "180-snap-list-empty",
        "181-snap-create",
        "182-snap-get-queued",
        "183-snap-get",
        "187-snap-start",
        "189-snap-delete",
        "191-snap-delete-404",
        "186-snap-get-404",
    ];
    let (machine, _) = machine(&ids).await;
    assert!(machine.snapshots().await.unwrap().is_empty());
    let mut snapshot = machine.create_snapshot(Some("before-update")).await.unwrap();
    assert_eq!((snapshot.name.as_str(), snapshot.state.as_str()), ("before-update", "queued"));
    assert_eq!(snapshot.status().await.unwrap(), "deleted", "the server says so until it is made");
    assert_eq!(snapshot.refresh().await.unwrap().size, Some(28672));
    assert_eq!(snapshot.created.as_deref(), Some("2026-11-21T08:36:35.404Z"));
    assert_eq!(snapshot.updated, snapshot.created);
    assert_eq!(
        (snapshot.machine().id.as_str(), snapshot.path()),
        (machine.id.as_str(), format!("{}/snapshots/before-update", machine.path()))
    );
    assert_eq!(machine.snapshot("before-update").await.unwrap().state, "created");
    let again = Snapshot::new(machine.clone(), machine.snapshot_data("before-update").await.unwrap());
    again.start().await.unwrap();
    machine.start_from_snapshot("before-update").await.unwrap();
    again.delete().await.unwrap();
    assert!(again.delete().await.unwrap_err().is_not_found());
    assert!(machine.snapshot("nosuch").await.unwrap_err().is_not_found());
}

#[tokio::test]
async fn an_audit_tells_what_failed_after_it_was_accepted() {
    let (machine, _) = machine(&["213-audit-deleted"]).await;
    let audit = machine.audit().await.unwrap();
    let failed: Vec<_> =
        audit.iter().filter(|entry| !entry.succeeded()).map(|entry| entry.action.as_str()).collect();
    assert!(failed.contains(&"rollback_snapshot"), "{failed:?}");
    assert_eq!(audit[0].caller.as_ref().unwrap().kind.as_deref(), Some("signature"));
}

#[tokio::test]
async fn a_network_that_the_machine_is_on_is_told_by_its_interface() {
    let (machine, _) = machine(&["193-nic-add", "195-nic-add-again", "197-nic-get", "199-nic-delete"]).await;
    let network = "a9c0a3b4-4a3e-4c79-8d5d-1b2c3d4e5f02";
    let nic = machine.add_nic(network).await.unwrap();
    let err = machine.add_nic(network).await.unwrap_err();
    assert_eq!(err.kind, FailureKind::AlreadyExists);
    assert!(err.to_string().ends_with("with 90b8d0594bf8"), "{err}");
    assert_eq!(machine.nic(&nic.mac).await.unwrap().ip.as_deref(), Some("10.99.0.29"));
    machine.delete_nic(&nic.mac).await.unwrap();
}

#[test]
fn the_recordings_hold_every_kind_of_call() {
    let methods: std::collections::BTreeSet<_> =
        all().into_iter().map(|exchange| exchange.request.method).collect();
    assert!(["DELETE", "GET", "HEAD", "POST", "PUT"].iter().all(|method| methods.contains(*method)));
}
