//! What the tests share: the binary under test, and a daemon of it.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use serde_json::Value;
use tempfile::TempDir;
use vmpool_tests::{
    command::{Ran, prepare, run},
    daemon::Daemon,
    setup::Setup,
    wait::wait_for,
};

/// The binary under test.
pub(crate) const VMPOOL: &str = env!("CARGO_BIN_EXE_vmpool-under-test");

/// An address at which nobody listens.
pub(crate) const NOWHERE: &str = "http://127.0.0.1:1";

/// Runs the binary against a daemon to its end.
pub(crate) fn vmpool(url: &str, arguments: &[&str]) -> Ran {
    run(Path::new(VMPOOL), url, arguments).unwrap()
}

/// Asserts that a run failed with an exit code, wrote nothing but an error that contains `parts`, and one hint at most.
pub(crate) fn assert_fails(ran: &Ran, code: u8, parts: &[&str]) {
    assert_eq!(ran.code, Some(i32::from(code)), "{ran:?}");
    assert_eq!(ran.stdout, "", "{ran:?}");
    let count = |prefix: &str| ran.stderr.lines().filter(|line| line.starts_with(prefix)).count();
    assert_eq!(count("error: "), 1, "{ran:?}");
    assert!(count("hint: ") <= 1 && !ran.stderr.contains("panicked"), "{ran:?}");
    for part in parts {
        assert!(ran.stderr.contains(part), "{part:?} is missing: {ran:?}");
    }
}

/// A folder with the files of a daemon.
pub(crate) struct Place {
    folder: TempDir,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Returns the configuration of a pool `builders` of so many VMs.
    pub(crate) fn setup(&self, size: i64) -> Setup {
        Setup::new(&self.path("state"), size)
    }

    /// Writes a configuration and returns its path.
    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        fs::write(self.path(name), text).unwrap();
        self.path(name)
    }

    /// Starts a daemon.
    pub(crate) fn start(&self, setup: &Setup) -> Server {
        let config = self.write("vmpool.toml", &setup.text());
        let daemon = Daemon::start(Path::new(VMPOOL), &config, &self.path("daemon.log")).unwrap();
        Server { daemon }
    }

    /// Runs `vmpool serve`, which is expected to fail.
    pub(crate) fn serve(&self, text: &str) -> Ran {
        let config = self.write("bad.toml", text);
        vmpool(NOWHERE, &["serve", "--config", config.to_str().unwrap()])
    }
}

/// A daemon, and what its clients say to it.
pub(crate) struct Server {
    pub(crate) daemon: Daemon,
}

impl Server {
    /// Runs a client to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        vmpool(self.daemon.url(), arguments)
    }

    /// Runs a client that must succeed, and reads what it printed as JSON.
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        let ran = self.run(&[&["--output", "json"], arguments].concat());
        assert_eq!(ran.code, Some(0), "{ran:?}; the daemon's log:\n{}", self.daemon.logged());
        ran.json().unwrap()
    }

    /// Acquires a VM of `builders` and returns the lease.
    pub(crate) fn acquire(&self, arguments: &[&str]) -> Value {
        self.json(&[&["acquire", "builders", "--wait", "20s"], arguments].concat())["lease"].take()
    }

    /// Returns the ids of all leases.
    pub(crate) fn leases(&self) -> Vec<String> {
        let leases = self.json(&["lease", "ls"]);
        leases["leases"].as_array().unwrap().iter().map(|lease| text(lease, "id")).collect()
    }

    /// Waits until so many VMs of `builders` are ready, and returns their names.
    pub(crate) fn ready(&self, count: usize) -> Vec<String> {
        wait_for(&format!("{count} ready VMs"), || {
            let vms = self.json(&["vm", "ls", "--pool", "builders", "--state", "ready"]);
            let vms = vms["vms"].as_array().unwrap();
            let names: Vec<String> = vms.iter().map(|vm| text(vm, "name")).collect();
            (names.len() == count).then_some(names)
        })
        .unwrap()
    }

    /// Waits until an event of a kind is about a lease.
    pub(crate) fn wait_for_event(&self, kind: &str, lease: &str) {
        wait_for(&format!("the event {kind} of lease {lease}"), || {
            let ran = self.run(&["events", "--output", "json"]);
            let about =
                |line: &str| line.contains(&format!("{kind:?}")) && line.contains(&format!("{lease:?}"));
            ran.stdout.lines().any(about).then_some(())
        })
        .unwrap();
    }

    /// Prepares a client that runs beside the test.
    pub(crate) fn prepare(&self, arguments: &[&str]) -> Command {
        let mut command = prepare(Path::new(VMPOOL), self.daemon.url(), arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Starts `vmpool acquire builders … -- sh -c SCRIPT` and waits until the script has printed its first line, which is
    /// returned.
    pub(crate) fn acquire_running(&self, arguments: &[&str], script: &str) -> (Child, String) {
        let command = ["--", "sh", "-c", script];
        let arguments = [&["acquire", "builders", "--wait", "20s"], arguments, &command].concat();
        let mut child = self.prepare(&arguments).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        (child, line.trim().to_owned())
    }
}

/// Returns a text of a JSON object.
pub(crate) fn text(object: &Value, key: &str) -> String {
    object[key].as_str().unwrap().to_owned()
}

/// Waits for the end of a client; its standard input stays open.
pub(crate) fn end(mut child: Child) -> Ran {
    let stdin = child.stdin.take();
    let ran = child.wait_with_output().unwrap().into();
    drop(stdin);
    ran
}
