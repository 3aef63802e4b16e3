//! Listings with every filter, range and state, over the VMs that the real server had.

use vmpool_opennebula::rpc::{Call, Value};

use super::{
    calls::new_world,
    compare::same,
    recordings::{Recording, recordings},
};
use crate::world::World;

/// Listings by another method that are replayed here, too.
const OTHERS: [&str; 6] = [
    "one.vmpool.info",
    "one.vmpool.infoset",
    "one.vmpool.infoset.empty",
    "one.vmpool.infoset.garbage",
    "one.vmpool.infoset.missing",
    "one.vmpool.infoextended.keyval",
];

/// Returns whether a recording is a listing of the VMs that are made here.
pub(super) fn is_one(recording: &Recording) -> bool {
    let kinds = ["alice.", "filter_", "keyval", "range_", "state_"];
    let of_info = recording.name.strip_prefix("one.vmpool.info.");
    OTHERS.contains(&recording.name.as_str())
        || of_info.is_some_and(|rest| kinds.iter().any(|kind| rest.starts_with(kind)))
}

/// Makes the twelve VMs, as they were made.
fn twelve_vms() -> World {
    let world = new_world();
    world.send("one.template.allocate");
    for name in ["one.template.instantiate", "one.template.instantiate.3args"] {
        let mut call = Call::parse(&Recording::named(name).request(), 1 << 20).unwrap();
        // A new simulated server has two templates already.
        call.params[1] = Value::Int(2);
        assert!(world.sim.answer(call.to_xml().as_bytes()).contains("<boolean>1</boolean>"));
    }
    for name in ["hold", "", "1arg", "hold", "noname", "xmltemplate", "special-xml"] {
        world.send(format!("one.vm.allocate.{name}").trim_end_matches('.'));
    }
    world.send("auth.alice-allocate");
    world.send("auth.alice-allocate-2");
    let template = "NAME=bob-1\nCPU=0.1\nMEMORY=64";
    world.call_as("bob:secret", Call::new("one.vm.allocate").with(template).with(true)).unwrap();
    world.call(Call::new("one.vm.deploy").with(3).with(1)).unwrap();
    world.pass(5);
    for name in [
        "one.vm.migrate.3args",
        "one.vm.resize.running",
        "one.vm.disksnapshotcreate",
        "one.vm.disksnapshotcreate.2",
        "one.vm.rename.dup",
    ] {
        world.send(name);
        world.pass(5);
    }
    world
}

#[test]
fn listings_with_every_filter_range_and_state_are_those_of_the_real_server() {
    let world = twelve_vms();
    let mut wrong = Vec::new();
    let mut count = 0;
    let mut compare = |is_wanted: fn(&Recording) -> bool| {
        for recording in recordings().iter().filter(|recording| is_one(recording) && is_wanted(recording)) {
            count += 1;
            if let Err(difference) = same(&world.sim.answer(&recording.request()), &recording.response()) {
                wrong.push(format!("{}: {difference}", recording.name));
            }
        }
    };
    // She listed her VMs before she ended one of them.
    compare(|recording| recording.name.contains(".alice."));
    world.send("auth.alice-terminate");
    compare(|recording| !recording.name.contains(".alice."));
    assert!(wrong.is_empty(), "{} of {count}:\n{}", wrong.len(), wrong.join("\n"));
    assert_eq!(count, 54);
}
