//! What speaks to providers and looks at the host without a daemon: `vmpool node`, `vmpool provider check`, `vmpool doctor`.

use std::path::PathBuf;

use serde_json::Value;
use vmpool_api::exit;
use vmpool_tests::command::Ran;

use crate::support::{NOWHERE, Place, assert_fails, text, vmpool};

/// A configuration with a provider whose nodes last, and no daemon.
struct Files {
    place: Place,
    config: PathBuf,
}

impl Files {
    fn new() -> Self {
        let place = Place::new();
        let config = place.write("vmpool.toml", &place.setup(1).text());
        Self { place, config }
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        vmpool(NOWHERE, &[arguments, &["--config", self.config.to_str().unwrap()]].concat())
    }

    fn json(&self, arguments: &[&str]) -> Value {
        let ran = self.run(&[arguments, &["--output", "json"]].concat());
        assert_eq!(ran.code, Some(0), "{ran:?}");
        ran.json().unwrap()
    }
}

#[test]
fn a_node_without_a_pool_lives_and_dies_by_hand() {
    let files = Files::new();
    let made = files.json(&[
        "node",
        "create",
        "--template",
        "small",
        "--name",
        "web-1",
        "--label",
        "role=web",
        "--wait",
        "9s",
    ]);
    assert_eq!((text(&made, "name"), text(&made, "state")), ("web-1".to_owned(), "running".to_owned()));
    let id = text(&made, "id");
    for action in ["stop", "start", "reboot"] {
        let done = files.json(&["node", action, "web-1"]);
        assert_eq!((text(&done, "verb"), text(&done, "node")), (action.to_owned(), id.clone()));
    }
    assert_eq!(files.json(&["node", "show", &id])["extra"]["role"], "web");
    let listed = files.run(&["node", "ls", "--output", "jsonl"]);
    assert_eq!(listed.stdout.lines().count(), 1, "{listed:?}");
    assert_fails(&files.run(&["node", "destroy", "web-1"]), exit::USAGE, &["web-1", "hint: --yes"]);
    assert_eq!(files.json(&["node", "ls"])["nodes"].as_array().unwrap().len(), 1, "nobody said yes");
    assert_eq!(files.run(&["node", "destroy", "web-1", "--yes"]).code, Some(0));
    assert_fails(&files.run(&["node", "stop", "web-1"]), exit::NOT_FOUND, &["web-1", "cloud"]);
}

#[test]
fn a_name_that_two_nodes_have_is_refused_with_their_ids() {
    let files = Files::new();
    let make = || text(&files.json(&["node", "create", "--template", "small", "--name", "web-1"]), "id");
    let (one, other) = (make(), make());
    let refused = files.run(&["node", "destroy", "web-1", "--yes"]);
    assert_fails(&refused, exit::REFUSED, &[&format!("{one} and {other}"), "hint: give the id of one"]);
    assert_eq!(files.json(&["node", "ls"])["nodes"].as_array().unwrap().len(), 2);
}

#[test]
fn a_node_of_a_pool_is_shown_with_it_and_a_daemons_file_is_its_own() {
    let files = Files::new();
    let server = files.place.start(&files.place.setup(1));
    let vm = server.ready(1).remove(0);
    let busy = files.run(&["node", "ls"]);
    assert_fails(&busy, exit::PROVIDER, &["cloud", "hint: stop the daemon that uses it"]);
    assert!(server.daemon.stop().unwrap().success());
    let shown = files.run(&["node", "ls"]);
    assert!(shown.stdout.contains(&format!("pool builders, VM {vm}")), "{shown:?}");
    let ended = files.run(&["node", "destroy", &vm, "--yes"]);
    assert!(
        ended.stderr.contains(&format!("warning: node 1 belongs to pool builders, VM {vm}")),
        "{ended:?}"
    );
    assert!(ended.stderr.contains(&format!("`vmpool terminate {vm}`")), "{ended:?}");
}

#[test]
fn a_provider_that_works_passes_and_an_unknown_one_is_named() {
    let files = Files::new();
    let found = files.json(&["provider", "check", "cloud"]);
    let found = found["findings"].as_array().unwrap();
    assert!(found.len() == 3 && found.iter().all(|finding| finding["verdict"] == "ok"), "{found:?}");
    assert_fails(&files.run(&["provider", "check", "clod"]), exit::NOT_FOUND, &["clod", "cloud"]);
    let lonely = vmpool(NOWHERE, &["provider", "check", "--config", "no-such.toml"]);
    assert_fails(&lonely, exit::CONFIG, &["no-such.toml"]);
}

#[test]
fn the_doctor_says_what_to_do_and_fails_only_if_something_does_not_work() {
    let files = Files::new();
    let alone = files.json(&["doctor"]);
    let verdict = |found: &Value, what: &str| {
        let all = found["findings"].as_array().unwrap();
        let one = all.iter().find(|finding| finding["what"] == what);
        text(one.unwrap_or_else(|| panic!("{what} is not there: {found}")), "verdict")
    };
    assert_eq!(verdict(&alone, "daemon"), "warn", "no daemon is no failure before the first start");
    for what in ["configuration", "state directory", "cloud: login"] {
        assert_eq!(verdict(&alone, what), "ok");
    }
    let server = files.place.start(&files.place.setup(1));
    let beside = server.json(&["doctor", "--config", files.config.to_str().unwrap()]);
    assert_eq!(verdict(&beside, "daemon"), "ok", "{beside}");
    assert_eq!(verdict(&beside, "cloud: login"), "ok", "the daemon uses it: {beside}");
    let broken = vmpool(NOWHERE, &["doctor", "--config", "no-such.toml"]);
    assert_eq!(broken.code, Some(i32::from(exit::FAILURE)), "{broken:?}");
    assert!(broken.stdout.contains("fail") && broken.stdout.contains("→ "), "{broken:?}");
}

#[test]
fn colors_come_only_when_wanted() {
    let files = Files::new();
    let plain = files.run(&["node", "ls"]);
    assert!(!plain.stdout.contains('\u{1b}'), "{plain:?}");
    assert!(files.run(&["node", "ls", "--color", "always"]).stdout.contains("\u{1b}[1m"));
    let wrong = files.run(&["node", "show", "7", "--color", "always"]);
    assert!(wrong.stderr.starts_with("\u{1b}[1;31merror:\u{1b}[0m"), "{wrong:?}");
}
