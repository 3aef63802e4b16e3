//! The benches of the workspace.

mod report;

use crate::cargo;
use crate::console::say;
use crate::error::Error;
use crate::python;
use crate::tree;

/// The comparisons with others, by name: the package and its bench.
const COMPARISONS: [(&str, &str, &str); 2] =
    [("cloudapi", "vmpool-cloudapi", "listing"), ("opennebula", "vmpool-opennebula", "listing")];

/// What a browser makes of the dashboard.
const DASHBOARD: &str = "dashboard";

/// Returns the names of what is written into the report: the comparisons, and the dashboard.
pub(crate) fn comparisons() -> [&'static str; 3] {
    let [first, second] = COMPARISONS.map(|(name, ..)| name);
    [first, second, DASHBOARD]
}

/// Runs the benches, or compiles them only, and says where the results are.
pub(crate) fn run(compile_only: bool) -> Result<(), Error> {
    if compile_only {
        return cargo::run(&["bench", "--workspace", "--no-run"], &[]);
    }
    // By pattern, since the test harness of a library would take the benches' arguments amiss.
    cargo::run(&["bench", "--workspace", "--bench", "*"], &[])?;
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| tree::root().join("target"), Into::into);
    let results = target.join("criterion");
    say(&format!("results: {}/<bench>/new/estimates.json, compared with the run before", results.display()));
    Ok(())
}

/// Runs one comparison with others and writes its tables into docs/benchmarks.md.
pub(crate) fn compare(name: &str) -> Result<(), Error> {
    if name == DASHBOARD {
        // Whoever names a program measures that one, and the report says so.
        if std::env::var_os("VMPOOL_BINARY").is_none() {
            cargo::run(&["build", "--release", "--package", "vmpool-cli"], &[])?;
        }
        let tables = python::capture("tests/dashboard/run.py", &["--bench"])?;
        return report::write(name, &tables);
    }
    for (_, package, bench) in COMPARISONS.iter().filter(|(known, ..)| *known == name) {
        let tables = cargo::capture(&["bench", "--package", package, "--bench", bench, "--", "--peers"])?;
        report::write(name, &tables)?;
    }
    Ok(())
}
