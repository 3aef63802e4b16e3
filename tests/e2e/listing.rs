//! What is listed and followed, as tables and as JSON.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
};

use serde_json::Value;

use vmpool_tests::wait::wait_for;

use crate::support::{Place, Server, text};

/// Asks a daemon over HTTP, without any client of ours, and reads what it answers.
fn ask(server: &Server, method: &str, path: &str, body: &str) -> Value {
    let host = server.daemon.url().trim_start_matches("http://");
    let mut stream = TcpStream::connect(host).unwrap();
    let head = format!("{method} {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n");
    let length = body.len();
    write!(stream, "{head}content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    serde_json::from_str(body).unwrap()
}

#[test]
fn pools_vms_and_leases_are_listed_as_tables() {
    let place = Place::new();
    let server = place.start(&place.setup(2));
    let lease = server.acquire(&["--owner", "ada", "--task", "build-17"]);
    let (id, vm) = (text(&lease, "id"), text(&lease, "vm"));
    for (arguments, parts) in [
        (["pool", "ls"], ["POOL", "builders"]),
        (["vm", "ls"], ["STATE", vm.as_str()]),
        (["lease", "ls"], [id.as_str(), "build-17"]),
    ] {
        let ran = server.run(&arguments);
        assert!(ran.code == Some(0) && parts.iter().all(|part| ran.stdout.contains(part)), "{ran:?}");
    }
    assert_eq!(server.json(&["vm", "show", &vm])["lease"], lease["id"]);
    let pool = server.json(&["pool", "show", "builders"]);
    assert_eq!(pool["counts"]["in_use"], 1, "{pool}");
}

#[test]
fn json_is_what_the_api_answers() {
    let place = Place::new();
    let server = place.start(&place.setup(2).with("access.open_loopback", true));
    server.ready(2);
    let body = r#"{"request": "build-17", "pool": "builders", "owner": "tester"}"#;
    let granted = ask(&server, "POST", "/v1/leases", body);
    assert_eq!(server.json(&["acquire", "builders", "--request", "build-17"]), granted);
    let (lease, vm) = (text(&granted["lease"], "id"), text(&granted["lease"], "vm"));
    for (words, path) in [
        ("pool ls", "pools"),
        ("pool show builders", "pools/builders"),
        ("vm ls", "vms"),
        (&format!("vm show {vm}"), &format!("vms/{vm}")),
        ("lease ls", "leases"),
        ("provider show cloud", "providers/cloud"),
        ("request ls", "requests"),
        ("request show build-17", "requests/build-17"),
        ("explain build-17", "requests/build-17/explain"),
    ] {
        let words: Vec<&str> = words.split(' ').collect();
        // What a provider tells of itself changes from one moment to the next, as when it was listed last.
        let answers = wait_for(&words.join(" "), || {
            let answered = ask(&server, "GET", &format!("/v1/{path}"), "");
            (server.json(&words) == answered).then_some(answered)
        });
        assert!(answers.unwrap().is_object());
    }
    let listed = ask(&server, "GET", "/v1/leases", "");
    assert_eq!(listed["leases"][0]["id"], lease.as_str());
}

#[test]
fn events_are_followed_from_the_first_to_those_to_come() {
    let place = Place::new();
    let server = place.start(&place.setup(1));
    server.ready(1);
    let mut child = server.prepare(&["events", "--follow", "--output", "json"]).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut kinds = Vec::new();
    let mut next = |wanted: &str| loop {
        let event: Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
        kinds.push(text(&event, "kind"));
        if event["kind"] == wanted {
            break event["cursor"].as_u64().unwrap();
        }
    };
    let ready = next("vm_ready");
    let lease = text(&server.acquire(&[]), "id");
    assert!(ready < next("lease_granted"));
    assert_eq!(server.run(&["release", &lease]).code, Some(0));
    let released = next("lease_released");
    child.kill().unwrap();
    child.wait().unwrap();
    let after = server.run(&["events", "--after", &released.to_string()]);
    assert!(!after.stdout.contains("lease_released"), "{after:?}");
}
