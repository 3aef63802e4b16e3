//! A small cloud behind the server on loopback, with the states and the manners of the real one.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use serde_json::{Map, Value, json};
use tokio::time::Instant;

use crate::{
    exchange::{Asked, Said},
    loopback::{Server, say},
};

/// How long the cloud takes for anything.
const LATENCY: Duration = Duration::from_millis(30);

#[derive(Clone)]
struct Machine {
    data: Value,
    state: &'static str,
    next: Option<(Instant, &'static str)>,
}

/// The machines of the cloud, also those that are no more.
#[derive(Clone, Default)]
pub(crate) struct Cloud {
    machines: Arc<Mutex<Vec<Machine>>>,
}

impl Cloud {
    /// Serves the cloud.
    pub(crate) async fn serve(&self) -> Server {
        let cloud = self.clone();
        Server::start(move |asked| cloud.answer(asked)).await
    }

    /// Turns a machine into another state at once, as a cloud that came to grief.
    pub(crate) fn turn(&self, id: &str, state: &'static str) {
        let mut machines = self.machines.lock().unwrap();
        let machine = machines.iter_mut().find(|machine| machine.data["id"] == id).unwrap();
        (machine.state, machine.next) = (state, None);
    }

    fn answer(&self, asked: &Asked) -> Option<Said> {
        let mut machines = self.machines.lock().unwrap();
        for machine in &mut *machines {
            if let Some((_, state)) = machine.next.filter(|(at, _)| *at <= Instant::now()) {
                (machine.state, machine.next) = (state, None);
            }
        }
        if asked.path == "/--ping" {
            // The one request that needs no signature.
            return say(200, r#"{"ping": "pong", "cloudapi": {"versions": ["7.0.0", "9.0.0"]}}"#);
        }
        assert!(asked.headers["authorization"].starts_with("Signature "), "a request is not signed");
        let (_, segments) = asked.segments();
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        match (asked.method.as_str(), segments.as_slice()) {
            ("GET", ["packages"]) => {
                say(200, r#"[{"id": "p1", "name": "small", "memory": 1024, "disk": 25600}]"#)
            }
            ("GET", ["images"]) => say(
                200,
                r#"[{"id": "i1", "name": "base", "version": "1.0", "state": "active"},
                    {"id": "i2", "name": "old", "version": "0.1", "state": "disabled"}]"#,
            ),
            ("POST", ["machines"]) => create(&mut machines, asked.json()?.as_object()?),
            ("GET", ["machines"]) => list(&machines, asked),
            (_, ["machines", id]) if !is_uuid(id) => {
                say(409, r#"{"code": "ValidationFailed", "message": "Invalid Parameters"}"#)
            }
            (method, ["machines", id]) => match machines.iter_mut().find(|machine| machine.data["id"] == *id)
            {
                None => say(404, r#"{"code": "ResourceNotFound", "message": "VM not found"}"#),
                Some(machine) if machine.state == "deleted" => say(410, shown(machine).to_string()),
                Some(machine) => one(machine, method, asked),
            },
            _ => say(405, r#"{"code": "MethodNotAllowedError"}"#),
        }
    }
}

fn one(machine: &mut Machine, method: &str, asked: &Asked) -> Option<Said> {
    let then = |state| Some((Instant::now() + LATENCY, state));
    match method {
        "GET" => return say(200, shown(machine).to_string()),
        "DELETE" if machine.data["deletion_protection"] == true => {
            return say(409, r#"{"code": "CannotDestroyMachineError", "message": "protected"}"#);
        }
        "DELETE" => {
            machine.next = then("deleted");
            return say(204, "");
        }
        _ => {}
    }
    let body = asked.json()?;
    match (body["action"].as_str()?, machine.state) {
        (_, "provisioning") => return say(409, r#"{"code": "UnallocatedVM", "message": "not yet"}"#),
        ("stop", "running") => (machine.state, machine.next) = ("stopping", then("stopped")),
        ("start", "stopped") => machine.next = then("running"),
        ("reboot", "running") => (machine.state, machine.next) = ("ready", then("running")),
        // The real one accepts anything, and fails later.
        _ => {}
    }
    say(202, "")
}

fn create(machines: &mut Vec<Machine>, body: &Map<String, Value>) -> Option<Said> {
    let alive = |machine: &&Machine| !["deleted", "failed"].contains(&machine.state);
    let name = body.get("name").cloned();
    if name.is_some()
        && machines.iter().filter(alive).any(|machine| Some(&machine.data["name"]) == name.as_ref())
    {
        let field = r#"[{"field": "alias", "code": "Duplicate", "message": "Already exists"}]"#;
        return say(
            409,
            format!(r#"{{"code": "ValidationFailed", "message": "Invalid", "errors": {field}}}"#),
        );
    }
    let number = u32::try_from(machines.len()).unwrap() + 1;
    let id = format!("{:08x}-0000-4000-8000-{number:012x}", number.wrapping_mul(0x9e37_79b9));
    let tags: Map<String, Value> = body
        .iter()
        .filter_map(|(key, value)| Some((key.strip_prefix("tag.")?.to_owned(), value.clone())))
        .collect();
    let data = json!({
        "id": id, "name": name.unwrap_or_else(|| json!(&id[..8])), "image": body["image"], "tags": tags,
        "ips": [format!("10.0.0.{number}"), format!("165.225.0.{number}")], "memory": 1024, "disk": 25600,
        "created": "2026-11-21T08:36:16.360Z", "compute_node": null,
    });
    machines.push(Machine { data, state: "provisioning", next: Some((Instant::now() + LATENCY, "running")) });
    say(201, shown(machines.last()?).to_string())
}

fn list(machines: &[Machine], asked: &Asked) -> Option<Said> {
    let query = asked.query();
    let get = |key: &str| query.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str());
    let mut found: Vec<Value> = machines
        .iter()
        .filter(|machine| get("tombstone").is_some() || !["deleted", "failed"].contains(&machine.state))
        .filter(|machine| {
            let mut tags = query.iter().filter_map(|(key, value)| Some((key.strip_prefix("tag.")?, value)));
            tags.all(|(key, value)| machine.data["tags"][key] == **value)
        })
        .map(shown)
        .collect();
    found.sort_by_key(|machine| std::cmp::Reverse(machine["id"].as_str().unwrap().to_owned()));
    let number = |key, default| get(key).map_or(default, |value| value.parse().unwrap());
    let page: Vec<Value> = found.into_iter().skip(number("offset", 0)).take(number("limit", 1000)).collect();
    say(200, Value::Array(page).to_string())
}

fn shown(machine: &Machine) -> Value {
    let mut data = machine.data.clone();
    data["state"] = json!(machine.state);
    if machine.state == "provisioning" {
        data["ips"] = json!([]);
        data["package"] = json!("");
    } else {
        data["package"] = json!("small");
    }
    data
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f' | b'-'))
}
