//! Runs that end the daemon again and again.

use crate::cargo;
use crate::error::Error;

/// Builds the daemon and the tool that ends it, and runs the tool with so many rounds.
///
/// Without optimization: fail points are in builds with debug assertions only.
///
/// The seed, printed by every run, lets the clients choose as they chose then.
pub(crate) fn run(rounds: u32, seed: Option<u64>) -> Result<(), Error> {
    // Both binaries: the tool starts the daemon that lies beside it.
    cargo::run(&["build", "--quiet", "--package", "vmpool-tests", "--bins"], &[])?;
    let rounds = rounds.to_string();
    let seed = seed.map(|seed| seed.to_string());
    let mut args = vec![
        "run",
        "--quiet",
        "--package",
        "vmpool-tests",
        "--bin",
        "vmpool-crash",
        "--",
        "--rounds",
        &rounds,
    ];
    if let Some(seed) = &seed {
        args.extend(["--seed", seed]);
    }
    cargo::run(&args, &[])
}
