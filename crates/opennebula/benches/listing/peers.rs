//! The same answer, read by others.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// A reader, and what it took.
pub struct Peer {
    pub name: String,
    pub milliseconds: f64,
    pub peak: f64,
}

/// Lets readers in Python read a file; each runs in a process of its own, some rounds one after the other.
pub fn read(body: &Path, rounds: usize) -> Vec<Peer> {
    let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("benches/listing/peers.py");
    let output = Command::new("python3")
        .arg(script)
        .arg(body)
        .arg(rounds.to_string())
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    assert!(output.status.success(), "the readers in Python failed");
    let lines = String::from_utf8(output.stdout).unwrap();
    lines
        .lines()
        .map(|line| {
            let mut columns = line.split('\t');
            let mut next = || columns.next().unwrap();
            let name = next().to_owned();
            Peer { name, milliseconds: next().parse().unwrap(), peak: next().parse().unwrap() }
        })
        .collect()
}

/// Returns the version of a package that this workspace is built with.
pub fn locked(package: &str) -> String {
    let lock = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../Cargo.lock");
    let lock = std::fs::read_to_string(lock).unwrap();
    let (_, rest) = lock.split_once(&format!("name = \"{package}\"\nversion = \"")).unwrap();
    rest.split('"').next().unwrap().to_owned()
}
