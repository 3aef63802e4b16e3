//! What is listed and followed, as tables and as JSON.

use std::io::{BufRead, BufReader};

use crate::support::{Place, text};

#[test]
fn pools_vms_and_leases_are_listed_as_tables_and_as_json() {
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
        assert!(server.json(&arguments).is_array());
    }
    assert_eq!(server.json(&["vm", "show", &vm])["lease"], lease["id"]);
    let pool = server.json(&["pool", "show", "builders"]);
    assert_eq!(pool["counts"]["in_use"], 1, "{pool}");
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
        let event: serde_json::Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
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
