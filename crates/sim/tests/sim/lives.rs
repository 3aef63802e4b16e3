//! What becomes of VMs.

use vmpool_driver::Operation;
use vmpool_dummy::{Death, Fault, FaultConfig};
use vmpool_opennebula::rpc::Call;
use vmpool_sim::opennebula::{SimConfig, SimUser};

use crate::world::{BEGINNING, World};

#[test]
fn a_vm_goes_through_the_states_of_its_life() {
    let world = World::slow();
    let id = world.held();
    assert_eq!(world.state(id), "HOLD");
    world.act("release", id).unwrap();
    assert_eq!(world.state(id), "PENDING");
    world.call(Call::new("one.vm.deploy").with(id).with(1)).unwrap();
    let mut seen = vec![world.state(id)];
    let mut watch = |seconds: i64| {
        for _ in 0..seconds {
            world.pass(1);
            seen.push(world.state(id));
        }
    };
    watch(2);
    world.act("suspend", id).unwrap();
    watch(1);
    world.act("resume", id).unwrap();
    watch(1);
    world.act("terminate", id).unwrap();
    watch(2);
    assert_eq!(seen, ["PROLOG", "BOOT", "RUNNING", "SUSPENDED", "RUNNING", "EPILOG", "DONE"]);
    let vm = world.info(id);
    assert_eq!(vm.text_of("ETIME"), (BEGINNING + 6).to_string());
    assert_eq!(vm.text_of("HISTORY_RECORDS/HISTORY/HOSTNAME"), "dummy2");
}

#[test]
fn a_vm_runs_as_a_node_of_the_dummy() {
    let world = World::slow();
    let id = world.running();
    let names: Vec<String> = world.sim.nodes().nodes().into_iter().map(|node| node.name).collect();
    assert_eq!(names, [format!("one-{id}")]);
    world.act("terminate-hard", id).unwrap();
    world.pass(2);
    assert_eq!((world.state(id), world.sim.nodes().nodes().len()), ("DONE", 0));
}

#[test]
fn a_boot_that_fails_is_said_to_have_and_can_be_tried_again() {
    let world = World::slow();
    world.sim.nodes().fail_next(Operation::Create, Fault::BootFailure);
    let id = world.held();
    world.call(Call::new("one.vm.deploy").with(id).with(0)).unwrap();
    world.pass(2);
    assert_eq!(world.state(id), "BOOT_FAILURE");
    let error = world.info(id).text_of("USER_TEMPLATE/ERROR").to_owned();
    assert!(error.starts_with("Sat Nov 21 09:05:41 2026: DEPLOY: "), "{error}");
    world.call(Call::new("one.vm.recover").with(id).with(2)).unwrap();
    world.pass(1);
    assert_eq!(world.state(id), "RUNNING");
    // It sticks, as on the real server.
    assert_eq!(world.info(id).text_of("USER_TEMPLATE/ERROR"), error);
}

#[test]
fn a_hypervisor_that_fails_leaves_the_vm_running_and_one_that_never_answers_leaves_it_stuck() {
    let world = World::slow();
    let id = world.running();
    world.sim.nodes().fail_next(Operation::Destroy, Fault::LostRequest);
    world.act("terminate", id).unwrap();
    assert_eq!(world.state(id), "SHUTDOWN");
    world.pass(1);
    assert_eq!(world.state(id), "RUNNING");
    // Nothing in the history tells of what was tried.
    assert_eq!(world.info(id).text_of("HISTORY_RECORDS/HISTORY/ACTION"), "0");

    world.sim.nodes().fail_next(Operation::Destroy, Fault::Hang);
    world.act("terminate", id).unwrap();
    world.pass(3600);
    assert_eq!(world.state(id), "SHUTDOWN");
    assert_eq!(world.act("terminate", id).unwrap_err().0, 2048);
    world.call(Call::new("one.vm.recover").with(id).with(1)).unwrap();
    world.pass(1);
    assert_eq!(world.state(id), "DONE");
}

#[test]
fn a_node_that_dies_makes_its_vm_unknown_and_one_that_shuts_down_turns_it_off() {
    for (death, state) in
        [(Death::Error, "UNKNOWN"), (Death::Vanished, "UNKNOWN"), (Death::Terminated, "POWEROFF")]
    {
        let world = World::slow();
        let id = world.running();
        let node = world.sim.nodes().nodes().remove(0).id;
        assert!(world.sim.nodes().kill_node(&node, death));
        assert_eq!(world.state(id), state);
        world.act("resume", id).unwrap();
        world.pass(1);
        assert_eq!((world.state(id), world.sim.nodes().nodes().len()), ("RUNNING", 1), "{death:?}");
    }
}

#[test]
fn the_server_ends_a_vm_by_itself_and_tries_again_while_it_cannot() {
    let world = World::slow();
    let action = "SCHED_ACTION=[ACTION=\"terminate-hard\",TIME=\"+3\"]";
    let template = format!("CPU=1\nMEMORY=64\n{action}");
    let id = world.id(Call::new("one.vm.allocate").with(template.as_str()).with(true));
    assert_eq!(world.info(id).text_of("TEMPLATE/SCHED_ACTION/TIME"), (BEGINNING + 3).to_string());
    world.pass(3);
    assert_eq!(world.state(id), "DONE");

    let id = world.id(Call::new("one.vm.allocate").with("CPU=1 MEMORY=64").with(true));
    let scheduled = world.id(Call::new("one.vm.schedadd").with(id).with(action));
    let later = "SCHED_ACTION=[TIME=\"+5\"]";
    assert_eq!(world.id(Call::new("one.vm.schedupdate").with(id).with(scheduled).with(later)), scheduled);
    world.pass(4);
    world.call(Call::new("one.vm.deploy").with(id).with(0)).unwrap();
    world.pass(1);
    assert_eq!(world.state(id), "BOOT");
    assert!(world.info(id).text_of("TEMPLATE/SCHED_ACTION/MESSAGE").contains("wrong state PROLOG"));
    world.pass(16);
    assert_eq!(world.state(id), "EPILOG");
    let gone = world.call(Call::new("one.vm.scheddelete").with(id).with(99)).unwrap_err();
    assert_eq!((gone.0, gone.2), (1024, 99));
}

#[test]
fn the_scheduler_finds_a_host_with_room_or_says_that_there_is_none() {
    let world = World::new(SimConfig::default().with_hosts(1, 1, 1024));
    let make = || world.id(Call::new("one.vm.allocate").with("CPU=1 MEMORY=64"));
    let (first, second) = (make(), make());
    assert_eq!((world.state(first), world.state(second)), ("RUNNING", "PENDING"));
    let message = world.info(second).text_of("USER_TEMPLATE/SCHED_MESSAGE").to_owned();
    assert!(
        message.ends_with("Cannot dispatch VM: No host with enough capacity to deploy the VM"),
        "{message}"
    );
    world.act("terminate-hard", first).unwrap();
    assert_eq!(world.state(first), "DONE");
    world.pass(1);
    assert_eq!(world.state(second), "RUNNING");
    assert_eq!(world.info(second).text_of("USER_TEMPLATE/SCHED_MESSAGE"), "");
}

#[test]
fn a_plain_user_sees_its_own_vms_and_has_no_more_than_its_quota() {
    let world = World::new(SimConfig::default().with_user(SimUser::new("ci", "hunter2")));
    let quota = "VM=[VMS=\"1\",CPU=\"-2\",MEMORY=\"-2\",SYSTEM_DISK_SIZE=\"-2\"]";
    world.call(Call::new("one.user.quota").with(2).with(quota)).unwrap();
    let admins = world.held();
    let allocate =
        || world.call_as("ci:hunter2", Call::new("one.vm.allocate").with("CPU=0.5 MEMORY=64").with(true));
    let own = allocate().unwrap();
    let refused = allocate().unwrap_err();
    let text = "[one.vm.allocate] User [2] : user [2] limit of 1 reached for VMS quota in VM.";
    assert_eq!((refused.0, refused.1.as_str()), (512, text));
    let list = Call::new("one.vmpool.info").with(-2).with(-1).with(-1).with(-1);
    let seen = world.call_as("ci:hunter2", list).unwrap();
    assert_eq!(seen.as_text().unwrap().matches("<VM>").count(), 1);
    let refused = world.call_as("ci:hunter2", Call::new("one.vm.info").with(admins)).unwrap_err();
    assert_eq!(refused.1, "[one.vm.info] User [2] : Not authorized to perform USE VM [0].");
    let user = world.document(Call::new("one.user.info").with(2));
    assert_eq!((user.text_of("VM_QUOTA/VM/VMS_USED"), user.text_of("VM_QUOTA/VM/CPU_USED")), ("1", "0.5"));
    assert_eq!(own.as_integer(), Some(1));
}

#[test]
fn devices_come_and_go_with_their_addresses() {
    let world = World::slow();
    let id = world.running();
    let ips = |id| {
        let vm = world.info(id);
        let template = vm.child("TEMPLATE").unwrap();
        template.all("NIC").map(|nic| nic.text_of("IP").to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(ips(id), ["10.0.0.2"]);
    world.call(Call::new("one.vm.attachnic").with(id).with("NIC=[NETWORK_ID=0]")).unwrap();
    assert_eq!(world.state(id), "HOTPLUG_NIC");
    world.pass(1);
    assert_eq!(ips(id), ["10.0.0.2", "10.0.0.3"]);
    world.call(Call::new("one.vm.detachnic").with(id).with(0)).unwrap();
    world.pass(1);
    assert_eq!(ips(id), ["10.0.0.3"]);
    assert_eq!(ips(world.held()), ["10.0.0.2"]);

    world.call(Call::new("one.vm.attach").with(id).with("DISK=[IMAGE_ID=0]")).unwrap();
    world.pass(1);
    let disks = |id: i32| world.info(id).child("TEMPLATE").unwrap().all("DISK").count();
    assert_eq!(disks(id), 2);
    world.call(Call::new("one.vm.detach").with(id).with(2)).unwrap();
    world.pass(1);
    assert_eq!(disks(id), 1);
}

#[test]
fn a_character_that_cannot_be_sent_poisons_every_answer_that_it_is_in() {
    let world = World::slow();
    let (good, bad) = (world.held(), world.held());
    world.call(Call::new("one.vm.update").with(bad).with("<T><X>&#128640;</X></T>").with(1)).unwrap();
    let list = |method: &str, end: i32| world.call(Call::new(method).with(-2).with(0).with(end).with(-1));
    assert_eq!(list("one.vmpool.infoextended", bad).unwrap_err().0, -500);
    assert!(list("one.vmpool.infoextended", good).is_ok());
    assert!(list("one.vmpool.info", bad).is_ok());
    world.call(Call::new("one.vm.update").with(bad).with("X=1").with(0)).unwrap();
    assert!(list("one.vmpool.infoextended", bad).is_ok());
}

#[test]
fn the_same_calls_with_the_same_seed_go_the_same_way() {
    let story = |seed| {
        let mut faults = FaultConfig::default();
        faults.boot_failure = 0.5;
        let world = World::new(SimConfig::default().with_seed(seed).with_faults(faults));
        let make = |_| world.id(Call::new("one.template.instantiate").with(0).with("").with(false));
        let ids: Vec<i32> = (0..20).map(make).collect();
        ids.into_iter().map(|id| world.state(id)).collect::<Vec<_>>()
    };
    let first = story(7);
    assert_eq!(first, story(7));
    assert_ne!(first, story(8));
    assert!(first.contains(&"RUNNING") && first.contains(&"BOOT_FAILURE"), "{first:?}");
}

#[test]
fn a_vm_that_comes_back_from_where_it_was_put_boots_as_it_did_there() {
    for (action, rest, prolog, boot) in [
        ("stop", "STOPPED", "PROLOG_RESUME", "BOOT_STOPPED"),
        ("undeploy", "UNDEPLOYED", "PROLOG_UNDEPLOY", "BOOT_UNDEPLOY"),
    ] {
        let world = World::slow();
        let id = world.running();
        world.act(action, id).unwrap();
        world.pass(2);
        assert_eq!((world.state(id), world.sim.nodes().nodes().len()), (rest, 0));
        world.act("resume", id).unwrap();
        assert_eq!(world.state(id), "PENDING");
        world.call(Call::new("one.vm.deploy").with(id).with(1)).unwrap();
        let mut seen = vec![world.state(id)];
        for _ in 0..2 {
            world.pass(1);
            seen.push(world.state(id));
        }
        assert_eq!(seen, [prolog, boot, "RUNNING"]);
        let history = world.info(id);
        let hosts = history.child("HISTORY_RECORDS").unwrap();
        let hosts: Vec<&str> = hosts.children.iter().map(|page| page.text_of("HOSTNAME")).collect();
        assert_eq!(hosts, ["dummy1", "dummy2"]);
    }
}

#[test]
fn a_migration_that_fails_leaves_the_vm_where_it_was() {
    let world = World::slow();
    let id = world.running();
    let host = || {
        world.info(id).child("HISTORY_RECORDS").unwrap().children.last().unwrap().text_of("HID").to_owned()
    };
    let migrate = |to: i32| world.call(Call::new("one.vm.migrate").with(id).with(to).with(true));
    migrate(1).unwrap();
    world.call(Call::new("one.vm.recover").with(id).with(0)).unwrap();
    assert_eq!((world.state(id), host().as_str()), ("RUNNING", "0"));
    migrate(1).unwrap();
    world.pass(1);
    assert_eq!((world.state(id), host().as_str()), ("RUNNING", "1"));
    let rooms = |host: i32| {
        world.document(Call::new("one.host.info").with(host)).text_of("HOST_SHARE/RUNNING_VMS").to_owned()
    };
    assert_eq!((rooms(0), rooms(1)), ("0".to_owned(), "1".to_owned()));
}
