//! The demo.

use crate::support::{NOWHERE, Place, vmpool};

#[test]
fn the_demo_runs_twice_and_goes_on_from_where_it_was() {
    let place = Place::new();
    let state = place.path("demo");
    let arguments = ["demo", "--state-dir", state.to_str().unwrap()];
    let first = vmpool(NOWHERE, &arguments);
    assert_eq!(first.code, Some(0), "{first:?}");
    assert!(first.stdout.contains("there are no VMs yet"), "{first:?}");
    let second = vmpool(NOWHERE, &arguments);
    assert_eq!(second.code, Some(0), "{second:?}");
    let found =
        second.stdout.lines().find_map(|line| line.trim().strip_prefix("found 3 VMs from the earlier run: "));
    let last_step = first.stdout.split("\n4. ").nth(1).unwrap();
    let names: Vec<&str> = found.unwrap().split(", ").collect();
    assert!(names.len() == 3 && names.iter().all(|name| last_step.contains(name)), "{first:?} {second:?}");
}
