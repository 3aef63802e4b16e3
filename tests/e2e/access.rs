//! Who may do what, as users of the binary see it.

use std::path::Path;

use vmpool_api::exit;
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
