//! Who may do what, and for how long.

use vmpool_opennebula::rpc::{Call, Value};
use vmpool_sim::opennebula::{SimConfig, SimUser};

use crate::world::{ADMIN, World};

const CI: &str = "ci:hunter2";

fn with_user() -> World {
    World::new(SimConfig::default().without_scheduler().with_user(SimUser::new("ci", "hunter2")))
}

fn allocate() -> Call {
    Call::new("one.vm.allocate").with("CPU=0.1 MEMORY=64").with(true)
}

fn act(action: &str, id: i32) -> Call {
    Call::new("one.vm.action").with(action).with(id)
}

#[test]
fn a_login_token_stands_for_the_password_until_it_ends() {
    let world = with_user();
    let login = Call::new("one.user.login").with("ci").with("").with(60).with(-1);
    let token = world.call_as(CI, login).unwrap().as_text().unwrap().to_owned();
    let session = format!("ci:{token}");
    assert!(world.call_as(&session, Call::new("one.system.version")).is_ok());
    world.pass(60);
    assert_eq!(world.call_as(&session, Call::new("one.system.version")).unwrap_err().0, 256);
}

#[test]
fn a_lock_keeps_out_what_is_of_its_level_or_above() {
    // The level, and whether an action and a recovery get through.
    for (level, acts, recovers) in [(1, false, false), (2, false, false), (3, true, false), (4, false, false)]
    {
        let world = with_user();
        let id = i32::try_from(world.call_as(ADMIN, allocate()).unwrap().as_integer().unwrap()).unwrap();
        world.call(Call::new("one.vm.lock").with(id).with(level).with(false)).unwrap();
        assert!(world.call(Call::new("one.vm.rename").with(id).with("other")).is_ok());
        assert!(world.call(Call::new("one.vm.info").with(id)).is_ok());
        assert_eq!(world.call(act("release", id)).is_ok(), acts, "{level}");
        let recover = Call::new("one.vm.recover").with(id).with(3);
        assert_eq!(world.call(recover.clone()).is_ok(), recovers, "{level}");
        world.call(Call::new("one.vm.unlock").with(id)).unwrap();
        world.call(Call::new("one.vm.unlock").with(id)).unwrap();
        assert!(world.call(recover).is_ok());
    }
}

#[test]
fn a_second_lock_that_tests_says_when_the_first_one_was() {
    let world = with_user();
    world.call(allocate()).unwrap();
    let lock = || world.call(Call::new("one.vm.lock").with(0).with(1).with(true));
    lock().unwrap();
    world.pass(5);
    let refused = lock().unwrap_err();
    let began = crate::world::BEGINNING;
    assert_eq!((refused.0, refused.1), (2048, format!("[one.vm.lock] {began}")));
}

#[test]
fn rights_are_granted_with_bits_and_with_owners() {
    let world = with_user();
    world.call(allocate()).unwrap();
    let info = || world.call_as(CI, Call::new("one.vm.info").with(0)).map(drop).map_err(|refused| refused.0);
    let terminate = || world.call_as(CI, act("terminate", 0)).map_err(|refused| refused.0);
    assert_eq!(info(), Err(512));
    let bits = [-1, -1, -1, -1, -1, -1, 1, -1, -1];
    let chmod = bits.into_iter().fold(Call::new("one.vm.chmod").with(0), Call::with);
    world.call(chmod).unwrap();
    assert_eq!((info(), terminate()), (Ok(()), Err(512)));
    world.call(Call::new("one.vm.chown").with(0).with(2).with(-1)).unwrap();
    assert_eq!(terminate(), Ok(Value::Int(0)));
    // What needs administrators is refused to the owner.
    for call in [
        Call::new("one.vm.deploy").with(0).with(0),
        Call::new("one.vm.migrate").with(0).with(1).with(true),
        Call::new("one.vm.recover").with(0).with(3),
        act("resched", 0),
    ] {
        assert_eq!(world.call_as(CI, call.clone()).unwrap_err().0, 512, "{call:?}");
    }
}

#[test]
fn a_plain_user_sees_no_hosts_and_uses_nothing_private() {
    let world = World::new(SimConfig::default().private().with_user(SimUser::new("ci", "hunter2")));
    assert_eq!(
        world.call_as(CI, Call::new("one.hostpool.info")).unwrap().as_text(),
        Some("<HOST_POOL></HOST_POOL>")
    );
    let instantiate = Call::new("one.template.instantiate").with(0).with("");
    let refused = world.call_as(CI, instantiate).unwrap_err();
    assert_eq!(
        refused.1,
        "[one.template.instantiate] User [2] : Not authorized to perform USE TEMPLATE [0]."
    );
    let templates = Call::new("one.templatepool.info").with(-2).with(-1).with(-1);
    let seen = world.call_as(CI, templates).unwrap();
    assert_eq!(seen.as_text(), Some("<VMTEMPLATE_POOL></VMTEMPLATE_POOL>"));
}
