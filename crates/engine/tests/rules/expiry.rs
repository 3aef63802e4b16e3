//! The end that a cloud is told for its nodes: set, renewed, never in the way.

use vmpool_engine::{Effect, EffectId, Input, Outcome};
use vmpool_model::{
    Failure, FailureKind, NodeId, RecordState, Timestamp, config::PoolConfig, states::NodeState,
};

use crate::lab::{Lab, config, seconds, timeout, wish};

fn guarded(edit: impl FnOnce(&mut PoolConfig)) -> Lab {
    let mut pool = config(1);
    pool.cloud_expiry = Some(seconds(3600));
    pool.lease_ttl = seconds(80_000);
    edit(&mut pool);
    Lab::new(pool)
}

/// What clouds are being told.
fn told(lab: &Lab) -> Vec<(EffectId, NodeId, Timestamp)> {
    let told = lab.effects.iter().filter_map(|(id, effect)| match effect {
        Effect::SetExpiry { node, at, .. } => Some((*id, node.clone(), *at)),
        _ => None,
    });
    told.collect()
}

fn answer(lab: &mut Lab, result: Result<(), Failure>) {
    let told = told(lab);
    let [(id, ..)] = told.as_slice() else { panic!("{told:?}") };
    lab.answer(*id, Outcome::ExpirySet(result));
}

#[test]
fn a_cloud_is_told_the_end_of_a_node_as_soon_as_the_node_is_known_while_it_boots_too() {
    let mut lab = guarded(|_| {});
    let node = lab.created(NodeState::Pending);
    let told = told(&lab);
    assert_eq!(told.len(), 1);
    assert_eq!((&told[0].1, told[0].2), (&node.id, lab.now + seconds(3600)));
    answer(&mut lab, Ok(()));
    assert_eq!(lab.only_vm().cloud_expiry, Some(lab.now + seconds(3600)));
    assert_eq!(lab.only_vm().state, RecordState::Spawning);
}

#[test]
fn the_end_is_told_anew_when_half_of_the_time_is_left_whatever_the_vm_is_used_for() {
    let mut lab = guarded(|_| {});
    lab.boot_all();
    answer(&mut lab, Ok(()));
    for step in ["ready", "leased", "held"] {
        match step {
            "leased" => drop(lab.granted(wish("r1", "ann"))),
            "held" => {
                let lease = lab.engine.leases().next().unwrap().clone();
                let hold = Input::Hold { vm: lease.vm.clone(), reason: String::new(), by: None, time: None };
                assert_eq!(lab.step(hold), vmpool_engine::Answer::Accepted);
                lab.release(&lease);
            }
            _ => {}
        }
        lab.pass(seconds(1799));
        assert_eq!(told(&lab), [], "{step}");
        lab.pass(seconds(1));
        assert_eq!(told(&lab)[0].2, lab.now + seconds(3600), "{step}");
        answer(&mut lab, Ok(()));
    }
}

#[test]
fn a_failure_to_tell_hurts_nobody_and_is_repeated_with_growing_pauses() {
    let mut lab = guarded(|_| {});
    lab.boot_all();
    for least in [1, 2, 4, 8] {
        answer(&mut lab, Err(timeout()));
        assert_eq!(told(&lab), []);
        lab.pass(seconds(least) * 3 / 2);
        assert_eq!(told(&lab).len(), 1, "{least}");
    }
    let vm = lab.only_vm();
    assert_eq!((vm.state, &vm.problem, vm.attempts, vm.cloud_expiry), (RecordState::Ready, &None, 0, None));
    lab.granted(wish("r1", "ann"));
}

#[test]
fn a_cloud_that_cannot_end_nodes_is_not_asked_again_until_a_restart() {
    let mut lab = guarded(|pool| pool.max_total = Some(2));
    lab.boot_all();
    answer(&mut lab, Err(Failure::not_applied(FailureKind::Unsupported, "no such thing")));
    lab.pass(seconds(100_000));
    let _ = lab.granted(wish("r1", "ann"));
    let _ = lab.acquire(wish("r2", "bob").with_wait(seconds(60)));
    lab.boot_all();
    assert_eq!((told(&lab), lab.vms().count()), (vec![], 2));
    lab.restart();
    assert_eq!(told(&lab).len(), 2);
}

#[test]
fn the_end_of_a_vm_that_is_being_destroyed_is_not_told_and_late_answers_change_nothing() {
    let mut lab = guarded(|_| {});
    lab.boot_all();
    answer(&mut lab, Ok(()));
    lab.pass(seconds(1800));
    assert_eq!(told(&lab).len(), 1);
    let vm = lab.only_vm().name.clone();
    let _ = lab.step(Input::Terminate { vm: vm.clone(), only_if: None, reason: String::new() });
    lab.destroyed(Ok(()));
    lab.list(&[]);
    lab.list(&[]);
    assert!(lab.vm(&vm).is_none());
    let old = told(&lab).into_iter().next().unwrap().0;
    lab.answer(old, Outcome::ExpirySet(Ok(())));
    assert!(lab.vm(&vm).is_none());
}

#[test]
fn after_a_restart_the_end_is_told_if_that_was_not_answered_and_not_before_its_time_if_it_was() {
    let mut lab = guarded(|_| {});
    lab.boot_all();
    lab.restart();
    assert_eq!(told(&lab).len(), 1, "whether it was told nobody knows");
    answer(&mut lab, Ok(()));
    lab.restart();
    assert_eq!(told(&lab), []);
    lab.pass(seconds(1800));
    assert_eq!(told(&lab).len(), 1);
}

#[test]
fn a_cloud_that_was_told_an_end_is_told_another_one_when_the_pool_no_longer_wants_any() {
    let mut lab = guarded(|_| {});
    lab.boot_all();
    answer(&mut lab, Ok(()));
    let mut spec = lab.engine.spec().clone();
    spec.epoch += 1;
    spec.pools.values_mut().for_each(|pool| pool.cloud_expiry = None);
    lab.restart_as(spec);
    assert_eq!(told(&lab)[0].2, lab.now + seconds(86_400), "or the cloud would end the node");
}

#[test]
fn a_pool_that_says_nothing_of_it_tells_no_cloud() {
    let mut lab = Lab::ready(config(1));
    lab.pass(seconds(100_000));
    assert_eq!(told(&lab), []);
}
