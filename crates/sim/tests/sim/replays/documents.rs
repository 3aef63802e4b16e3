//! Whole documents of VMs that were made alike.

use vmpool_driver::Operation;
use vmpool_dummy::Fault;
use vmpool_opennebula::rpc::Call;

use super::{calls::new_world, compare::same_but_for, recordings::Recording};
use crate::world::World;

/// What tells one VM from another that was made alike.
const OWN: [&str; 7] = ["ID", "OID", "VMID", "IP", "MAC", "TARGET", "PARENT_ID"];

/// The recordings that are compared here.
pub(super) const NAMES: [&str; 5] = [
    "one.vm.info.boot_failure",
    "one.vm.info.done",
    "one.vm.info.ok.in_PENDING",
    "one.vm.info.sched-terminate",
    "one.vm.info.special-xml",
];

fn made(world: &World, name: &str, is_on_hold: bool) -> i32 {
    let template = format!("NAME={name}\nCPU=0.1\nMEMORY=64\nDISK=[IMAGE_ID=0]\nNIC=[NETWORK_ID=0]");
    world.id(Call::new("one.vm.allocate").with(template).with(is_on_hold))
}

fn deployed(world: &World) -> i32 {
    let id = made(world, "f", true);
    world.call(Call::new("one.vm.deploy").with(id).with(0)).unwrap();
    world.pass(2);
    id
}

/// Makes the VM of a recording.
fn vm(world: &World, name: &str) -> i32 {
    match name {
        "one.vm.info.boot_failure" => {
            world.sim.nodes().fail_next(Operation::Create, Fault::BootFailure);
            deployed(world)
        }
        "one.vm.info.done" => {
            let id = deployed(world);
            world.act("terminate", id).unwrap();
            world.pass(2);
            id
        }
        "one.vm.info.ok.in_PENDING" => made(world, "mx", false),
        "one.vm.info.sched-terminate" => {
            let action = "SCHED_ACTION=[ACTION=\"terminate-hard\",TIME=\"+3600\"]";
            let template = format!("NAME=pool-deadman\nCPU=0.1\nMEMORY=64\nPOOL_KEY=k-9\n{action}");
            world.id(Call::new("one.vm.allocate").with(template).with(true))
        }
        _ => {
            world.send("one.vm.allocate.special-xml");
            0
        }
    }
}

#[test]
fn documents_of_vms_have_all_that_those_of_the_real_server_have() {
    for name in NAMES {
        let world = new_world();
        let id = vm(&world, name);
        let call = Call::new("one.vm.info").with("oneadmin:opennebula").with(id);
        let answer = world.sim.answer(call.to_xml().as_bytes());
        let difference = same_but_for(&OWN, &answer, &Recording::named(name).response());
        assert_eq!(difference, Ok(()), "{name}");
    }
}
