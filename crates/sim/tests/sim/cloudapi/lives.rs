//! States and what leads from one to another.

use std::time::Duration;

use serde_json::json;
use vmpool_driver::Operation;
use vmpool_dummy::{Death, Fault};
use vmpool_sim::cloudapi::SimConfig;

use super::world::World;

fn world() -> World {
    World::new(SimConfig::default().with_boot(Duration::from_secs(10)).with_step(Duration::from_secs(2)))
}

#[test]
fn a_machine_is_provisioned_and_refuses_actions_until_it_is() {
    let world = world();
    let id = world.create("web-1");
    assert_eq!((world.state(&id).as_str(), world.act(&id, "stop")), ("provisioning", 409));
    world.pass(9);
    assert_eq!(world.state(&id), "provisioning");
    world.pass(1);
    assert_eq!(world.state(&id), "running");
}

#[test]
fn a_machine_stops_starts_and_reboots_in_its_time() {
    let world = world();
    let id = world.running("web-1");
    for (action, on_the_way, seconds, at_the_end) in [
        ("stop", "stopping", 2, "stopped"),
        ("start", "stopped", 10, "running"),
        ("reboot", "stopping", 10, "running"),
    ] {
        assert_eq!(world.act(&id, action), 202);
        assert_eq!(world.state(&id), on_the_way, "{action}");
        world.pass(seconds);
        assert_eq!(world.state(&id), at_the_end, "{action}");
    }
}

#[test]
fn what_the_state_forbids_is_accepted_and_fails_later() {
    let world = world();
    let id = world.running("web-1");
    assert_eq!(world.act(&id, "start"), 202);
    world.pass(10);
    let history = world.get(&format!("/my/machines/{id}/audit"));
    assert_eq!((&history[0]["action"], &history[0]["success"]), (&json!("start"), &json!("no")));
    assert_eq!(world.state(&id), "running");
}

#[test]
fn a_machine_is_deleted_in_whatever_state_and_only_its_record_stays() {
    let world = world();
    let path = |id: &str| format!("/my/machines/{id}");
    let ids = [world.create("a"), world.running("b")];
    for id in &ids {
        assert_eq!(world.ask("DELETE", &path(id), None).status, 204);
        assert_eq!(world.ask("DELETE", &path(id), None).status, 204);
        world.pass(2);
        let gone = world.ask("GET", &path(id), None);
        assert_eq!((gone.status, &gone.body.unwrap()["state"]), (410, &json!("deleted")));
        assert_eq!((world.ask("DELETE", &path(id), None).status, world.act(id, "start")), (410, 410));
    }
    assert_eq!(world.get("/my/machines"), json!([]));
    assert_eq!(world.get("/my/machines?tombstone=false").as_array().unwrap().len(), 2);
    assert!(world.sim.nodes().nodes().is_empty());
}

#[test]
fn a_machine_that_cannot_be_made_fails_is_hidden_and_can_be_deleted() {
    let world = world();
    world.sim.nodes().fail_next(Operation::Create, Fault::BootFailure);
    let id = world.create("web-1");
    world.pass(10);
    assert_eq!(world.state(&id), "failed");
    assert_eq!(world.get("/my/machines"), json!([]));
    assert_eq!(world.get("/my/machines?tombstone=true")[0]["state"], "failed");
    assert_eq!(world.ask("DELETE", &format!("/my/machines/{id}"), None).status, 204);
    world.pass(2);
    assert_eq!(world.state(&id), "deleted");
}

#[test]
fn a_job_that_never_ends_keeps_its_machine_until_it_is_deleted() {
    let world = world();
    let id = world.running("web-1");
    world.sim.nodes().fail_next(Operation::Stop, Fault::Hang);
    assert_eq!(world.act(&id, "stop"), 202);
    world.pass(1000);
    assert_eq!(world.state(&id), "stopping");
    assert_eq!(world.ask("DELETE", &format!("/my/machines/{id}"), None).status, 204);
    world.pass(2);
    assert_eq!(world.state(&id), "deleted");
}

#[test]
fn a_machine_whose_node_ends_by_itself_is_stopped_or_unknown() {
    let world = world();
    for (death, state) in
        [(Death::Terminated, "stopped"), (Death::Error, "unknown"), (Death::Vanished, "unknown")]
    {
        let id = world.running(&format!("m-{state}-{death:?}"));
        let node = world.sim.nodes().nodes().last().unwrap().id.clone();
        assert!(world.sim.nodes().kill_node(&node, death));
        assert_eq!(world.state(&id), state, "{death:?}");
    }
}

#[test]
fn a_protected_machine_is_deleted_only_after_the_protection_ended() {
    let world = world();
    let id = world.running("web-1");
    let delete = || world.ask("DELETE", &format!("/my/machines/{id}"), None).status;
    assert_eq!(world.act(&id, "enable_deletion_protection"), 202);
    world.pass(2);
    assert_eq!(delete(), 409);
    assert_eq!(world.act(&id, "disable_deletion_protection"), 202);
    world.pass(2);
    assert_eq!(delete(), 204);
}

#[test]
fn a_snapshot_is_made_started_from_and_deleted() {
    let world = world();
    let id = world.running("web-1");
    let path = format!("/my/machines/{id}/snapshots");
    assert_eq!(world.ask("POST", &path, Some(json!({"name": "s"}))).status, 201);
    assert_eq!((world.get(&path), &world.get(&format!("{path}/s"))["state"]), (json!([]), &json!("deleted")));
    world.pass(2);
    assert_eq!(world.get(&path)[0]["state"], "created");
    assert_eq!(world.ask("POST", &format!("{path}/s"), None).status, 202);
    assert_eq!(world.state(&id), "stopping");
    world.pass(2);
    assert_eq!(world.state(&id), "running");
    assert_eq!(world.ask("DELETE", &format!("{path}/s"), None).status, 204);
    world.pass(2);
    assert_eq!((world.get(&path), &world.get(&format!("{path}/s"))["state"]), (json!([]), &json!("deleted")));
}

#[test]
fn a_disk_is_added_grown_and_removed_while_the_machine_is_stopped() {
    let world = world();
    let body = json!({"name": "db", "package": "sample-bhyve-flex-1G", "image": "49b22aec-0c8a-11e6-8807-a3eb4db576ba",
        "disks": [{}, {"size": 1024}]});
    let id = world.ask("POST", "/my/machines", Some(body)).body.unwrap()["id"].as_str().unwrap().to_owned();
    world.pass(10);
    let path = format!("/my/machines/{id}/disks");
    let add = || world.ask("POST", &path, Some(json!({"size": 2048}))).status;
    assert_eq!(add(), 409);
    world.act(&id, "stop");
    world.pass(2);
    assert_eq!(add(), 202);
    world.pass(2);
    let disk = format!("{path}/{}", world.get(&path)[2]["id"].as_str().unwrap());
    assert_eq!(world.ask("POST", &disk, Some(json!({"size": 1024}))).status, 409);
    let body = json!({"size": 1024, "dangerous_allow_shrink": true});
    assert_eq!(world.ask("POST", &disk, Some(body)).status, 202);
    world.pass(2);
    assert_eq!(world.get(&disk)["size"], 1024);
    assert_eq!(world.ask("DELETE", &disk, None).status, 204);
    world.pass(2);
    assert_eq!(world.get(&path).as_array().unwrap().len(), 2);
}

#[test]
fn a_rule_of_the_firewall_is_shown_at_the_machines_that_it_concerns() {
    let world = world();
    let id = world.running("web-1");
    let rule = "FROM any TO tag \"role\" = \"web\" ALLOW tcp PORT 80";
    let made = world.ask("POST", "/my/fwrules", Some(json!({"rule": rule, "enabled": true})));
    assert_eq!(made.status, 201);
    let of_machine = format!("/my/machines/{id}/fwrules");
    assert_eq!(world.get(&of_machine), json!([]));
    world.ask("POST", &format!("/my/machines/{id}/tags"), Some(json!({"role": "web"})));
    world.pass(2);
    assert_eq!(world.get(&of_machine)[0]["rule"], rule);
    assert_eq!(world.ask("POST", "/my/fwrules", Some(json!({"rule": "let everybody in"}))).status, 409);
}
