//! Who may do what, as users of the binary see it.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::TcpListener,
    path::Path,
    thread,
};

use vmpool_api::{exit, local_key, version};
use vmpool_tests::command::{Ran, prepare};

use crate::support::{Place, Server, VMPOOL, assert_fails, text};

/// Runs a client with a token, or with nothing at all that says who asks.
fn with_token(url: &str, token: Option<&str>, arguments: &[&str]) -> Ran {
    let mut command = prepare(Path::new(VMPOOL), url, arguments);
    command.env_remove("HOME").env_remove("XDG_RUNTIME_DIR");
    if let Some(token) = token {
        command.env("VMPOOL_TOKEN", token);
    }
    command.output().unwrap().into()
}

fn create(server: &Server, arguments: &[&str]) -> String {
    let ran = server.run(&[&["token", "create"], arguments].concat());
    assert_eq!(ran.code, Some(0), "{ran:?}");
    ran.stdout.trim().to_owned()
}

#[test]
fn who_shows_nothing_is_told_what_to_show() {
    let place = Place::new();
    let server = place.start(&place.setup(1));
    let ran = with_token(server.daemon.url(), None, &["pool", "ls"]);
    assert_fails(&ran, exit::DENIED, &["nothing shows who asks", "hint: show a token", "VMPOOL_TOKEN"]);
    let ran = with_token(server.daemon.url(), Some("vmpool_0a_0b"), &["pool", "ls"]);
    assert_fails(&ran, exit::DENIED, &["the token is not one of ours"]);
}

#[test]
fn a_token_is_shown_once_survives_a_restart_and_ends_when_it_is_revoked() {
    let place = Place::new();
    let server = place.start(&place.setup(1));
    let token = create(&server, &["ci", "--role", "user"]);
    let listed = server.run(&["token", "ls", "--output", "json"]);
    assert!(listed.stdout.contains("\"ci\"") && !listed.stdout.contains(&token), "{listed:?}");
    server.daemon.stop().unwrap();

    let server = place.start(&place.setup(1));
    let url = server.daemon.url();
    let who = with_token(url, Some(&token), &["whoami", "--output", "json"]).json().unwrap();
    assert_eq!((text(&who, "actor"), text(&who, "role")), ("token:ci".to_owned(), "user".to_owned()));
    let ran = with_token(url, Some(&token), &["token", "ls"]);
    assert_fails(&ran, exit::DENIED, &["token:ci is a user", "for these roles: admin"]);
    assert_eq!(server.run(&["token", "revoke", "ci"]).code, Some(0));
    assert_fails(&with_token(url, Some(&token), &["whoami"]), exit::DENIED, &["the token was revoked"]);
    let log = server.daemon.logged();
    assert!(!log.contains(token.rsplit('_').next().unwrap()) && log.contains("a token was revoked"), "{log}");
}

#[test]
fn a_user_leases_for_itself_and_sees_and_ends_nothing_of_others() {
    let place = Place::new();
    let server = place.start(&place.setup(2));
    let url = server.daemon.url();
    let (ada, bob) =
        (create(&server, &["ada", "--role", "user"]), create(&server, &["bob", "--role", "user"]));
    let acquire = ["--output", "json", "acquire", "builders", "--wait", "20s"];
    let lease = with_token(url, Some(&ada), &acquire).json().unwrap();
    let lease = lease["lease"].clone();
    assert_eq!(text(&lease, "owner"), "ada");
    let id = text(&lease, "id");
    for arguments in [["release", id.as_str()], ["renew", id.as_str()]] {
        assert_fails(&with_token(url, Some(&bob), &arguments), exit::NOT_FOUND, &["there is no lease"]);
    }
    let seen = with_token(url, Some(&bob), &["lease", "ls", "--output", "json"]).json().unwrap();
    assert_eq!(seen["leases"].as_array().unwrap().len(), 0);
    let stolen = with_token(url, Some(&bob), &[&acquire[..], &["--owner", "ada"]].concat());
    assert_fails(&stolen, exit::DENIED, &["acts for \"bob\"", "not for \"ada\""]);
    assert_fails(
        &with_token(url, Some(&bob), &["terminate", &text(&lease, "vm")]),
        exit::DENIED,
        &["token:bob is a user"],
    );
    assert_eq!(with_token(url, Some(&ada), &["release", &id]).code, Some(0));
    let events = server.run(&["events", "--output", "json"]).stdout;
    let released = events.lines().find(|line| line.contains("lease_released")).unwrap().to_owned();
    assert!(released.contains("\"by\":\"token:ada\""), "{released}");
}

#[test]
fn the_socket_knows_its_user_and_needs_no_token() {
    let place = Place::new();
    let path = place.path("s");
    let server = place.start(&place.setup(1).with("daemon.socket", path.display().to_string()));
    let url = format!("unix://{}", path.display());
    let who = with_token(&url, None, &["whoami", "--output", "json"]).json().unwrap();
    assert!(text(&who, "actor").starts_with("uid:"), "{who}");
    assert_eq!(text(&who, "role"), "admin");
    server.daemon.stop().unwrap();
    assert!(!path.exists());
}

#[test]
fn a_key_that_a_starting_daemon_leaves_while_it_is_asked_is_shown_after_all() {
    let place = Place::new();
    let folder = place.path("run");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let is_run = |name: &str| (name == "XDG_RUNTIME_DIR").then(|| folder.clone().into_os_string());
    let file = local_key::files(address, is_run).remove(0);
    // It listens before it has left its key, as a daemon does, and refuses whoever does not show that.
    let starting = thread::spawn(move || {
        for mut connection in listener.incoming().map_while(Result::ok) {
            let mut request = [0; 4096];
            let length = connection.read(&mut request).unwrap();
            let has_key = String::from_utf8_lossy(&request[..length]).contains("Bearer the-key");
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(&file, "the-key\n").unwrap();
            let status = if has_key { "200 OK" } else { "401 Unauthorized" };
            let (header, ours) = (version::HEADER, version::VERSION);
            let rest = format!("{header}: {ours}\r\ncontent-length: 12\r\nconnection: close");
            write!(connection, "HTTP/1.1 {status}\r\n{rest}\r\n\r\n{{\"pools\":[]}}").unwrap();
            if has_key {
                return;
            }
        }
    });
    let mut command = prepare(Path::new(VMPOOL), &format!("http://{address}"), &["pool", "ls"]);
    let ran: Ran = command.env("XDG_RUNTIME_DIR", &folder).env_remove("HOME").output().unwrap().into();
    assert_eq!(ran.code, Some(0), "{ran:?}");
    starting.join().unwrap();
}
