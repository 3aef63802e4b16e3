//! A short crash run, of each kind and each durable step once; `cargo xtask crash` makes long ones.

use std::process::Command;

use crate::support::Place;

#[test]
fn whatever_ends_the_daemon_nothing_acknowledged_is_lost_and_no_vm_leaks() {
    let place = Place::new();
    let folder = place.path("crash");
    let mut command = Command::new(env!("CARGO_BIN_EXE_vmpool-crash"));
    command.args(["--each-once", "--clients", "6", "--seed", "17", "--folder"]).arg(folder);
    let output = command.output().unwrap();
    let [told, errors] =
        [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
    println!("{told}{errors}");
    assert!(output.status.success(), "{told}{errors}");
    // A run in which nothing happened shows nothing.
    let ended = told.lines().filter(|line| line.starts_with("| `") && line.ends_with("| 1 |")).count();
    assert!(20 < ended, "only {ended} daemons ended at their step:\n{told}");
}
