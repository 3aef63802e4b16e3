//! Simulated clouds as a new user tries them: what they print is pasted, and works.

use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
};

use vmpool_tests::{command::run, daemon::Daemon, wait::wait_for};

use crate::support::{Place, VMPOOL, vmpool};

/// A simulated cloud; dropping it ends it.
struct Sim(Child);

impl Drop for Sim {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts simulated clouds and returns what they print before they wait for ctrl-c.
fn start(arguments: &[&str], last: &str) -> (Sim, Vec<String>) {
    let mut child = Command::new(VMPOOL)
        .arg("sim")
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut printed = Vec::new();
    while !printed.iter().any(|line: &String| line.starts_with(last)) {
        let line = lines.next().ok_or_else(|| format!("{last} is not printed: {printed:?}"));
        printed.push(line.unwrap().unwrap());
    }
    (Sim(child), printed)
}

/// Pastes what is printed into a shell, up to the line that starts the daemon, and starts that on a free port.
fn paste(place: &Place, printed: &[String]) -> Daemon {
    let script = printed.iter().skip_while(|line| !line.starts_with("# a daemon"));
    let script: Vec<&str> =
        script.map(String::as_str).take_while(|line| !line.starts_with("vmpool serve")).collect();
    let script = script.join("\n").replace("[daemon]", "[daemon]\nlisten = \"127.0.0.1:0\"");
    let status = Command::new("sh").args(["-eu", "-c", &script]).current_dir(place.path(".")).status();
    assert!(status.unwrap().success(), "{script}");
    // The daemon is started where the files are, as it is in a terminal.
    let config = place.path("sim.toml");
    let text = std::fs::read_to_string(&config).unwrap();
    let key = place.path("sim.key").display().to_string();
    std::fs::write(&config, text.replace("\"sim.key\"", &format!("{key:?}"))).unwrap();
    Daemon::start(Path::new(VMPOOL), &config, &place.path("daemon.log")).unwrap()
}

/// Checks that every pool of a daemon gives a VM to a command.
fn serves(daemon: &Daemon, pools: &[&str]) {
    for pool in pools {
        let ran = vmpool(
            daemon.url(),
            &["acquire", pool, "--wait", "25s", "--", "sh", "-c", "echo at $VMPOOL_ADDRESS"],
        );
        assert_eq!(ran.code, Some(0), "{ran:?}\n{}", daemon.logged());
        assert!(ran.stdout.starts_with("at "), "{ran:?}");
    }
}

#[test]
fn what_both_simulated_clouds_print_is_pasted_and_keeps_a_pool_on_each() {
    let place = Place::new();
    let (_sim, printed) = start(
        &["both", "--opennebula-port", "0", "--cloudapi-port", "0", "--boot", "100ms", "--step", "20ms"],
        "npx triton instance list",
    );
    let daemon = paste(&place, &printed);
    serves(&daemon, &["one-small", "triton-small"]);
    let acquire = printed.iter().find_map(|line| line.strip_prefix("vmpool acquire ")).unwrap();
    assert!(acquire.starts_with("one-small,triton-small -- "), "{acquire}");
    let checked = run(
        Path::new(VMPOOL),
        daemon.url(),
        &["provider", "check", "--config", place.path("sim.toml").to_str().unwrap(), "--output", "json"],
    );
    let found = checked.unwrap().json().unwrap();
    let all = found["findings"].as_array().unwrap();
    let version = |what: &str| all.iter().find(|one| one["what"] == what).map(|one| one["found"].clone());
    assert_eq!(version("one: version"), Some("6.10.0".into()), "{found}");
    assert!(all.len() == 8 && version("triton: version").is_some(), "{found}");
    assert!(all.iter().all(|one| one["verdict"] == "ok"), "{found}");
    let listed = vmpool(
        daemon.url(),
        &["node", "ls", "--provider", "one", "--config", place.path("sim.toml").to_str().unwrap()],
    );
    assert!(listed.stdout.contains("pool one-small, VM one-small-"), "{listed:?}");
}

#[test]
fn what_each_simulated_cloud_prints_is_pasted_and_keeps_a_pool() {
    for (arguments, last) in [
        (&["opennebula", "--port", "0", "--boot", "100ms", "--step", "20ms"][..], "python3 -c"),
        (&["cloudapi", "--port", "0", "--boot", "100ms", "--step", "20ms"], "npx triton instance list"),
    ] {
        let place = Place::new();
        let (_sim, printed) = start(arguments, last);
        let daemon = paste(&place, &printed);
        serves(&daemon, &["small"]);
    }
}

#[test]
fn a_provider_that_is_down_or_refuses_is_told_with_what_to_do() {
    let place = Place::new();
    let (sim, printed) = start(&["opennebula", "--port", "0"], "python3 -c");
    let endpoint = printed[0].strip_prefix("listening on ").unwrap();
    let config = |auth: &str| {
        let text = format!(
            "[daemon]\nallow_clear_secrets = true\n[providers.one]\ndriver = \"opennebula\"\nrequest_timeout = \"2s\"\n\
             options = {{ endpoint = {endpoint:?}, auth = {auth:?} }}\n"
        );
        place.write("one.toml", &text).display().to_string()
    };
    let check = |auth: &str| vmpool("", &["provider", "check", "--config", &config(auth)]);
    assert_eq!(check("oneadmin:opennebula").code, Some(0));
    let wrong = check("oneadmin:hunter2");
    assert_eq!(wrong.code, Some(i32::from(vmpool_api::exit::PROVIDER)), "{wrong:?}");
    assert!(
        wrong.stdout.contains("fail") && wrong.stdout.contains("check name, key or password"),
        "{wrong:?}"
    );
    assert!(!wrong.stdout.contains("hunter2") && !wrong.stderr.contains("hunter2"), "{wrong:?}");
    drop(sim);
    let down = wait_for("the cloud to be down", || {
        let down = check("oneadmin:opennebula");
        (down.code != Some(0)).then_some(down)
    });
    assert!(down.unwrap().stdout.contains("that the provider is up"), "what to do is missing");
}
