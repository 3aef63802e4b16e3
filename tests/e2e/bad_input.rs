//! Bad input: each gives one clear message and its own exit code, and loses nothing.

use std::{
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
};

use vmpool_api::exit;

use crate::support::{NOWHERE, Place, assert_fails, vmpool};

/// Checks that both `serve` and `config check` refuse a configuration.
fn refused(place: &Place, text: &str, parts: &[&str]) {
    assert_fails(&place.serve(text), exit::CONFIG, parts);
    let config = place.path("bad.toml");
    assert_fails(&vmpool(NOWHERE, &["config", "check", config.to_str().unwrap()]), exit::CONFIG, parts);
    assert!(!place.path("state").exists(), "a refused configuration left something");
}

#[test]
fn an_unknown_key_is_named_with_its_place() {
    let place = Place::new();
    let text = place.setup(1).with("pools.builders.sise", 3).text();
    let line = text.lines().position(|line| line.starts_with("sise")).unwrap() + 1;
    refused(
        &place,
        &text,
        &[&format!("bad.toml:{line}:1"), "pools.builders", "unknown field `sise`", "`size`"],
    );
}

#[test]
fn a_value_of_the_wrong_type_is_named_with_its_place() {
    let place = Place::new();
    let text = place.setup(1).with("pools.builders.size", "three").text();
    let line = text.lines().position(|line| line.starts_with("size")).unwrap() + 1;
    refused(&place, &text, &[&format!("bad.toml:{line}:8"), "pools.builders.size", "three"]);
}

#[test]
fn a_bad_log_filter_is_named_with_its_place() {
    let place = Place::new();
    let text = place.setup(1).with("daemon.log", "foo=bar=baz").text();
    let line = text.lines().position(|line| line.starts_with("log")).unwrap() + 1;
    refused(&place, &text, &[&format!("bad.toml:{line}:7: daemon.log: \"foo=bar=baz\" is not a log filter")]);
}

#[test]
fn a_configuration_without_pools_is_fine_with_a_warning() {
    let place = Place::new();
    let file = place.write("empty.toml", "");
    let checked = vmpool(NOWHERE, &["config", "check", file.to_str().unwrap()]);
    assert_eq!(checked.code, Some(0), "{checked:?}");
    assert!(checked.stderr.starts_with("warning: ") && checked.stderr.lines().count() == 1, "{checked:?}");
    assert!(checked.stderr.contains("there is no provider"), "{checked:?}");
}

#[test]
fn an_unknown_driver_is_answered_with_the_known_ones() {
    let place = Place::new();
    let text = place.setup(1).with("providers.cloud.driver", "dumy").text();
    refused(&place, &text, &["providers.cloud.driver", "dumy", "dummy"]);
}

#[test]
fn a_missing_configuration_is_named() {
    let place = Place::new();
    let missing = place.path("missing.toml");
    let missing = missing.to_str().unwrap();
    assert_fails(&vmpool(NOWHERE, &["serve", "--config", missing]), exit::CONFIG, &[missing]);
    assert_fails(&vmpool(NOWHERE, &["config", "check", missing]), exit::CONFIG, &[missing]);
}

#[test]
fn the_default_configuration_passes_the_check() {
    let place = Place::new();
    let default = vmpool(NOWHERE, &["config", "default"]);
    assert_eq!(default.code, Some(0), "{default:?}");
    let file = place.write("default.toml", &default.stdout);
    let checked = vmpool(NOWHERE, &["config", "check", file.to_str().unwrap()]);
    assert_eq!(checked.code, Some(0), "{checked:?}");
}

#[test]
fn an_address_in_use_is_named() {
    let place = Place::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let text = place.setup(1).with("daemon.listen", address.as_str()).text();
    assert_fails(&place.serve(&text), exit::PORT_IN_USE, &[&address]);
}

#[test]
fn a_state_directory_in_use_is_named_and_its_daemon_goes_on() {
    let place = Place::new();
    let setup = place.setup(1);
    let server = place.start(&setup);
    let state = place.path("state");
    assert_fails(&place.serve(&setup.text()), exit::STATE_IN_USE, &[state.to_str().unwrap()]);
    server.acquire(&[]);
}

#[test]
fn a_state_directory_that_is_a_file_is_named() {
    let place = Place::new();
    let file = place.write("state", "hi");
    let parts = &[file.to_str().unwrap(), "is not a directory"];
    assert_fails(&place.serve(&place.setup(1).text()), exit::CONFIG, parts);
}

#[test]
fn a_truncated_store_is_refused_and_left_as_it_is() {
    let place = Place::new();
    let setup = place.setup(1);
    let server = place.start(&setup);
    server.acquire(&[]);
    assert!(server.daemon.stop().unwrap().success());
    let file = largest_file(&place.path("state")).unwrap();
    let bytes = fs::read(&file).unwrap();
    fs::write(&file, &bytes[..bytes.len() / 3]).unwrap();
    let ran = place.serve(&setup.text());
    assert_fails(&ran, exit::STORE, &[place.path("state").to_str().unwrap(), "hint: put a copy of"]);
    // Whoever puts the file back has lost nothing.
    fs::write(&file, &bytes).unwrap();
    assert_eq!(place.start(&setup).leases().len(), 1);
}

#[test]
fn an_unknown_pool_is_answered_with_the_known_ones() {
    let place = Place::new();
    let server = place.start(&place.setup(1));
    for arguments in
        [&["acquire", "bilders"][..], &["pool", "show", "bilders"], &["vm", "ls", "--pool", "bilders"]]
    {
        assert_fails(&server.run(arguments), exit::NOT_FOUND, &["bilders", "builders"]);
    }
}

#[test]
fn an_unknown_lease_vm_or_state_is_named() {
    let place = Place::new();
    let server = place.start(&place.setup(1));
    assert_fails(&server.run(&["renew", "lease-7"]), exit::NOT_FOUND, &["lease-7"]);
    assert_fails(&server.run(&["release", "lease-7"]), exit::NOT_FOUND, &["lease-7"]);
    assert_fails(&server.run(&["vm", "show", "builders-7"]), exit::NOT_FOUND, &["builders-7"]);
    assert_fails(&server.run(&["terminate", "builders-7"]), exit::NOT_FOUND, &["builders-7"]);
    assert_fails(&server.run(&["vm", "ls", "--state", "redy"]), exit::USAGE, &["redy", "ready"]);
    server.acquire(&[]);
}

#[test]
fn a_time_to_live_above_the_limit_is_refused_with_the_limit() {
    let place = Place::new();
    let server = place.start(&place.setup(1).with("pools.builders.max_lease_ttl", "1h"));
    assert_fails(&server.run(&["acquire", "builders", "--ttl", "2h"]), exit::USAGE, &["1h"]);
}

/// Returns the largest file, but for the one that only keeps room free.
fn largest_file(folder: &Path) -> Option<PathBuf> {
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let paths = paths.filter(|path| !path.ends_with("reserve"));
    let (files, folders): (Vec<_>, Vec<_>) = paths.partition(|path| path.is_file());
    let inner = folders.iter().filter_map(|folder| largest_file(folder));
    files.into_iter().chain(inner).max_by_key(|path| path.metadata().unwrap().len())
}
