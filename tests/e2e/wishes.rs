//! What an acquire may ask for: several VMs, several pools, labels, a priority.

use vmpool_api::exit;
use vmpool_tests::wait::wait_for;

use crate::support::{Place, Server, assert_fails, end, text};

/// Waits until so many requests wait for a VM of `builders`.
fn until_waiting(server: &Server, count: u64) {
    let waiting = || server.json(&["pool", "show", "builders"])["waiting"].as_u64();
    wait_for("requests that wait", || (waiting() == Some(count)).then_some(())).unwrap();
}

#[test]
fn several_vms_come_all_at_once_or_not_at_all() {
    let place = Place::new();
    let server = place.start(&place.setup(2));
    let one = text(&server.acquire(&[]), "id");
    let two = ["acquire", "builders", "--count", "2", "--request", "pair", "--wait", "300ms"];
    assert_fails(&server.run(&two), exit::NO_VM, &["builders"]);
    assert_eq!(server.leases(), [one.as_str()], "one of two was given");

    let child = server.prepare(&["acquire", "builders", "--count", "2", "--wait", "20s", "--output", "json"]);
    let child = { child }.spawn().unwrap();
    until_waiting(&server, 1);
    assert_eq!(server.run(&["release", &one]).code, Some(0));
    let ran = end(child);
    let leases = ran.json().unwrap()["leases"].take();
    assert_eq!(leases.as_array().unwrap().len(), 2, "{ran:?}");
    assert_ne!(leases[0]["vm"], leases[1]["vm"]);
    assert_eq!(leases[0]["request"], leases[1]["request"]);
    assert_fails(
        &server.run(&["acquire", "builders", "--count", "3"]),
        exit::USAGE,
        &["3 VMs at once are not possible"],
    );
}

#[test]
fn a_command_with_several_vms_is_told_all_and_gives_all_back() {
    let place = Place::new();
    let server = place.start(&place.setup(2));
    let script = "echo $VMPOOL_VMS $VMPOOL_ALL_ADDRESSES $VMPOOL_LEASES $VMPOOL_VM; exec cat >/dev/null";
    let (mut child, line) = server.acquire_running(&["--count", "2", "--ttl", "1s"], script);
    let words: Vec<Vec<&str>> = line.split(' ').map(|word| word.split(',').collect()).collect();
    assert_eq!(words.iter().map(Vec::len).collect::<Vec<_>>(), [2, 2, 2, 1], "{line}");
    assert_eq!(words[0][0], words[3][0]);
    let leases = || server.json(&["lease", "ls"])["leases"].take();
    let first = leases();
    wait_for("renewals of both", || {
        let now = leases();
        [0, 1]
            .iter()
            .all(|place| text(&first[place], "expires_at") < text(&now[place], "expires_at"))
            .then_some(())
    })
    .unwrap();
    drop(child.stdin.take());
    assert_eq!(end(child).code, Some(0));
    assert_eq!(server.leases(), [""; 0]);
}

#[test]
fn a_command_is_not_begun_with_fewer_vms_than_it_wanted() {
    let place = Place::new();
    let server = place.start(&place.setup(2));
    let words = ["acquire", "builders", "--count", "2", "--request", "pair", "--wait", "20s"];
    let leases = server.json(&words)["leases"].take();
    let (first, second) = (text(&leases[0], "id"), text(&leases[1], "id"));
    assert_eq!(server.run(&["release", &first]).code, Some(0));
    let again = server.run(&words);
    assert!(again.code == Some(0) && again.stdout.contains(&second), "{again:?}");
    let warning =
        format!("warning: the request was given lease {first} of VM {} too", text(&leases[0], "vm"));
    assert!(again.stderr.contains(&warning) && again.stderr.contains("it was released"), "{again:?}");
    assert_eq!(server.json(&words)["ended"][0]["id"], first.as_str());
    let ran = server.run(&[&words[..], &["--", "true"]].concat());
    assert_fails(&ran, exit::REFUSED, &[&first, "before the command could begin", "request pair"]);
    assert_eq!(server.leases(), [second], "whoever has it may use it");
}

#[test]
fn the_higher_priority_is_served_first_though_it_came_later() {
    let place = Place::new();
    let server = place.start(&place.setup(1));
    let lease = text(&server.acquire(&[]), "id");
    let wait = |request, priority| {
        let words = ["acquire", "builders", "--wait", "20s", "--request", request, "--priority", priority];
        server.prepare(&words).spawn().unwrap()
    };
    let low = wait("low", "-1");
    until_waiting(&server, 1);
    let high = wait("high", "5");
    until_waiting(&server, 2);
    assert_eq!(server.run(&["release", &lease]).code, Some(0));
    assert_eq!(end(high).code, Some(0));
    let served = server.json(&["lease", "ls"])["leases"].take();
    assert_eq!(served[0]["request"], "high", "{served}");
    assert_eq!(server.run(&["release", &text(&served[0], "id")]).code, Some(0));
    assert_eq!(end(low).code, Some(0));
}

#[test]
fn one_of_several_pools_serves_and_labels_choose_among_all() {
    let place = Place::new();
    let labels = |labels: &[&str]| toml::Value::Array(labels.iter().map(|label| (*label).into()).collect());
    let setup = place
        .setup(1)
        .with_pool("big", 1)
        .with("pools.builders.labels", labels(&["arch=x86_64"]))
        .with("pools.big.labels", labels(&["arch=x86_64", "ssd"]));
    let server = place.start(&setup);
    assert_eq!(
        text(&server.json(&["acquire", "--label", "ssd", "--label", "arch=x86_64"])["lease"], "pool"),
        "big"
    );
    let either = server.json(&["acquire", "big,builders", "--wait", "20s"])["lease"].take();
    assert_eq!(text(&either, "pool"), "builders", "big has none left");
    let ran = server.run(&["acquire", "--label", "gpu"]);
    assert_fails(&ran, exit::NOT_FOUND, &["gpu", "arch=x86_64, ssd"]);
    let ran = server.run(&["acquire", "builders", "--pool", "huge"]);
    assert_fails(&ran, exit::NOT_FOUND, &["there is no pool huge"]);
}

#[test]
fn processes_that_use_one_pool_at_once_never_share_a_vm() {
    let place = Place::new();
    let server = place.start(&place.setup(2));
    let used = place.path("used");
    std::fs::create_dir(&used).unwrap();
    // Making a directory that is there already fails, and with it the command.
    let script = format!("cd {} && mkdir $VMPOOL_VM && sleep 0.05 && rmdir $VMPOOL_VM", used.display());
    let words = ["acquire", "builders", "--wait", "30s", "--", "sh", "-c", &script];
    let all: Vec<_> = (0..8).map(|_| server.prepare(&words).spawn().unwrap()).collect();
    for child in all {
        let ran = end(child);
        assert_eq!(ran.code, Some(0), "{ran:?}");
    }
    assert_eq!(server.leases(), [""; 0]);
    assert_eq!(server.json(&["pool", "show", "builders"])["waiting"], 0);
}

#[test]
fn a_request_that_waits_is_explained_by_the_limit_that_binds_and_since_when() {
    let place = Place::new();
    let server = place.start(&place.setup(1));
    let lease = text(&server.acquire(&[]), "id");
    let words = ["acquire", "builders", "--wait", "60s", "--request", "build-17"];
    let child = server.prepare(&words).spawn().unwrap();
    until_waiting(&server, 1);
    let explained = server.json(&["explain", "build-17"]);
    let limit = &explained["limits"][0];
    assert_eq!(
        (text(limit, "kind").as_str(), text(limit, "pool").as_str()),
        ("pool_full", "builders"),
        "{explained}"
    );
    assert_eq!(explained["position"], 1);
    assert!(text(&explained["request"], "submitted_at") <= text(limit, "since"));
    let shown = server.run(&["explain", "build-17"]);
    assert!(shown.stdout.contains("builders: the pool has 1 VMs, and max_total is 1, since 2"), "{shown:?}");
    let listed = server.run(&["request", "ls"]);
    assert!(listed.stdout.contains("max_total is 1"), "{listed:?}");

    assert_eq!(server.run(&["release", &lease]).code, Some(0));
    assert_eq!(end(child).code, Some(0));
    let served = server.json(&["explain", "build-17"]);
    assert_eq!(
        (&served["request"]["status"], &served["limits"]),
        (&"granted".into(), &serde_json::json!([]))
    );
    assert_fails(&server.run(&["explain", "build-18"]), exit::NOT_FOUND, &["build-18"]);
}

#[test]
fn a_full_pool_says_so_and_a_request_is_told_when_it_is_likely_to_be_served() {
    let place = Place::new();
    let server = place.start(&place.setup(1));
    // How long leases last and VMs take is known once there was one; of a lease that lasts longer nothing is told.
    let words = ["acquire", "builders", "--wait", "30s", "--", "sleep", "8"];
    assert_eq!(server.run(&words).code, Some(0));
    let lease = text(&server.acquire(&[]), "id");
    let words = ["acquire", "builders", "--wait", "60s", "--request", "build-17"];
    let child = server.prepare(&words).spawn().unwrap();
    until_waiting(&server, 1);
    let pool = server.json(&["pool", "show", "builders"]);
    assert_eq!(text(&pool["limits"][0], "kind"), "pool_full", "{pool}");
    let wide = server.run(&["pool", "ls", "--output", "wide"]);
    let parts = ["WANTED", "MIN READY", "the pool has 1 VMs, and max_total is 1"];
    assert!(parts.iter().all(|part| wide.stdout.contains(part)), "{wide:?}");
    let explained = server.json(&["explain", "build-17"]);
    assert!(text(&explained["request"], "submitted_at") < text(&explained, "likely_at"), "{explained}");
    let shown = server.run(&["explain", "build-17"]);
    assert!(shown.stdout.contains("likely served"), "{shown:?}");
    assert_eq!(server.run(&["release", &lease]).code, Some(0));
    assert_eq!(end(child).code, Some(0));
}
