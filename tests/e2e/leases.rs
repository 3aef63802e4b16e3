//! Acquiring, renewing and releasing, and commands that run with a VM.

use rustix::process::{Signal, getuid};
use vmpool_api::exit;
use vmpool_tests::{command::Ran, daemon::signal, wait::wait_for};

use crate::support::{Place, end, text};

/// Prints a line, then works until its standard input is closed.
const WORK: &str = "echo $VMPOOL_LEASE; exec cat >/dev/null";

#[test]
fn a_command_gets_its_vm_in_the_environment_and_its_exit_code_is_passed_on() {
    let place = Place::new();
    let server = place.start(&place.setup(1));
    let script = "echo $VMPOOL_VM,$VMPOOL_ADDRESS,$VMPOOL_ADDRESSES,$VMPOOL_LEASE,$VMPOOL_POOL,$VMPOOL_NODE_ID,\
                  $VMPOOL_EXPIRES_AT,$VMPOOL_URL; exit 17";
    let vm = server.ready(1).remove(0);
    let shown = server.json(&["vm", "show", &vm]);
    let ran = server.run(&["acquire", "builders", "--", "sh", "-c", script]);
    assert_eq!(ran.code, Some(17), "{ran:?}");
    let words: Vec<&str> = ran.stdout.trim().split(',').collect();
    let address = shown["addresses"][0].as_str().unwrap();
    let node = text(&shown, "node_id");
    assert_eq!((words[0], words[1], words[2]), (vm.as_str(), address, address), "{ran:?}");
    assert_eq!((words[4], words[5], words[7]), ("builders", node.as_str(), server.daemon.url()), "{ran:?}");
    assert!(!words[3].is_empty() && words[6].ends_with('Z'), "{ran:?}");
    assert_eq!(server.leases(), [""; 0], "the lease was not released");
}

#[test]
fn a_command_that_a_signal_ends_is_counted_as_shells_do() {
    let place = Place::new();
    let server = place.start(&place.setup(1));
    let ran = server.run(&["acquire", "builders", "--", "sh", "-c", "kill -9 $$"]);
    assert_eq!(ran.code, Some(137), "{ran:?}");
    assert_eq!(server.leases(), [""; 0]);
}

#[test]
fn a_command_that_is_missing_costs_no_vm() {
    let place = Place::new();
    let server = place.start(&place.setup(1));
    let ran = server.run(&["acquire", "builders", "--", "no-such-command"]);
    assert_eq!(ran.code, Some(127), "{ran:?}");
    assert!(ran.stderr.contains("no-such-command"), "{ran:?}");
    assert_eq!(server.leases(), [""; 0]);
}

#[test]
fn a_signal_reaches_the_command() {
    let place = Place::new();
    let server = place.start(&place.setup(1));
    // A shell looks at its signals between two commands, so that none is missed however early it comes.
    let script = "trap 'exit 7' TERM; echo started; while :; do sleep 0.05; done";
    let (child, _) = server.acquire_running(&[], script);
    signal(&child, Signal::TERM).unwrap();
    let ran = end(child);
    assert_eq!(ran.code, Some(7), "{ran:?}");
    assert_eq!(server.leases(), [""; 0]);
}

#[test]
fn the_lease_of_a_running_command_is_renewed() {
    let place = Place::new();
    let server = place.start(&place.setup(1));
    let (mut child, lease) = server.acquire_running(&["--ttl", "1s"], WORK);
    let expires = || text(&server.json(&["lease", "ls"])["leases"][0], "expires_at");
    // Times of the same length and zone are in order as text.
    let first: String = expires().chars().take("2026-01-01T00:00:00".len()).collect();
    wait_for("two renewals", || (first.clone() + ".999Z" < expires()).then_some(())).unwrap();
    assert_eq!(server.leases(), [lease]);
    drop(child.stdin.take());
    assert_eq!(end(child).code, Some(0));
    assert_eq!(server.leases(), [""; 0]);
}

#[test]
fn a_command_whose_lease_is_gone_is_ended() {
    let place = Place::new();
    let server = place.start(&place.setup(1));
    let (child, lease) = server.acquire_running(&["--ttl", "1s"], WORK);
    assert_eq!(server.run(&["release", &lease]).code, Some(0));
    let ran = end(child);
    assert_eq!(ran.code, Some(i32::from(exit::LEASE_LOST)), "{ran:?}");
    assert!(ran.stderr.contains(&lease), "{ran:?}");
}

#[test]
fn a_command_that_outlives_its_lease_is_not_taken_for_a_success() {
    let place = Place::new();
    let server = place.start(&place.setup(1));
    // So long a lease is not renewed before the command ends.
    let (mut child, lease) = server.acquire_running(&["--ttl", "5m"], WORK);
    assert_eq!(server.run(&["release", &lease]).code, Some(0));
    drop(child.stdin.take());
    let ran = end(child);
    assert_eq!(ran.code, Some(i32::from(exit::LEASE_LOST)), "{ran:?}");
    assert!(ran.stderr.contains("before the command ended, which it did with exit code 0"), "{ran:?}");
}

#[test]
fn the_vm_of_a_killed_client_comes_back() {
    let place = Place::new();
    let server = place.start(&place.setup(1));
    let (mut child, lease) = server.acquire_running(&["--ttl", "1s"], WORK);
    child.kill().unwrap();
    child.wait().unwrap();
    server.wait_for_event("lease_expired", &lease);
    let next = server.acquire(&[]);
    assert_ne!(text(&next, "id"), lease);
}

#[test]
fn the_owner_is_the_user_by_name_or_number_unless_it_is_given() {
    let place = Place::new();
    let server = place.start(&place.setup(3));
    assert_eq!(text(&server.acquire(&[]), "owner"), "tester");
    assert_eq!(text(&server.acquire(&["--owner", "ada"]), "owner"), "ada");
    let mut nameless = server.prepare(&["acquire", "builders", "--output", "json"]);
    let ran: Ran = nameless.env_remove("USER").output().unwrap().into();
    assert_eq!(text(&ran.json().unwrap()["lease"], "owner"), format!("uid-{}", getuid().as_raw()));
}

#[test]
fn the_same_request_yields_the_same_lease() {
    let place = Place::new();
    let server = place.start(&place.setup(2));
    let first = server.acquire(&["--request", "build-17"]);
    let again = server.acquire(&["--request", "build-17"]);
    let other = server.acquire(&["--request", "build-18"]);
    assert_eq!(first["id"], again["id"]);
    assert_ne!(first["vm"], other["vm"]);
}

#[test]
fn a_renewed_lease_outlives_one_that_is_not() {
    let place = Place::new();
    let server = place.start(&place.setup(2));
    let kept = text(&server.acquire(&["--ttl", "1s"]), "id");
    let renewed = server.json(&["renew", &kept, "--ttl", "1h"]);
    assert_eq!(renewed["ttl"], "1h");
    let other = text(&server.acquire(&["--ttl", "1s"]), "id");
    server.wait_for_event("lease_expired", &other);
    assert_eq!(server.leases(), [kept]);
}

#[test]
fn a_renewal_with_an_old_token_is_refused() {
    let place = Place::new();
    let server = place.start(&place.setup(2));
    let old = server.acquire(&[])["fence"].to_string();
    let lease = server.acquire(&[]);
    let (id, own) = (text(&lease, "id"), lease["fence"].to_string());
    let parts = ["has the fencing token", own.as_str(), "must not use it any more"];
    crate::support::assert_fails(&server.run(&["renew", &id, "--fence", &old]), exit::REFUSED, &parts);
    crate::support::assert_fails(&server.run(&["release", &id, "--fence", &old]), exit::REFUSED, &parts);
    assert_eq!(server.run(&["renew", &id, "--fence", &own]).code, Some(0));
    assert_eq!(server.run(&["release", &id, "--fence", &own]).code, Some(0));
}

#[test]
fn without_a_vm_an_acquire_fails_at_once_or_after_its_time() {
    let place = Place::new();
    let server = place.start(&place.setup(1));
    server.acquire(&[]);
    for wait in ["0s", "300ms"] {
        let ran = server.run(&["acquire", "builders", "--wait", wait]);
        crate::support::assert_fails(&ran, exit::NO_VM, &["builders"]);
    }
}

#[test]
fn ctrl_c_withdraws_a_request_that_waits_and_its_id_may_be_used_again() {
    let place = Place::new();
    let server = place.start(&place.setup(1));
    server.acquire(&[]);
    for _ in 0..2 {
        let asked = ["acquire", "builders", "--wait", "60s", "--request", "build-17"];
        let child = server.prepare(&asked).spawn().unwrap();
        let waiting = || server.json(&["pool", "show", "builders"])["waiting"].as_u64();
        wait_for("a request that waits", || (waiting() == Some(1)).then_some(())).unwrap();
        signal(&child, Signal::INT).unwrap();
        let ran = end(child);
        assert_eq!(ran.code, Some(i32::from(exit::INTERRUPTED)), "{ran:?}");
        assert_eq!(waiting(), Some(0));
    }
}

#[test]
fn a_terminated_vm_is_replaced_and_its_lease_ends() {
    let place = Place::new();
    let server = place.start(&place.setup(1));
    let lease = server.acquire(&[]);
    let vm = text(&lease, "vm");
    assert_eq!(server.run(&["terminate", &vm, "--reason", "hangs"]).code, Some(0));
    assert_eq!(server.leases(), [""; 0]);
    assert_ne!(server.ready(1), [vm]);
}

#[test]
fn several_leases_are_renewed_and_released_by_one_command() {
    let place = Place::new();
    let server = place.start(&place.setup(2));
    let [first, second] = ["r1", "r2"].map(|id| text(&server.acquire(&["--request", id]), "id"));

    let renewed = server.json(&["renew", &first, &second, "--ttl", "1h"]);
    let ttls: Vec<_> =
        renewed["renewals"].as_array().unwrap().iter().map(|one| &one["lease"]["ttl"]).collect();
    assert_eq!(ttls, ["1h", "1h"]);

    let ran = server.run(&["release", &first, "no-such", &second]);
    assert_eq!(ran.code, Some(i32::from(exit::NOT_FOUND)), "{ran:?}");
    assert!(ran.stderr.contains("failed to release 1 of 3 leases: there is no lease no-such"), "{ran:?}");
    assert_eq!(server.leases(), Vec::<String>::new());

    let ran = server.run(&["release", &first, &second, "--fence", "7"]);
    crate::support::assert_fails(&ran, exit::USAGE, &["--fence is that of one lease, and several are named"]);
}
