//! A provider that leaves the configuration, by a reload or while the daemon is down, seen from outside.

use std::fs;

use serde_json::Value;
use vmpool_tests::{setup::Setup, wait::wait_for};

use crate::support::{Place, Server, text};

/// The same pool at another provider, with the one there was or without.
fn moved(place: &Place, keeps: bool) -> Setup {
    let setup = place.setup(2);
    let setup = match keeps {
        true => setup,
        false => setup.without("providers.cloud"),
    };
    setup
        .with("providers.attic.driver", "dummy")
        .with("providers.attic.list_interval", "200ms")
        .with("pools.builders.provider", "attic")
}

fn vms(server: &Server) -> Vec<Value> {
    server.json(&["vm", "ls"])["vms"].as_array().unwrap().clone()
}

fn providers(server: &Server) -> Vec<String> {
    let providers = server.json(&["provider", "ls"]);
    providers["providers"].as_array().unwrap().iter().map(|provider| text(provider, "name")).collect()
}

#[test]
fn a_provider_that_a_reload_removes_is_emptied_and_then_gone() {
    let place = Place::new();
    let server = place.start(&place.setup(2));
    server.ready(2);
    let lease = server.acquire(&[]);
    fs::write(place.path("vmpool.toml"), moved(&place, false).text()).unwrap();
    assert_eq!(server.json(&["reload"])["removed"][0], "providers.cloud");
    wait_for("the idle VM to go and one to come elsewhere", || {
        let at: Vec<_> = vms(&server).iter().map(|vm| text(vm, "provider")).collect();
        (at.len() == 2 && at.iter().any(|at| at == "attic")).then_some(())
    })
    .unwrap();
    assert_eq!(providers(&server), ["attic", "cloud"]);
    let shown = server.json(&["provider", "show", "cloud"]);
    assert_eq!(shown["limit"]["kind"], "provider_retired", "{shown}");
    assert!(shown["retired_at"].is_string() && shown["nodes"] == 1, "{shown}");

    assert_eq!(server.run(&["renew", &text(&lease, "id")]).code, Some(0));
    assert_eq!(server.run(&["release", &text(&lease, "id")]).code, Some(0));
    wait_for("the provider to go", || (providers(&server) == ["attic"]).then_some(())).unwrap();
    assert!(server.ready(2).iter().all(|vm| *vm != text(&lease, "vm")));
}

#[test]
fn a_provider_that_comes_back_by_a_reload_goes_on_with_its_vms() {
    let place = Place::new();
    let server = place.start(&place.setup(1));
    server.ready(1);
    let lease = server.acquire(&[]);
    fs::write(place.path("vmpool.toml"), moved(&place, false).text()).unwrap();
    server.json(&["reload"]);
    fs::write(place.path("vmpool.toml"), moved(&place, true).text()).unwrap();
    assert_eq!(server.json(&["reload"])["added"][0], "providers.cloud");
    let vm = server.json(&["vm", "show", &text(&lease, "vm")]);
    assert_eq!((&vm["state"], &vm["suspect"]), (&"in_use".into(), &Value::Null));
    let shown = server.json(&["provider", "show", "cloud"]);
    assert!(shown["retired_at"].is_null() && shown["limit"].is_null(), "{shown}");
}

#[test]
fn a_pool_that_a_start_misses_is_shown_like_any_other_and_its_leases_end_as_it_promised() {
    let place = Place::new();
    let setup = place.setup(2).with_pool("other", 1).with("pools.builders.on_expiry", "hold");
    let server = place.start(&setup);
    server.ready(2);
    let lease = server.acquire(&["--ttl", "2s"]);
    server.daemon.kill().unwrap();

    let server = place.start(&setup.without("pools.builders"));
    for words in [&["pool", "ls"][..], &["pool", "show", "builders"], &["vm", "ls", "--pool", "builders"]] {
        let shown = server.run(words);
        assert!(shown.code == Some(0) && shown.stdout.contains("builders"), "{shown:?}");
    }
    assert_eq!(server.json(&["pool", "show", "builders"])["retired"], true);
    server.wait_for_event("lease_expired", &text(&lease, "id"));
    let vm = server.json(&["vm", "show", &text(&lease, "vm")]);
    assert_eq!(
        (text(&vm, "state").as_str(), text(&vm["hold"], "reason").as_str()),
        ("held", "its lease expired")
    );
    assert_eq!(server.run(&["drain", "builders"]).code, Some(0));
}

#[test]
fn what_a_start_cannot_reach_is_told_everywhere_and_can_be_forgotten_or_reached_again() {
    let place = Place::new();
    let server = place.start(&place.setup(2));
    server.ready(2);
    let lease = server.acquire(&[]);
    let setup = moved(&place, false);
    fs::write(place.path("vmpool.toml"), setup.text()).unwrap();
    server.json(&["reload"]);
    server.daemon.kill().unwrap();

    let server = place.start(&setup.with("pools.builders.max_total", 2));
    let advice = "configure it again, or forget";
    let log = server.daemon.logged();
    assert_eq!(log.matches("provider cloud is not configured any more but").count(), 1, "{log}");
    let vm = server.json(&["vm", "show", &text(&lease, "vm")]);
    for key in ["suspect", "problem"] {
        assert!(
            text(&vm, key).starts_with("its provider cloud is not configured: configure it again"),
            "{vm}"
        );
    }
    assert_eq!(server.run(&["release", &text(&lease, "id")]).code, Some(0));
    let pools = server.run(&["pool", "ls"]);
    assert!(pools.stdout.contains(advice), "{pools:?}");
    let stuck = server.run(&["events", "--output", "json"]);
    assert!(stuck.stdout.lines().any(|line| line.contains("vm_stuck") && line.contains(advice)), "{stuck:?}");
    let waits = server.run(&["acquire", "builders", "--wait", "0s"]);
    assert!(waits.stderr.contains("at a provider that is not configured (cloud)"), "{waits:?}");

    let stranded: Vec<_> =
        vms(&server).iter().filter(|vm| text(vm, "provider") == "cloud").cloned().collect();
    let forgotten = text(&stranded[0], "name");
    assert_eq!(server.run(&["forget", &forgotten, "--reason", "the rack burned"]).code, Some(0));
    wait_for("a VM to come elsewhere", || {
        vms(&server).iter().any(|vm| text(vm, "provider") == "attic").then_some(())
    })
    .unwrap();

    // The node of the one that was forgotten belongs to nobody then, and is destroyed as such.
    fs::write(place.path("vmpool.toml"), moved(&place, true).text()).unwrap();
    server.json(&["reload"]);
    wait_for("the nodes of the old provider to go", || {
        (server.json(&["provider", "show", "cloud"])["nodes"] == 0).then_some(())
    })
    .unwrap();
    wait_for("the pool to have no problem", || {
        server.json(&["pool", "show", "builders"])["problem"].is_null().then_some(())
    })
    .unwrap();
    server.ready(2);
}
