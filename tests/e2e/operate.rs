//! What an operator does with a running daemon: draining, reloading, looking back.

use std::{fs, process::Command};

use vmpool_api::exit;
use vmpool_tests::wait::wait_for;

use crate::support::{Place, assert_fails, text};

#[test]
fn a_drained_pool_gives_nothing_keeps_what_is_in_use_and_works_again_after_it() {
    let place = Place::new();
    let setup = place.setup(2);
    let server = place.start(&setup);
    server.ready(2);
    let lease = server.acquire(&[]);
    assert_eq!(server.run(&["drain", "builders", "--reason", "new image"]).code, Some(0));
    assert_fails(&server.run(&["acquire", "builders"]), exit::REFUSED, &["is being drained (new image)"]);
    let vms = || server.json(&["vm", "ls"])["vms"].as_array().unwrap().clone();
    wait_for("the idle VM to go", || (vms().len() == 1).then_some(())).unwrap();
    assert_eq!(vms()[0]["lease"], lease["id"]);
    let shown = server.run(&["pool", "show", "builders"]);
    assert!(shown.stdout.contains("new image, since"), "{shown:?}");

    server.daemon.kill().unwrap();
    let server = place.start(&setup);
    assert_fails(&server.run(&["acquire", "builders"]), exit::REFUSED, &["new image"]);
    assert_eq!(server.run(&["release", &text(&lease, "id")]).code, Some(0));
    wait_for("the last VM to go", || {
        server.json(&["vm", "ls"])["vms"].as_array().unwrap().is_empty().then_some(())
    })
    .unwrap();
    assert_eq!(server.run(&["undrain", "builders"]).code, Some(0));
    server.ready(2);
}

#[test]
fn a_reload_takes_a_good_file_and_leaves_everything_with_a_broken_one() {
    let place = Place::new();
    let server = place.start(&place.setup(1));
    let config = place.path("vmpool.toml");
    let broken =
        place.setup(3).with("pools.builders.max_total", 2).with("pools.builders.check_timeout", "0s");
    fs::write(&config, broken.text()).unwrap();
    let ran = server.run(&["reload"]);
    assert_fails(&ran, exit::CONFIG, &["vmpool.toml:", "pools.builders.max_total", "below size (3)"]);
    assert_eq!(server.json(&["pool", "show", "builders"])["size"], 1);

    fs::write(&config, place.setup(3).with_pool("big", 1).text()).unwrap();
    let told = server.json(&["reload"]);
    assert_eq!((&told["added"][0], &told["changed"][0]), (&"pools.big".into(), &"pools.builders".into()));
    server.ready(3);
}

#[test]
fn a_hangup_has_the_configuration_read_again() {
    let place = Place::new();
    let server = place.start(&place.setup(1));
    let pid = server.daemon.id().to_string();
    fs::write(place.path("vmpool.toml"), "size = = 1").unwrap();
    let hang_up = || assert!(Command::new("kill").args(["-HUP", &pid]).status().unwrap().success());
    hang_up();
    wait_for("the log to tell", || {
        server.daemon.logged().contains("the configuration stays what it was").then_some(())
    })
    .unwrap();
    fs::write(place.path("vmpool.toml"), place.setup(2).text()).unwrap();
    hang_up();
    server.ready(2);
    let events = server.run(&["events"]);
    assert!(events.stdout.contains("by=SIGHUP"), "{events:?}");
}

#[test]
fn every_verb_tells_programs_what_was_done_and_the_events_by_whom() {
    let place = Place::new();
    let server = place.start(&place.setup(3));
    server.ready(3);
    let lease = text(&server.acquire(&["--owner", "ada"]), "id");
    let [vm, other] = server.ready(2).try_into().unwrap();
    let verbs = [
        (format!("release {lease} --by zoe"), format!("lease={lease} by=zoe")),
        (format!("hold {vm} --by zoe --reason smoke"), format!("vm={vm} by=zoe reason=smoke")),
        (format!("unhold {vm} --by zoe"), format!("vm={vm} by=zoe")),
        (format!("terminate {other} --by zoe"), format!("vm={other} by=zoe")),
        (format!("forget {vm} --by zoe --reason fire"), format!("vm={vm} by=zoe reason=fire")),
        ("drain builders --by zoe".to_owned(), "pool=builders by=zoe".to_owned()),
        ("undrain builders --by zoe".to_owned(), "pool=builders by=zoe".to_owned()),
    ];
    for (line, told) in verbs {
        let words: Vec<&str> = line.split(' ').collect();
        let said = server.json(&words);
        assert_eq!(said["verb"], words[0]);
        for (name, value) in told.split(' ').filter_map(|told| told.split_once('=')) {
            assert_eq!(said[name], value, "{line}");
        }
    }
    let history = server.run(&["vm", "history", &vm]);
    assert!(history.stdout.contains("by=zoe (uid:"), "{history:?}");
    // Where nobody is named, it was the user.
    assert_eq!(server.run(&["drain", "builders"]).code, Some(0));
    let shown = server.json(&["pool", "show", "builders"]);
    assert_ne!(text(&shown["drain"], "by"), "");
}

#[test]
fn the_history_of_a_vm_is_told_when_the_vm_is_gone() {
    let place = Place::new();
    let server = place.start(&place.setup(1));
    let vm = server.ready(1).remove(0);
    assert_eq!(server.run(&["terminate", &vm, "--reason", "smells of smoke"]).code, Some(0));
    let gone = || server.run(&["vm", "show", &vm]).code == Some(i32::from(exit::NOT_FOUND));
    wait_for("the VM to be gone", || gone().then_some(())).unwrap();
    let history = server.run(&["vm", "history", &vm]);
    for part in ["vm_spawning", "vm_ready", "smells of smoke", "vm_gone"] {
        assert!(history.stdout.contains(part), "{part} is missing: {history:?}");
    }
    assert!(history.stdout.lines().all(|line| line.contains(&vm)), "{history:?}");
    assert_fails(&server.run(&["vm", "history", "builders-0"]), exit::NOT_FOUND, &["builders-0"]);
}

#[test]
fn all_pools_and_providers_are_shown_at_once() {
    let place = Place::new();
    let server = place.start(&place.setup(1).with("providers.cloud.quota.vms", 5));
    let vm = server.ready(1).remove(0);
    let info = server.run(&["info"]);
    assert!(info.stdout.contains("builders (1 of 1)") && info.stdout.contains(&vm), "{info:?}");
    assert_eq!(server.json(&["info"])["vms"][0]["name"], vm);
    let provider = server.run(&["provider", "show", "cloud"]);
    assert!(provider.stdout.contains("1/5 vms"), "{provider:?}");
    assert_eq!(server.json(&["provider", "ls"])["providers"][0]["name"], "cloud");
    assert_fails(&server.run(&["provider", "accept-loss", "cloud"]), exit::REFUSED, &["no loss to accept"]);
}

#[test]
fn a_held_vm_is_neither_given_nor_destroyed_until_it_is_given_up() {
    let place = Place::new();
    let setup = place.setup(2);
    let server = place.start(&setup);
    let held = server.ready(2).remove(0);
    let words = ["hold", &held, "--reason", "flaky disk", "--time", "4h", "--by", "ada"];
    assert_eq!(server.run(&words).code, Some(0));
    let shown = server.json(&["vm", "show", &held]);
    assert_eq!(
        (text(&shown, "state").as_str(), text(&shown["hold"], "reason").as_str()),
        ("held", "flaky disk")
    );
    assert!(text(&shown["hold"], "by").starts_with("ada (uid:"), "{shown}");
    let lease = server.acquire(&[]);
    assert_ne!(text(&lease, "vm"), held);

    // What is leased is held when its lease ends.
    let leased = text(&lease, "vm");
    assert_eq!(server.run(&["hold", &leased]).code, Some(0));
    assert_eq!(server.json(&["vm", "show", &leased])["state"], "in_use");
    assert_eq!(server.run(&["release", &text(&lease, "id")]).code, Some(0));
    wait_for("the VM to be held", || {
        (server.json(&["vm", "show", &leased])["state"] == "held").then_some(())
    })
    .unwrap();

    server.daemon.kill().unwrap();
    let server = place.start(&setup);
    assert_eq!(server.json(&["vm", "ls", "--state", "held"])["vms"].as_array().unwrap().len(), 2);
    assert_eq!(server.run(&["unhold", &held]).code, Some(0));
    wait_for("the VM to be ready again", || {
        (server.json(&["vm", "show", &held])["state"] == "ready").then_some(())
    })
    .unwrap();
    assert_fails(&server.run(&["unhold", &held]), exit::REFUSED, &[&held]);
}
