//! Records: how they begin, what they are called, and that they are the truth.

use std::collections::BTreeSet;

use vmpool_engine::{Answer, Effect, EffectId, Input, Outcome, Refusal};
use vmpool_model::{EventKind, RecordState, states::NodeState};

use super::list_anew;
use crate::lab::{Lab, config, pool, seconds, spec, timeout, wish, with_check};

#[test]
fn c2_a_vm_that_got_its_address_is_one_record_that_is_found_by_its_name() {
    // It stays in that state for as long as a hook prepares it.
    let mut hooked = config(1);
    hooked.hooks.after_boot = crate::lab::hook();
    let mut lab = Lab::new(hooked);
    let name = lab.only_vm().name.clone();
    assert_eq!(lab.engine.vm(&name).map(|vm| vm.state), Some(RecordState::Spawning));
    let node = lab.created(NodeState::Running);
    let vm = lab.only_vm();
    assert_eq!((vm.name.as_str(), &vm.pool, vm.state), (node.name.as_str(), &pool(), RecordState::GotIp));
    assert_eq!(vm.node.as_ref().map(|node| node.addresses.clone()), Some(node.public_ips));
    assert_eq!((lab.engine.vm(&vm.name), lab.happened(EventKind::VmGotIp)), (Some(vm), 1));
}

#[test]
fn c3_w9_no_name_is_made_twice_in_any_pool_or_by_any_engine() {
    let mut spec = spec(config(5));
    spec.pools.insert("small-x".parse().unwrap(), config(5));
    let mut lab = Lab::of(spec);
    for _ in 0..4 {
        for _ in 0..5 {
            lab.boot_all();
            for vm in lab.vms().map(|vm| vm.name.clone()).collect::<Vec<_>>() {
                let _ = lab.step(Input::Terminate { vm, only_if: None, reason: String::new() });
            }
            while lab.destroys() != 0 {
                lab.destroyed(Ok(()));
            }
            while lab.finds() != 0 {
                lab.found(vec![]);
            }
            list_anew(&mut lab, &[]);
        }
        lab.restart();
    }
    let made: Vec<_> = lab.events.iter().filter(|event| event.kind == EventKind::VmSpawning).collect();
    let names: BTreeSet<_> = made.iter().filter_map(|event| event.vm.as_ref()).collect();
    assert!(100 < made.len(), "{}", made.len());
    assert_eq!(names.len(), made.len());
}

#[test]
fn c63_the_result_of_a_check_of_a_vm_that_is_gone_is_ignored() {
    let mut lab = Lab::new(with_check(config(1)));
    lab.created(NodeState::Running);
    let check = *lab.effects.iter().find(|(_, effect)| matches!(effect, Effect::Check { .. })).unwrap().0;
    let (name, state) = (lab.only_vm().name.clone(), lab.only_vm().state);
    assert_eq!(state, RecordState::CheckHealth);
    let _ = lab.step(Input::Terminate { vm: name.clone(), only_if: None, reason: String::new() });
    lab.destroyed(Ok(()));
    list_anew(&mut lab, &[]);
    assert!(lab.vm(&name).is_none());
    let events = lab.events.len();
    lab.answer(check, Outcome::Checked(Err("refused".to_owned())));
    let unknown =
        Input::Done { id: EffectId(u64::MAX), outcome: Outcome::Checked(Err("refused".to_owned())) };
    assert_eq!(lab.step(unknown), Answer::Nothing);
    assert!(lab.vm(&name).is_none());
    assert_eq!(lab.events.len(), events);
}

#[test]
fn c76_a_node_is_known_by_its_token_whatever_its_name_is() {
    let mut lab = Lab::new(config(1));
    let (_, token) = lab.create();
    lab.not_created(timeout());
    let mut node = lab.node(&token, NodeState::Running);
    node.name = "a name that the provider made up".to_owned();
    lab.list(std::slice::from_ref(&node));
    assert_eq!((&lab.only_vm().name, lab.only_vm().state), (&token.vm, RecordState::Ready));
    assert_eq!(lab.only_vm().node.as_ref().map(|node| &node.id), Some(&node.id));
}

#[test]
fn w1_a_vm_is_not_lost_with_the_answer_that_tells_of_it() {
    let mut lab = Lab::new(config(1));
    let (_, token) = lab.create();
    // The engine dies before it is told that the node was made.
    lab.restart();
    let node = lab.node(&token, NodeState::Running);
    lab.list(std::slice::from_ref(&node));
    assert_eq!(lab.only_vm().state, RecordState::Ready);
    lab.pass(seconds(600));
    assert_eq!((lab.creates(), lab.vms().count()), (0, 1));
}

#[test]
fn w3_a_termination_that_comes_after_the_removal_leaves_no_ghost() {
    let mut lab = Lab::ready(config(1));
    let vm = lab.only_vm().name.clone();
    let terminate = |vm| Input::Terminate { vm, only_if: None, reason: String::new() };
    let _ = lab.step(terminate(vm.clone()));
    lab.destroyed(Ok(()));
    list_anew(&mut lab, &[]);
    assert_eq!(lab.refused(terminate(vm.clone())), Refusal::UnknownVm { vm: vm.clone() });
    lab.restart();
    assert!(lab.vm(&vm).is_none() && lab.engine.vm(&vm).is_none());
}

#[test]
fn w8_a_create_that_ends_without_an_answer_leaks_no_node() {
    let mut lab = Lab::new(config(1));
    let (_, token) = lab.create();
    lab.not_created(timeout());
    lab.pass(seconds(2));
    let node = lab.node(&token, NodeState::Running);
    lab.found(vec![node.clone()]);
    assert_eq!(lab.only_vm().node.as_ref().map(|node| &node.id), Some(&node.id));
    let lease = lab.granted(wish("r1", "ann")).lease;
    lab.release(&lease);
    assert_eq!(lab.destroyed(Ok(())), node.id);
}
