//! What listings prove, and what they do not (F6).

use vmpool_engine::Effect;
use vmpool_model::{EventKind, Failure, FailureKind, RecordState, states::NodeState};

use crate::lab::{Lab, config, seconds, timeout, wish};

#[test]
fn f6_partial_and_failed_listings_prove_nothing() {
    let mut lab = Lab::ready(config(1));
    for _ in 0..10 {
        lab.list_partially(&[]);
        lab.listed(Err(timeout()));
    }
    assert_eq!(lab.only_vm().state, RecordState::Ready);
    assert_eq!(lab.happened(EventKind::ProviderFailed), 10);
    assert_eq!(lab.happened(EventKind::ProviderRecovered), 9);
}

#[test]
fn a_refused_login_proves_nothing() {
    let mut lab = Lab::ready(config(2));
    lab.granted(wish("r1", "ann"));
    for _ in 0..10 {
        lab.listed(Err(Failure::not_applied(FailureKind::Authentication, "wrong password")));
    }
    assert_eq!(lab.counts([RecordState::Ready, RecordState::InUse]), [1, 1]);
    assert!(lab.vms().all(|vm| vm.suspect.is_none()));
    assert_eq!(lab.destroys(), 0);
}

#[test]
fn an_unknown_state_destroys_nothing() {
    let mut lab = Lab::new(config(2));
    let mut nodes = lab.boot_all();
    lab.granted(wish("r1", "ann"));
    for state in [NodeState::Unknown, NodeState::Rebooting, NodeState::Migrating, NodeState::Starting] {
        nodes.iter_mut().for_each(|node| node.state = state);
        for _ in 0..5 {
            lab.list(&nodes);
        }
    }
    assert_eq!(lab.counts([RecordState::Ready, RecordState::InUse]), [1, 1]);
    assert!(lab.vms().all(|vm| vm.suspect.is_none()));
}

#[test]
fn a_ready_vm_whose_node_is_off_or_dead_is_replaced() {
    let off = [NodeState::Stopped, NodeState::Suspended, NodeState::Paused, NodeState::Error];
    for state in off {
        let mut lab = Lab::new(config(1));
        let mut node = lab.boot_all().remove(0);
        node.state = state;
        lab.list(&[node]);
        assert_eq!(lab.only_vm().state, RecordState::Terminating, "{state}");
    }
}

#[test]
fn one_listing_at_a_time_is_asked_for_once_per_interval() {
    let mut lab = Lab::new(config(0));
    let lists = |lab: &Lab| lab.count(|effect| matches!(effect, Effect::List { .. }));
    lab.pass(seconds(100));
    assert_eq!(lists(&lab), 1, "the first was not answered yet");
    lab.list(&[]);
    lab.tick();
    assert_eq!(lists(&lab), 1, "it took too long, so the next one is due");
    lab.list(&[]);
    lab.pass(seconds(9));
    assert_eq!(lists(&lab), 0);
    lab.pass(seconds(1));
    assert_eq!(lists(&lab), 1);
}

#[test]
fn f13_listings_that_fail_become_rarer_up_to_four_intervals() {
    let mut lab = Lab::new(config(0));
    for least in [10, 20, 40, 40] {
        lab.listed(Err(timeout()));
        let due = lab.engine.wake_at().unwrap().since(lab.now);
        assert!(seconds(least) <= due && due <= seconds(least) * 3 / 2, "{due:?}");
    }
}

#[test]
fn a_node_id_that_comes_back_is_another_vm() {
    let mut lab = Lab::new(config(1));
    let old = lab.boot_all().remove(0);
    let lease = lab.granted(wish("r1", "ann")).lease;
    lab.list_until_looked_up(&[]);
    lab.got(Ok(None));
    assert!(lab.vm(&lease.vm).unwrap().suspect.is_some());
    // An operator puts the pool's size up; the next node has the id of the one that is lost.
    let mut spec = lab.engine.spec().clone();
    spec.epoch += 1;
    spec.pools.values_mut().for_each(|pool| pool.size = 2);
    lab.restart_as(spec);
    let (create, token) = lab.create();
    let mut new = lab.node(&token, NodeState::Running);
    new.id = old.id;
    lab.answer(create, vmpool_engine::Outcome::Created(Ok(Box::new(new.clone()))));
    lab.boot_all();
    let second = lab.granted(wish("r2", "bob")).lease;
    assert_eq!(second.vm, token.vm);
    lab.list(std::slice::from_ref(&new));
    lab.release(&lease);
    assert!(lab.vm(&lease.vm).is_none(), "its node is gone: the id is another VM's");
    assert_eq!(lab.destroys(), 0);
    for _ in 0..20 {
        lab.list(std::slice::from_ref(&new));
    }
    assert_eq!((lab.destroys(), lab.vm(&second.vm).unwrap().suspect.clone()), (0, None));
}
