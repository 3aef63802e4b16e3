//! All records of a daemon: exported, checked, and imported into another one.

use std::fs;

use vmpool_api::exit;

use crate::support::{NOWHERE, Place, assert_fails, text, vmpool};

fn store(arguments: &[&str]) -> vmpool_tests::command::Ran {
    vmpool(NOWHERE, &[&["store"], arguments].concat())
}

#[test]
fn a_daemon_goes_on_from_the_export_of_another_one() {
    let place = Place::new();
    let setup = place.setup(2);
    let (old, new, file) = (place.path("state"), place.path("new"), place.path("export.jsonl"));
    let (old, new, file) = (old.to_str().unwrap(), new.to_str().unwrap(), file.to_str().unwrap());
    let server = place.start(&setup);
    server.ready(2);
    let lease = text(&server.acquire(&["--owner", "ada"]), "id");
    assert_fails(
        &store(&["export", old]),
        exit::STATE_IN_USE,
        &["is in use by another process", "hint: stop the daemon"],
    );
    let events = server.run(&["events", "--output", "json"]).stdout;
    server.daemon.stop().unwrap();

    let checked = store(&["check", old]);
    assert!(checked.code == Some(0) && checked.stderr.contains("is fine: "), "{checked:?}");
    let exported = store(&["export", old, "--to", file]);
    assert_eq!((exported.code, exported.stdout.as_str()), (Some(0), ""), "{exported:?}");
    assert_eq!(store(&["export", old]).stdout, fs::read_to_string(file).unwrap(), "it is stable");
    assert_fails(&store(&["export", old, "--to", file]), exit::FAILURE, &["failed to write", "exists"]);
    let words = ["import", "records", file, "--into", new];
    let imported = store(&words);
    assert!(imported.code == Some(0) && imported.stderr.contains("imported: "), "{imported:?}");
    assert_fails(&store(&words), exit::STORE, &["it is not empty"]);
    assert_eq!(store(&["export", new]).stdout, fs::read_to_string(file).unwrap());

    let server = place.start(&setup.with("daemon.state_dir", new));
    assert_eq!(server.leases(), [lease]);
    assert!(server.run(&["events", "--output", "json"]).stdout.starts_with(&events));
}

#[test]
fn an_export_that_is_none_or_is_broken_off_is_not_imported() {
    let place = Place::new();
    let server = place.start(&place.setup(1));
    server.ready(1);
    server.daemon.stop().unwrap();
    let whole = store(&["export", place.path("state").to_str().unwrap()]).stdout;
    let lines: Vec<&str> = whole.lines().collect();
    let swapped = whole.replacen("\"v\":1", "\"v\":2", 1);
    for (text, told) in [
        ("", "is no export"),
        ("{\"vms\": []}\n", "is no export"),
        ("{\"vmpool_export\":2}\n", "format 2, this version reads 1"),
        (lines[..lines.len() - 1].join("\n").as_str(), "is broken off"),
        (format!("{}\n{}", lines[0], lines[lines.len() - 1]).as_str(), "is broken off"),
        (format!("{}\nodd\n", lines[0]).as_str(), "line 2: it is no record"),
        (swapped.as_str(), "line 2: the export, record"),
    ] {
        let file = place.write("odd.jsonl", text);
        let into = place.path("into");
        let ran = store(&["import", "records", file.to_str().unwrap(), "--into", into.to_str().unwrap()]);
        assert_fails(&ran, exit::STORE, &[told, "hint: "]);
        assert!(!into.exists(), "{text}");
    }
}

#[test]
fn what_is_damaged_in_a_store_is_named_and_there_is_an_exit_code_for_it() {
    let place = Place::new();
    let server = place.start(&place.setup(1));
    server.ready(1);
    server.daemon.stop().unwrap();
    let state = place.path("state");
    fs::remove_file(state.join("vmpool-store.json")).unwrap();
    let ran = store(&["check", state.to_str().unwrap(), "--output", "json"]);
    assert_eq!(ran.code, Some(i32::from(exit::STORE)), "{ran:?}");
    let misfits = ran.json().unwrap()["misfits"].take();
    assert!(text(&misfits[0], "place").ends_with("vmpool-store.json"), "{misfits}");
    let none = place.path("none");
    assert_fails(
        &store(&["check", none.to_str().unwrap()]),
        exit::STORE,
        &["no store in it", "hint: give the state_dir"],
    );
    assert!(!none.exists());
}
