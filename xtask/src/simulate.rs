//! Random histories of the manager, and a busy farm, optimized.

use crate::cargo;
use crate::console::say;
use crate::error::Error;

/// How many seeds are lived through between two lines of progress.
const PART: u64 = 2_500;

/// Runs the test that lives through seeds; what it reads from its environment says which.
const TEST: &[&str] = &[
    "test",
    "--quiet",
    "--profile",
    "simulate",
    "--package",
    "vmpool-manager",
    "--test",
    "simulate",
    "whatever_happens",
    "--",
    "--nocapture",
];

/// Lives through many seeds, and says how far it is.
pub(crate) fn many(from: u64, seeds: u64) -> Result<(), Error> {
    let end = from.saturating_add(seeds);
    let mut next = from;
    while next < end {
        let part = PART.min(end - next);
        cargo::run(TEST, &[("FROM", &next.to_string()), ("SEEDS", &part.to_string())])?;
        next += part;
        say(&format!("{} of {seeds} seeds: nothing was broken", next - from));
    }
    Ok(())
}

/// Lives through one seed, and tells what happened: all of it, or how it ended.
pub(crate) fn one(seed: u64, trace: bool) -> Result<(), Error> {
    let seed = seed.to_string();
    let which = if trace { "SEED" } else { "FROM" };
    cargo::run(TEST, &[(which, &seed), ("SEEDS", "1")])
}

/// Runs the test that lives through the busy time of a farm; what it reads from its environment says how large that is.
const FARM: &[&str] = &[
    "test",
    "--quiet",
    "--profile",
    "simulate",
    "--package",
    "vmpool-manager",
    "--test",
    "farm",
    "a_busy_farm",
    "--",
    "--nocapture",
];

/// Lives through the busy time of a farm, and tells what it took.
pub(crate) fn farm(vms: u32, pools: u32, hours: f64, seed: u64) -> Result<(), Error> {
    let (vms, pools, hours, seed) = (vms.to_string(), pools.to_string(), hours.to_string(), seed.to_string());
    cargo::run(FARM, &[("VMS", &vms), ("POOLS", &pools), ("HOURS", &hours), ("SEED", &seed)])
}
