//! When the disk of a daemon is full, it shows what there is, takes VMs back, and leases none (F11).

use std::{env, fs, io::Write as _, path::Path, process::Command};

use vmpool_api::exit;
use vmpool_tests::wait::wait_for;

use crate::support::{Place, assert_fails, text};

/// Set in the child, which has a small disk for its temporary files.
const CHILD: &str = "VMPOOL_TEST_SMALL_DISK";

/// What the child prints at its end.
const DONE: &str = "went on after there was room";

/// Writes until the disk takes no more.
fn fill(path: &Path) {
    let mut file = fs::File::create(path).unwrap();
    for size in [1 << 20, 4096, 1] {
        while file.write_all(&vec![1; size]).is_ok() {}
    }
}

/// Does nothing unless [`CHILD`] is set.
#[test]
fn on_a_small_disk() {
    if env::var_os(CHILD).is_none() {
        return;
    }
    let place = Place::new();
    let server = place.start(&place.setup(2));
    let first = text(&server.acquire(&[]), "id");
    let second = text(&server.acquire(&[]), "id");
    let filler = place.path("filler");
    fill(&filler);

    // Whoever is first to find no room is told so; then there is the room that was set aside.
    let failed = (0..1000).map(|_| server.run(&["renew", &first])).find(|ran| ran.code != Some(0)).unwrap();
    assert_fails(&failed, exit::STORE, &["the records could not be written", "make room"]);
    let refused = wait_for("a store that goes on", || {
        let refused = server.run(&["acquire", "builders", "--wait", "1s"]);
        assert_eq!(refused.code, Some(i32::from(exit::STORE)), "{refused:?}");
        refused.stderr.contains("the disk of the records is full").then_some(refused)
    });
    assert_fails(&refused.unwrap(), exit::STORE, &["try again later"]);
    for lease in [first, second] {
        let shown = server.run(&["lease", "ls"]);
        assert!(shown.code == Some(0) && shown.stdout.contains(&lease), "{shown:?}");
        let ran = server.run(&["release", &lease]);
        assert_eq!(ran.code, Some(0), "{ran:?}");
    }
    assert_eq!(server.leases(), [""; 0]);
    let wide = server.run(&["pool", "ls", "--output", "wide"]);
    assert!(wide.stdout.contains("the disk of the records is full"), "{wide:?}");

    fs::remove_file(&filler).unwrap();
    server.ready(2);
    server.acquire(&[]);
    println!("{DONE}");
}

#[test]
fn f11_a_daemon_on_a_full_disk_shows_what_there_is_and_takes_vms_back() {
    if env::var_os("VMPOOL_TEST_WITHOUT_NAMESPACES").is_some() {
        println!("left out: it mounts a small disk in a namespace of its own");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let script = "mount -t tmpfs -o size=64m none \"$TMPDIR\" && exec \"$0\" \"$@\"";
    let mut command = Command::new("unshare");
    command.args(["--user", "--map-root-user", "--mount", "sh", "-c", script]);
    command.arg(env::current_exe().unwrap()).args(["--exact", "full_disk::on_a_small_disk", "--nocapture"]);
    let output = command.env("TMPDIR", dir.path()).env(CHILD, "1").output().unwrap();
    let told = [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
    assert!(
        output.status.success() && told[0].contains(DONE),
        "{}\n{}\nIt needs `unshare --user --mount`; VMPOOL_TEST_WITHOUT_NAMESPACES=1 leaves it out.",
        told[0],
        told[1]
    );
}
