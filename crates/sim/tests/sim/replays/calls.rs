//! Calls about one VM or none: each is made to a new server, with the VM in the state that it was in.

use vmpool_model::states::opennebula::{LcmState, VmState};
use vmpool_opennebula::rpc::{Call, Value};
use vmpool_sim::opennebula::SimConfig;

use super::{compare::same, recordings::Recording};
use crate::world::World;

/// The states of VMs that were never on a host.
const NEVER_DEPLOYED: [&str; 4] = ["CLONING", "CLONING_FAILURE", "PENDING", "HOLD"];

/// Sends a recorded request to a new server, and compares the answer.
pub(super) fn replay(recording: &Recording) -> Result<(), String> {
    let world = new_world();
    prepare(&world, recording);
    let (request, response) = (recording.request(), recording.response());
    let call = Call::parse(&request, 1 << 30).ok();
    let place = call.as_ref().and_then(|call| place_of_vm(recording, call));
    let (Some(mut call), Some(place)) = (call, place) else {
        let answer = world.sim.answer(&request);
        return same(&without_new_id(recording, &answer), &without_new_id(recording, &response));
    };
    let old = call.params[place].as_integer().unwrap();
    let new = vm_for(&world, recording);
    call.params[place] = Value::Int(new);
    let answer = world.sim.answer(call.to_xml().as_bytes());
    let answer = answer
        .replace(&format!("VM {new}"), &format!("VM {old}"))
        .replace(&format!("[{new}].</string>"), &format!("[{old}].</string>"))
        .replace(&format!("<i4>{new}</i4></value>\r\n<i4>0"), &format!("<i4>{old}</i4></value>\r\n<i4>0"))
        .replace(
            &format!("<value><i4>{new}</i4></value>\r\n<value><i4>0</i4>"),
            &format!("<value><i4>{old}</i4></value>\r\n<value><i4>0</i4>"),
        );
    same(&answer, &response)
}

impl World {
    /// Sends a recorded request that is to be taken.
    pub(super) fn send(&self, name: &str) -> String {
        let answer = self.sim.answer(&Recording::named(name).request());
        assert!(answer.contains("<boolean>1</boolean>"), "{name}: {answer}");
        answer
    }
}

/// Makes a server as the real one was: with a group, two plain users, and nothing granted.
pub(super) fn new_world() -> World {
    let second = std::time::Duration::from_secs(1);
    let config = SimConfig::default().with_boot(second).with_step(second).without_scheduler();
    let world = World::new(config.with_hosts(2, 8, 16_384).private());
    for name in ["one.group.allocate", "one.user.allocate"] {
        let recording = Recording::named(name);
        same(&world.send(name), &recording.response()).unwrap();
    }
    let groups = Value::Array(vec![Value::Int(100)]);
    world.id(Call::new("one.user.allocate").with("bob").with("secret").with("core").with(groups));
    world
}

/// Does what had been done before the request.
fn prepare(world: &World, recording: &Recording) {
    let name = recording.name.as_str();
    if name.starts_with("proto.") || matches!(name, "one.vm.info.decrypt-arg" | "one.vm.info.hold") {
        world.held();
        world.held();
        world.send("one.vm.allocate.hold");
    }
    if name.starts_with("one.vm.allocate.quota") {
        world.send("one.user.quota");
        world.send("auth.alice-allocate");
    }
    if name.starts_with("auth.alice-") {
        for _ in 0..9 {
            world.held();
        }
        world.send("auth.alice-allocate");
    }
}

/// Returns which parameter is the VM, if the call is about one that there was.
fn place_of_vm(recording: &Recording, call: &Call) -> Option<usize> {
    let is_elsewhere = recording.name.starts_with("proto.")
        || recording.name.starts_with("auth.")
        || ["unknown-id", "negative-id", "badvm", "info.hold", "decrypt-arg"]
            .iter()
            .any(|end| recording.name.ends_with(end));
    match call.method.as_str() {
        _ if is_elsewhere => None,
        "one.vm.allocate" => None,
        "one.vm.action" => Some(2),
        method => method.starts_with("one.vm.").then_some(1),
    }
}

/// Makes a VM in the state that the recorded one was in, with all that had been done to it.
fn vm_for(world: &World, recording: &Recording) -> i32 {
    let name = recording.name.as_str();
    let state = recording.state().unwrap_or(match name {
        "inflight.second" => "SAVE_SUSPEND",
        "terminate.immediate-second" => "EPILOG",
        "one.vm.deploy" | "one.vm.deploy.disabled-host" | "one.vm.deploy.nocapacity-noenforce" => "PENDING",
        "one.vm.migrate.wrongstate" | "one.vm.snapshotcreate.wrongstate" => "HOLD",
        _ if name.ends_with(".on-done") => "DONE",
        _ => "RUNNING",
    });
    // So that its id is not taken for another number.
    for _ in 0..7 {
        world.id(Call::new("one.vm.allocate").with("CPU=0.1 MEMORY=64").with(true));
    }
    let id = match NEVER_DEPLOYED.contains(&state) {
        true if name.contains("updateconf") => {
            world.id(Call::new("one.vm.allocate").with("CPU=0.1 MEMORY=64").with(true))
        }
        true => world.held(),
        false => world.running(),
    };
    let on_vm = |method: &str| Call::new(method).with(id);
    let settle = |call: Call| {
        world.call(call).unwrap();
        world.pass(5);
        assert_eq!(world.state(id), "RUNNING");
    };
    match name {
        "one.vm.action.poweroff.locked" => settle(on_vm("one.vm.lock").with(4).with(false)),
        "one.vm.migrate.3args" => settle(on_vm("one.vm.migrate").with(1).with(true)),
        "one.vm.snapshotrevert" | "one.vm.snapshotdelete" => settle(on_vm("one.vm.snapshotcreate").with("s")),
        "one.vm.disksnapshotcreate.2" => settle(on_vm("one.vm.disksnapshotcreate").with(0).with("ds1")),
        "one.vm.detach" => settle(on_vm("one.vm.attach").with("DISK=[IMAGE_ID=0]")),
        "one.vm.disksaveas.dupname" => {
            settle(on_vm("one.vm.disksaveas").with(0).with("saved-disk").with("OS").with(-1))
        }
        "one.vm.schedupdate" | "one.vm.scheddelete" => {
            for _ in 0..5 {
                world
                    .call(on_vm("one.vm.schedadd").with("SCHED_ACTION=[ACTION=\"hold\",TIME=\"+9999\"]"))
                    .unwrap();
            }
        }
        _ => {}
    }
    let (vm_state, lcm) = match VmState::from_name(state) {
        Some(vm_state) => (vm_state, LcmState::LcmInit),
        None => (VmState::Active, LcmState::from_name(state).unwrap()),
    };
    assert!(world.sim.set_state(id, vm_state, lcm));
    id
}

/// Takes the id out of an answer that is the id of something new.
fn without_new_id(recording: &Recording, answer: &str) -> String {
    let is_new = recording.name.contains("allocate")
        || recording.name.contains("instantiate")
        || recording.name.contains("latin1");
    let start = "<value><boolean>1</boolean></value>\r\n<value><i4>";
    match answer.split_once(start) {
        Some((head, rest)) if is_new => {
            let rest = rest.trim_start_matches(|digit: char| digit.is_ascii_digit());
            format!("{head}{start}{rest}")
        }
        _ => answer.to_owned(),
    }
}
