//! The benches of the workspace.

use crate::cargo;
use crate::console::say;
use crate::error::Error;
use crate::tree;

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
