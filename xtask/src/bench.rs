//! The benches of the workspace.

mod report;

use crate::cargo;
use crate::console::say;
use crate::error::Error;
use crate::python;
use crate::tree;

/// A comparison with others, whose tables stand in docs/benchmarks.md.
struct Comparison {
    name: &'static str,
    package: &'static str,
    bench: &'static str,
    /// What the bench is told.
    args: &'static [&'static str],
}

/// The comparisons, by name.
const COMPARISONS: &[Comparison] = &[
    Comparison { name: "cloudapi", package: "vmpool-cloudapi", bench: "listing", args: &["--peers"] },
    Comparison { name: "gc3libs", package: "vmpool-store", bench: "vm_pool", args: &[] },
    Comparison { name: "libcloud", package: "vmpool-dummy", bench: "libcloud", args: &["--peers"] },
    Comparison { name: "opennebula", package: "vmpool-opennebula", bench: "listing", args: &["--peers"] },
    Comparison { name: "service", package: "vmpool-tests", bench: "service", args: &["--all"] },
    Comparison { name: "store", package: "vmpool-store", bench: "size", args: &["--peers"] },
];

/// What a browser makes of the dashboard.
const DASHBOARD: &str = "dashboard";

/// Returns the names of what is written into the report: the comparisons, and the dashboard.
pub(crate) fn comparisons() -> impl Iterator<Item = &'static str> {
    COMPARISONS.iter().map(|comparison| comparison.name).chain([DASHBOARD])
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
    for Comparison { package, bench, args, .. } in COMPARISONS.iter().filter(|known| known.name == name) {
        let command = [&["bench", "--package", package, "--bench", bench, "--"], *args].concat();
        report::write(name, &cargo::capture(&command)?)?;
    }
    Ok(())
}
