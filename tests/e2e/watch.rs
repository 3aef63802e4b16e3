//! What is watched: `vmpool top` where there is no terminal, and a drain that is waited for.

use vmpool_api::exit;
use vmpool_tests::wait::wait_for;

use crate::support::{NOWHERE, Place, assert_fails, text, vmpool};

#[test]
fn top_prints_once_where_there_is_no_terminal() {
    let place = Place::new();
    let server = place.start(&place.setup(2).with_pool("others", 1));
    let ready = || server.json(&["vm", "ls", "--state", "ready"])["vms"].as_array().unwrap().len();
    wait_for("3 ready VMs", || (ready() == 3).then_some(())).unwrap();
    let all = server.run(&["top"]);
    assert_eq!(all.code, Some(0), "{all:?}");
    for part in ["3 ready", "builders", "others", "EVENTS", "vm_ready"] {
        assert!(all.stdout.contains(part), "{part} is missing: {all:?}");
    }
    assert!(!all.stdout.contains('\u{1b}'), "{all:?}");
    let one = server.run(&["top", "builders"]);
    assert!(!one.stdout.contains("others"), "{one:?}");
    let json = server.json(&["top"]);
    assert_eq!(json["pools"].as_array().unwrap().len(), 2, "{json}");
    assert_fails(&server.run(&["top", "bilders"]), exit::NOT_FOUND, &["bilders", "builders"]);
    assert_fails(&vmpool(NOWHERE, &["top"]), exit::UNREACHABLE, &["hint: "]);
}

#[test]
fn a_drain_is_waited_for_and_says_what_is_left() {
    let place = Place::new();
    let server = place.start(&place.setup(2));
    let lease = server.acquire(&["--ttl", "1h"]);
    let short = server.run(&["drain", "builders", "--wait", "1s"]);
    assert_eq!(short.code, Some(i32::from(exit::FAILURE)), "{short:?}");
    assert!(short.stderr.contains("still has 1 in_use") && short.stderr.contains("hint: "), "{short:?}");
    assert_eq!(server.run(&["release", &text(&lease, "id")]).code, Some(0));
    let done = server.run(&["drain", "builders", "--wait", "20s"]);
    assert_eq!(done.code, Some(0), "{done:?}");
    assert!(done.stderr.contains("pool builders has no VM any more"), "{done:?}");
    assert!(!done.stderr.contains('\u{1b}'), "there is no terminal: {done:?}");
}
