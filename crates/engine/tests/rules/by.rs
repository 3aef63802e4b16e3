//! Who did it: what operators say is told with their names.

use vmpool_engine::{Answer, Input};
use vmpool_model::{EventKind, ProviderName, VmName, config::OnRelease};

use crate::lab::{Lab, config, pool, seconds, wish};

/// Returns who is told to have brought about the last event of a kind, and its detail.
fn told(lab: &Lab, kind: EventKind) -> (Option<&str>, &str) {
    let event = lab.events.iter().rfind(|event| event.kind == kind).unwrap();
    (event.by.as_ref().map(|by| by.as_str()), &event.detail)
}

fn says(lab: &mut Lab, by: &str, input: Input) {
    assert_eq!(lab.step_by(Some(by), input), Answer::Accepted);
}

fn terminate(vm: &VmName) -> Input {
    Input::Terminate { vm: vm.clone(), only_if: None, reason: "hangs".to_owned() }
}

fn hold(vm: &VmName) -> Input {
    Input::Hold { vm: vm.clone(), reason: "a look".to_owned(), by: None, time: None }
}

#[test]
fn who_terminates_a_vm_is_told_with_its_end_and_with_that_of_its_lease() {
    let mut lab = Lab::ready(config(1));
    let lease = lab.granted(wish("r1", "ann")).lease;
    says(&mut lab, "zoe", terminate(&lease.vm));
    assert_eq!(told(&lab, EventKind::VmTerminating), (Some("zoe"), "hangs"));
    let ended = lab.events.iter().find(|event| event.kind == EventKind::LeaseReleased).unwrap();
    let names = (ended.owner.as_ref().unwrap().as_str(), ended.by.as_ref().unwrap().as_str());
    assert_eq!(names, ("ann", "zoe"), "the lease was ann's, and zoe ended it");
}

#[test]
fn who_makes_a_vm_forgotten_is_told_with_the_reason() {
    let mut lab = Lab::ready(config(1));
    let vm = lab.only_vm().name.clone();
    says(&mut lab, "zoe", Input::Forget { vm, reason: "the host burnt".to_owned() });
    assert_eq!(told(&lab, EventKind::VmForgotten), (Some("zoe"), "the host burnt"));
    assert_eq!(told(&lab, EventKind::VmSpawning).0, None, "nobody asked for the VM that takes its place");
}

#[test]
fn who_drains_a_pool_is_told_and_remembered_over_a_restart() {
    let mut lab = Lab::ready(config(1));
    says(&mut lab, "zoe", Input::Drain { pool: pool(), reason: "upgrade".to_owned() });
    assert_eq!(told(&lab, EventKind::PoolDrained), (Some("zoe"), "upgrade"));
    assert_eq!(told(&lab, EventKind::VmTerminating), (Some("zoe"), "its pool is drained: upgrade"));
    lab.restart();
    let drain = lab.engine.pools()[0].drain.clone().unwrap();
    assert_eq!(drain.by.unwrap().as_str(), "zoe");
    says(&mut lab, "bob", Input::Undrain(pool()));
    assert_eq!(told(&lab, EventKind::PoolUndrained).0, Some("bob"));
}

#[test]
fn who_holds_a_vm_and_who_gives_it_up_are_told() {
    let mut lab = Lab::ready(config(1));
    let vm = lab.only_vm().name.clone();
    says(&mut lab, "zoe", hold(&vm));
    assert_eq!(told(&lab, EventKind::VmHeld), (Some("zoe"), "a look"));
    assert_eq!(lab.vm(&vm).unwrap().hold.clone().unwrap().by.unwrap().as_str(), "zoe");
    says(&mut lab, "bob", Input::Unhold(vm));
    assert_eq!(told(&lab, EventKind::VmUnheld).0, Some("bob"));
}

#[test]
fn who_wanted_a_leased_vm_held_is_told_when_it_is_held() {
    let mut pool = config(1);
    pool.on_release = OnRelease::Reuse;
    let mut lab = Lab::ready(pool);
    let lease = lab.granted(wish("r1", "ann")).lease;
    says(&mut lab, "zoe", hold(&lease.vm));
    assert_eq!(told(&lab, EventKind::VmHeld), (Some("zoe"), "when it is free: a look"));
    lab.release(&lease);
    assert_eq!(told(&lab, EventKind::VmHeld), (Some("zoe"), "a look"));
    assert_eq!(told(&lab, EventKind::LeaseReleased).0, None);
    assert_eq!(lab.step(Input::Unhold(lease.vm)), Answer::Accepted);
    assert_eq!(told(&lab, EventKind::VmUnheld).0, None, "who gave it up did not say so");
}

#[test]
fn what_is_only_due_when_an_operator_says_something_is_not_of_the_operator() {
    let mut lab = Lab::ready(config(1));
    lab.granted(wish("r1", "ann"));
    lab.now = lab.now + seconds(600);
    let nobody = ProviderName::new("nobody").unwrap();
    assert!(matches!(lab.step_by(Some("zoe"), Input::AcceptLoss(nobody)), Answer::Refused(_)));
    assert_eq!(told(&lab, EventKind::LeaseExpired).0, None);
}

#[test]
fn what_is_noted_is_told_with_who_noted_it_and_changes_nothing() {
    let mut lab = Lab::ready(config(1));
    let before = lab.only_vm().clone();
    says(&mut lab, "zoe", Input::Note { kind: EventKind::TokenCreated, detail: "ci".to_owned() });
    assert_eq!(told(&lab, EventKind::TokenCreated), (Some("zoe"), "ci"));
    assert_eq!(*lab.only_vm(), before);
}
