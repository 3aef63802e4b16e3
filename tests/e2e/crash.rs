//! A short crash run; `cargo xtask crash` makes long ones.

use vmpool_tests::crash::{Plan, run};

use crate::support::{Place, VMPOOL};

#[test]
fn five_kills_lose_nothing_that_was_acknowledged_and_leak_no_vm() {
    let place = Place::new();
    let plan = Plan { program: VMPOOL.into(), folder: place.path("crash"), rounds: 5, clients: 6, seed: 17 };
    let report = run(&plan).unwrap();
    assert!(report.violations.is_empty(), "{report}");
    // A run in which nothing happened shows nothing.
    assert!(10 < report.acquires && 5 < report.releases && 6 < report.created, "{report}");
}
