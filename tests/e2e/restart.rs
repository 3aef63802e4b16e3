//! What a daemon knows after it was stopped or killed.

use crate::support::{Place, text};

#[test]
fn a_lease_survives_a_killed_daemon() {
    let place = Place::new();
    let setup = place.setup(2);
    let server = place.start(&setup);
    let lease = server.acquire(&["--request", "build-17"]);
    server.daemon.kill().unwrap();
    let server = place.start(&setup);
    assert_eq!(server.leases(), [text(&lease, "id")]);
    let again = server.acquire(&["--request", "build-17"]);
    assert_eq!((again["id"].clone(), again["vm"].clone()), (lease["id"].clone(), lease["vm"].clone()));
}

#[test]
fn a_release_survives_a_killed_daemon() {
    let place = Place::new();
    let setup = place.setup(1);
    let server = place.start(&setup);
    let lease = text(&server.acquire(&[]), "id");
    assert_eq!(server.run(&["release", &lease]).code, Some(0));
    server.daemon.kill().unwrap();
    assert_eq!(place.start(&setup).leases(), [""; 0]);
}

#[test]
fn a_stopped_daemon_ends_in_good_order_and_the_next_one_has_its_vms() {
    let place = Place::new();
    let setup = place.setup(2);
    let server = place.start(&setup);
    let names = server.ready(2);
    assert!(server.daemon.stop().unwrap().success());
    assert_eq!(place.start(&setup).ready(2), names);
}

#[test]
fn a_command_goes_on_while_the_daemon_restarts() {
    let place = Place::new();
    // The daemon comes back at the address that the client knows.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let setup = place.setup(1).with("daemon.listen", free.to_string());
    let server = place.start(&setup);
    let (mut child, lease) = server.acquire_running(&["--ttl", "3s"], "echo $VMPOOL_LEASE; cat >/dev/null");
    server.daemon.kill().unwrap();
    let server = place.start(&setup);
    assert_eq!(server.leases(), [lease]);
    drop(child.stdin.take());
    assert_eq!(crate::support::end(child).code, Some(0));
    assert_eq!(server.leases(), [""; 0]);
}
