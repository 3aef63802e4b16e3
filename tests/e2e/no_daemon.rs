//! What a client says when what it speaks to is no daemon, or none of its version.

use std::{
    io::{Read, Write},
    net::TcpListener,
    thread,
};

use vmpool_api::{exit, version};

use crate::support::{assert_fails, vmpool};

/// Answers every connection with these lines of a header and an empty body, and returns the address.
fn peer(status: &'static str, headers: String) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for mut connection in listener.incoming().map_while(Result::ok) {
            let mut request = [0; 4096];
            let _ = connection.read(&mut request);
            let _ = write!(
                connection,
                "HTTP/1.1 {status}\r\n{headers}content-length: 2\r\nconnection: close\r\n\r\n{{}}"
            );
        }
    });
    url
}

/// Returns an address at which nobody listens.
fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

#[test]
fn a_dead_daemon_is_said_to_be_unreachable() {
    let url = nobody();
    for arguments in [vec!["pool", "ls"], vec!["lease", "ls"], vec!["release", "7"], vec!["events"]] {
        let ran = vmpool(&url, &arguments);
        assert_fails(&ran, exit::UNREACHABLE, &[&url, "vmpool serve", "VMPOOL_URL"]);
    }
}

#[test]
fn an_acquire_without_waiting_fails_at_once_at_a_dead_daemon() {
    let ran = vmpool(&nobody(), &["acquire", "builders", "--wait", "0s", "--", "true"]);
    assert_fails(&ran, exit::UNREACHABLE, &["vmpool serve"]);
}

#[test]
fn an_acquire_that_waits_says_at_once_that_the_daemon_is_away() {
    let ran = vmpool(&nobody(), &["acquire", "builders", "--wait", "200ms"]);
    assert_fails(&ran, exit::UNREACHABLE, &["warning: no daemon answers", "waiting for it"]);
}

#[test]
fn a_newer_daemon_is_said_to_be_newer() {
    let url = peer("200 OK", format!("{}: {}\r\n", version::HEADER, version::VERSION + 1));
    assert_fails(&vmpool(&url, &["pool", "ls"]), exit::VERSION, &["newer", "upgrade this side"]);
}

#[test]
fn an_older_daemon_is_said_to_be_older() {
    let url = peer("404 Not Found", format!("{}: 0\r\n", version::HEADER));
    assert_fails(&vmpool(&url, &["pool", "ls"]), exit::VERSION, &["older", "upgrade the peer"]);
}

#[test]
fn a_server_that_is_no_daemon_is_said_to_be_none() {
    let url = peer("200 OK", String::new());
    assert_fails(&vmpool(&url, &["vm", "ls"]), exit::VERSION, &["not a vmpool daemon"]);
}

#[test]
fn an_address_that_is_none_is_a_wrong_command_line() {
    assert_fails(&vmpool("localhost:7717", &["pool", "ls"]), exit::USAGE, &["http://", "VMPOOL_URL"]);
}

#[test]
fn a_time_without_unit_is_a_wrong_command_line() {
    let ran = vmpool(&nobody(), &["acquire", "builders", "--wait", "60"]);
    assert_eq!(ran.code, Some(i32::from(exit::USAGE)), "{ran:?}");
    assert!(ran.stderr.contains("--wait") && ran.stderr.contains("60s"), "{ran:?}");
}

#[test]
fn who_names_what_is_not_there_is_told_what_lists_it() {
    let place = crate::support::Place::new();
    let server = place.start(&place.setup(1));
    for (arguments, hint) in [
        (["vm", "show", "odd"].as_slice(), "hint: `vmpool vm ls`"),
        (&["terminate", "odd"], "hint: `vmpool vm ls`"),
        (&["renew", "odd"], "hint: `vmpool lease ls`"),
        (&["explain", "odd"], "hint: `vmpool request ls`"),
        (&["request", "cancel", "odd"], "hint: `vmpool request ls`"),
        (&["token", "revoke", "odd"], "hint: `vmpool token ls`"),
        (&["pool", "show", "odd"], "the pools are builders"),
        (&["provider", "show", "odd"], "the providers are cloud"),
        (&["acquire", "odd", "--wait", "0s"], "the pools are builders"),
    ] {
        assert_fails(&server.run(arguments), exit::NOT_FOUND, &["error: there is no", hint]);
    }
}
