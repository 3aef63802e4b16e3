//! The recorded exchanges, one after the other: a simulated server answers as the real one did, up to ids and times.

use std::{collections::BTreeMap, time::Duration};

use serde_json::{Value, json};
use vmpool_driver::Operation;
use vmpool_dummy::Fault;
use vmpool_model::states::cloudapi::MachineState;
use vmpool_sim::cloudapi::{Limit, SimConfig, SimReply};

use super::{
    compare::{Names, same, same_headers},
    world::{Exchange, World, exchange, exchanges},
};

/// What is not replayed in the row, and why.
const NOT_REPLAYED: &[(&str, &str)] = &[
    ("087", "there are no tags of networks on servers"),
    ("300", "it was recorded on another server, see below"),
    ("31", "it was recorded on another server, see below"),
    ("32", "it was recorded on another server, over TLS"),
    ("33", "it was recorded on another server, see below"),
    ("34", "it was recorded on another server"),
    ("35", "it was recorded on another server"),
];

/// Before which exchanges time passed, in seconds: until a job had ended, or half of one.
const PASSES: &[(&str, i64)] = &[
    ("056", 2),
    ("097", 2),
    ("127", 2),
    ("129", 1),
    ("132", 2),
    ("133", 2),
    ("134", 1),
    ("135", 1),
    ("146", 2),
    ("150", 1),
    ("152", 1),
    ("155", 1),
    ("162", 1),
    ("164", 1),
    ("165", 1),
    ("167", 1),
    ("171", 1),
    ("174", 1),
    ("179", 1),
    ("183", 1),
    ("186", 1),
    ("188", 2),
    ("189", 1),
    ("191", 1),
    ("194", 1),
    ("197", 1),
    ("200", 1),
    ("209", 1),
    ("222", 2),
];

/// What was done that was not recorded.
fn unrecorded(world: &World, id: &str, names: &mut Names) {
    let first = names.ours("/my/machines/86c631ed-5f92-43e3-bbbc-31d4e8bfc225");
    match &id[..3] {
        "065" => {
            let target = "/my/machines?name=qs-1&package=sample-128M&image=2b683a82-a066-11e3-97ab-2faa44701c5a&tag.pool=qs";
            let made = world.ask("POST", target, None).body.unwrap();
            names.add("533f874a-56cf-405a-ae7e-d3595c5ea2eb", made["id"].as_str().unwrap());
        }
        "131" => assert_eq!(world.ask("POST", &first, Some(json!({"action": "stop"}))).status, 202),
        // Without a package it is the default one.
        "143" => assert_eq!(world.ask("POST", &first, Some(json!({"action": "resize"}))).status, 202),
        "089" => world.sim.reconfigure(|config| config.capacity = Some(0)),
        "090" => world.sim.reconfigure(|config| config.capacity = None),
        "149" => {
            let target = names.ours("/my/machines/5c0d6d05-fe4e-4408-8add-29e935707321");
            let body = json!({"action": "disable_deletion_protection"});
            assert_eq!(world.ask("POST", &target, Some(body)).status, 202);
        }
        "167" => assert_eq!(world.ask("DELETE", &format!("{first}/tags"), None).status, 204),
        "179" => assert_eq!(world.ask("DELETE", &format!("{first}/metadata"), None).status, 204),
        "221" => {
            world.pass(4);
            world.get("/my/machines");
            world.sim.nodes().fail_next(Operation::Create, Fault::BootFailure);
        }
        _ => {}
    }
}

fn world() -> World {
    World::new(SimConfig::default().with_boot(Duration::from_secs(2)).with_step(Duration::from_secs(1)))
}

/// Sends a recorded request.
fn send(world: &World, exchange: &Exchange, names: &Names) -> SimReply {
    let target = names.ours(&exchange.request.path);
    let login = if target.starts_with("/unapproved/") { "unapproved" } else { "test" };
    let mut request = world
        .signed_as(login, (&exchange.request.method, &target))
        .with_header("host", "127.0.0.1:8080")
        .with_body(names.ours(&exchange.request.body));
    for (name, value) in &exchange.request.headers {
        request = request.with_header(name, value);
    }
    world.sim.answer(&request)
}

/// Compares an answer with the recorded one.
fn check(exchange: &Exchange, reply: &SimReply, names: &Names) -> Result<(), String> {
    let recorded = &exchange.response;
    if reply.status != recorded.status {
        return Err(format!(
            "the status is {} instead of {}: {:?}",
            reply.status, recorded.status, reply.body
        ));
    }
    let ours: BTreeMap<&str, &str> =
        reply.headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let headers = recorded.headers.iter().map(|(name, value)| (name.clone(), names.ours(value)));
    let is_page = exchange.request.path.contains("limit=");
    same_headers(&ours, &headers.collect())?;
    if exchange.request.method == "HEAD" || is_page && recorded.status == 200 {
        // There is nothing to compare, or which machines are on the page depends on their ids.
        return Ok(());
    }
    if recorded.body.is_empty() {
        return reply.body.as_ref().map_or(Ok(()), |body| Err(format!("there is {body}")));
    }
    let recorded: Value = serde_json::from_str(&names.ours(&recorded.body)).unwrap();
    let masked: &[&str] = match &exchange.id[..3] {
        "024" | "030" => &["id"],
        // One of the machines was slower than the others.
        "097" | "114" => &["state", "networks", "nics", "primaryIp"],
        // The state of the interfaces was that of an imitated service.
        "192" | "194" | "197" => &["state"],
        "200" => &["id"],
        // It is named after the time.
        "185" => &["name"],
        // It was another key that signed.
        "213" => &["keyId"],
        _ => &[],
    };
    same(reply.body.as_ref().unwrap_or(&Value::Null), &recorded, masked)
}

/// Notes which machine and which interface stand for the recorded ones.
fn learn(exchange: &Exchange, reply: &SimReply, names: &mut Names) {
    if reply.status != 201 {
        return;
    }
    let recorded: Value = serde_json::from_str(&exchange.response.body).unwrap_or_default();
    let body = reply.body.as_ref().unwrap();
    for key in ["id", "mac"] {
        if let (Some(recorded), Some(ours)) = (recorded[key].as_str(), body[key].as_str()) {
            names.add(recorded, ours);
            if key == "id" {
                names.add(&recorded[..8], &ours[..8]);
            } else {
                names.add(&recorded.replace(':', ""), &ours.replace(':', ""));
                names.add(&recorded.replace(':', "%3A"), &ours.replace(':', "%3A"));
            }
        }
    }
}

#[test]
fn the_recorded_exchanges_come_out_as_recorded() {
    let world = world();
    let (mut names, mut wrong, mut replayed) = (Names::default(), Vec::new(), 0);
    for exchange in exchanges() {
        let number = &exchange.id[..3];
        let is_about_signing = ("003"..="023").contains(&number) || number == "025";
        if is_about_signing || NOT_REPLAYED.iter().any(|(start, _)| exchange.id.starts_with(start)) {
            continue;
        }
        replayed += 1;
        unrecorded(&world, &exchange.id, &mut names);
        if let Some((_, seconds)) = PASSES.iter().find(|(id, _)| *id == number) {
            world.pass(*seconds);
        }
        let reply = send(&world, &exchange, &names);
        learn(&exchange, &reply, &mut names);
        if let Err(difference) = check(&exchange, &reply, &names) {
            wrong.push(format!("{}: {difference}", exchange.id));
        }
    }
    assert!(wrong.is_empty(), "{} of {replayed}:\n{}", wrong.len(), wrong.join("\n"));
    assert_eq!(replayed, 185);
}

#[test]
fn a_throttled_call_is_refused_as_recorded() {
    let world = World::new(SimConfig::default().with_limit(Limit::new(1, 10)));
    let recorded = exchange("300");
    let names = Names::default();
    assert_eq!(send(&world, &recorded, &names).status, 200);
    check(&recorded, &send(&world, &recorded, &names), &names).unwrap();
    world.pass(1);
    assert_eq!(send(&world, &recorded, &names).status, 200);
}

#[test]
fn in_maintenance_reads_go_on_and_what_is_missing_is_told_first() {
    let world = World::new(SimConfig::default());
    let id = world.running("vm-0001");
    world.sim.reconfigure(|config| config.is_read_only = true);
    let names = Names::default();
    for number in ["311", "312"] {
        let recorded = exchange(number);
        check(&recorded, &send(&world, &recorded, &names), &names).unwrap();
    }
    let reply = world.ask("DELETE", &format!("/my/machines/{id}"), None);
    assert_eq!((reply.status, reply.body.unwrap()["code"].as_str()), (503, Some("ServiceUnavailableError")));
    assert!(reply.headers.iter().any(|(name, value)| *name == "retry-after" && value.ends_with(" GMT")));
}

#[test]
fn a_machine_on_a_lost_server_is_unknown_and_still_found_among_the_running_ones() {
    let world = World::new(SimConfig::default());
    let id = world.running("vm-0001");
    assert!(world.sim.set_state(&id, MachineState::Unknown));
    for number in ["330", "331"] {
        let recorded = exchange(number);
        let reply = send(&world, &recorded, &Names::default());
        check(&recorded, &reply, &Names::default()).unwrap();
        assert_eq!(reply.body.unwrap()[0]["state"], "unknown");
    }
}

#[test]
fn odd_tags_are_found_again_or_not_as_recorded() {
    let world = World::new(SimConfig::default());
    let mut names = Names::default();
    for number in ["347", "348", "349", "350", "351", "353", "354"] {
        let recorded = exchange(number);
        let reply = send(&world, &recorded, &names);
        learn(&recorded, &reply, &mut names);
        check(&recorded, &reply, &names).unwrap_or_else(|err| panic!("{number}: {err}"));
    }
}
