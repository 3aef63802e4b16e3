//! Commands that are not on this host are refused when a file is checked.

use std::{fs, os::unix::fs::PermissionsExt as _};

use vmpool_server::Config;

use crate::{parse, replaced};

/// Loads the good configuration with something in place of the size, and returns what is refused, without the file's name.
fn refused(more: &str) -> Vec<String> {
    let text = replaced("size = 2", &format!("size = 2\n{more}"));
    parse(&text).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("vmpool.toml");
    fs::write(&path, text).unwrap();
    match Config::load(&path, &vmpool::drivers::builtin()) {
        Ok(_) => Vec::new(),
        Err(err) => err.problems().iter().map(ToString::to_string).collect(),
    }
}

#[test]
fn a_hook_whose_command_is_there_is_taken() {
    assert_eq!(refused(r#"hooks.after_boot = { command = ["sh", "-c", "true"] }"#), [""; 0]);
}

#[test]
fn a_hook_whose_command_is_not_there_is_named() {
    let wanted = "15:37: pools.small.hooks.before_release.command[0]: there is no command \"no-such-clean-vm\" in the \
                  PATH of this process: install it, or write an absolute path";
    assert_eq!(refused(r#"hooks.before_release = { command = ["no-such-clean-vm"] }"#), [wanted]);
}

#[test]
fn a_hook_that_is_no_executable_file_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let script = directory.path().join("clean");
    fs::write(&script, "#!/bin/sh").unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o644)).unwrap();
    let hook = |path: &str| refused(&format!("hooks.after_destroy.command = [{path:?}]"))[0].clone();
    let path = script.to_str().unwrap();
    let why = |path: &str| hook(path).split_once("command[0]: ").unwrap().1.to_owned();
    assert_eq!(why(path), format!("{path} is not executable: chmod +x makes it so"));
    assert_eq!(why("/"), "/ is no file, so it cannot be run");
    assert!(why("/nonexistent/clean").starts_with("there is no command /nonexistent/clean: "));
    assert!(why("bin/clean").starts_with("\"bin/clean\" is a relative path, and where it leads depends on"));
}

#[test]
fn a_check_whose_command_or_key_is_not_there_is_named() {
    let found = refused(r#"check = { kind = "exec", command = ["no-such-check-vm"] }"#);
    assert!(found[0].starts_with("15:37: pools.small.check.command[0]: there is no command"), "{found:?}");
    let found = refused(r#"check = { kind = "ssh", identity = "/nonexistent/key" }"#);
    let wanted = "15:36: pools.small.check.identity: the private key cannot be read: ";
    assert!(found.iter().any(|problem| problem.starts_with(wanted)), "{found:?}");
}

#[test]
fn every_command_that_is_not_there_is_told_at_once() {
    let hooks = r#"hooks = { after_boot = { command = ["no-such-a"] }, after_destroy = { command = ["no-such-b"] } }"#;
    assert_eq!(refused(hooks).len(), 2);
}
