//! Every action in every state, against the matrix that was measured on a real server.

use vmpool_model::states::opennebula::{LcmState, VmState};
use vmpool_opennebula::rpc::Call;

use crate::world::World;

const MATRIX: &str = include_str!("../opennebula-action-matrix.tsv");

/// The states of VMs that were never on a host.
const NEVER_DEPLOYED: [&str; 4] = ["CLONING", "CLONING_FAILURE", "PENDING", "HOLD"];

#[test]
fn every_action_in_every_state_is_taken_or_refused_as_by_the_real_server_and_leads_where_it_leads_there() {
    let mut rows = MATRIX.lines().map(|line| line.split('\t').collect::<Vec<_>>());
    let states = rows.next().unwrap();
    let mut wrong = Vec::new();
    let mut cells = 0;
    for row in rows {
        for (state, expected) in states.iter().zip(&row).skip(1) {
            // The preparation of one cell failed on the real server.
            if expected.starts_with("EXC") {
                continue;
            }
            cells += 1;
            let found = outcome(row[0], state, expected);
            if found != *expected {
                wrong.push(format!("{} in {state}: {found} instead of {expected}", row[0]));
            }
        }
    }
    assert_eq!(wrong, [""; 0]);
    assert_eq!(cells, 934);
}

/// Does what a row says to a VM in a state, and says what became of it in the words of the matrix.
fn outcome(row: &str, state: &str, expected: &str) -> String {
    let world = World::slow();
    let id = if NEVER_DEPLOYED.contains(&state) { world.held() } else { world.running() };
    let (vm_state, lcm) = match VmState::from_name(state) {
        Some(vm_state) => (vm_state, LcmState::LcmInit),
        None => (VmState::Active, LcmState::from_name(state).unwrap()),
    };
    assert!(world.sim.set_state(id, vm_state, lcm));
    if let Err(refused) = world.call(call(row, id)) {
        return refused.0.to_string();
    }
    let shown = || match world.state(id) {
        "CLONING_FAILURE" => "ok CLONF".to_owned(),
        name => match world.sim.state(id).unwrap().0 {
            VmState::Active => format!("ok {name}"),
            _ => format!("ok {}", &name.replace("UNDEPLOYED", "UNDE").replace("POWEROFF", "POFF")[..4]),
        },
    };
    // Where nothing changes, the state that the VM is in still passes by itself, which was not waited for.
    if shown() != expected {
        world.pass(10);
    }
    shown()
}

fn call(row: &str, id: i32) -> Call {
    let words: Vec<&str> = row.split(' ').collect();
    match words.as_slice() {
        ["action", name] => Call::new("one.vm.action").with(name.trim_matches('\'')).with(id),
        ["deploy"] => Call::new("one.vm.deploy").with(id).with(0).with(false).with(-1).with(""),
        ["migrate", "cold"] => {
            Call::new("one.vm.migrate").with(id).with(1).with(false).with(false).with(-1).with(0)
        }
        ["recover", number, ..] => Call::new("one.vm.recover").with(id).with(number.parse::<i32>().unwrap()),
        ["snapshotcreate"] => Call::new("one.vm.snapshotcreate").with(id).with("s"),
        ["attach", "disk"] => Call::new("one.vm.attach").with(id).with("DISK=[IMAGE_ID=0]"),
        ["disksaveas"] => Call::new("one.vm.disksaveas").with(id).with(0).with("saved").with("OS").with(-1),
        ["resize"] => Call::new("one.vm.resize").with(id).with("CPU=0.2\nMEMORY=128").with(false),
        ["update"] => Call::new("one.vm.update").with(id).with("A=1").with(1),
        ["rename"] => Call::new("one.vm.rename").with(id).with("other"),
        ["info"] => Call::new("one.vm.info").with(id),
        other => panic!("{other:?}"),
    }
}
