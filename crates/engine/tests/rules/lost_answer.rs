//! A create whose answer is lost makes no second node, and leaks none (F2, F5).

use vmpool_engine::Effect;
use vmpool_model::{EventKind, RecordState, states::NodeState};

use crate::lab::{Lab, config, provider, seconds, spec, timeout};

#[test]
fn f2_a_lost_answer_is_looked_up_and_the_node_is_adopted() {
    let mut lab = Lab::new(config(1));
    let (_, token) = lab.create();
    lab.not_created(timeout());
    lab.pass(seconds(2));
    assert_eq!((lab.creates(), lab.finds()), (0, 1));
    let node = lab.node(&token, NodeState::Running);
    lab.found(vec![node.clone()]);
    lab.boot_all();
    let vm = lab.only_vm();
    assert_eq!(vm.state, RecordState::Ready);
    assert_eq!(vm.node.as_ref().unwrap().id, node.id);
    assert_eq!(lab.happened(EventKind::VmAdopted), 1);
}

#[test]
fn f2_after_a_proof_that_there_is_no_node_the_same_vm_is_created_again() {
    let mut lab = Lab::new(config(1));
    let (_, token) = lab.create();
    lab.not_created(timeout());
    lab.pass(seconds(2));
    lab.found(vec![]);
    assert_eq!(lab.create().1, token);
}

#[test]
fn f2_a_look_up_that_fails_proves_nothing_and_is_repeated() {
    let mut lab = Lab::new(config(1));
    lab.not_created(timeout());
    lab.pass(seconds(2));
    let id = *lab.effects.iter().find(|(_, effect)| matches!(effect, Effect::Find { .. })).unwrap().0;
    lab.answer(id, vmpool_engine::Outcome::Found(Err(timeout())));
    assert_eq!((lab.creates(), lab.finds()), (0, 0));
    lab.pass(seconds(10));
    assert_eq!((lab.creates(), lab.finds()), (0, 1));
}

/// A pool at a provider that shows new nodes only after 20 s.
fn slow_to_show() -> Lab {
    let mut spec = spec(config(1));
    spec.providers.get_mut(&provider()).unwrap().visibility_window = seconds(20);
    Lab::of(spec)
}

#[test]
fn f5_not_found_proves_nothing_while_a_new_node_may_be_invisible() {
    let mut lab = slow_to_show();
    lab.not_created(timeout());
    lab.pass(seconds(2));
    lab.found(vec![]);
    assert_eq!((lab.creates(), lab.finds()), (0, 0));
    lab.pass(seconds(17));
    assert_eq!((lab.creates(), lab.finds()), (0, 0));
    lab.pass(seconds(1));
    assert_eq!((lab.creates(), lab.finds()), (0, 1));
    lab.found(vec![]);
    assert_eq!(lab.creates(), 1);
}

#[test]
fn f5_a_create_may_take_effect_at_the_last_moment_and_its_node_be_invisible_after_that() {
    let mut spec = spec(config(1));
    let settings = spec.providers.get_mut(&provider()).unwrap();
    (settings.create_settle, settings.visibility_window) = (Some(seconds(10)), seconds(20));
    let mut lab = Lab::of(spec);
    lab.not_created(timeout());
    lab.pass(seconds(2));
    lab.found(vec![]);
    lab.pass(seconds(27));
    assert_eq!((lab.creates(), lab.finds()), (0, 0));
    lab.pass(seconds(1));
    assert_eq!((lab.creates(), lab.finds()), (0, 1));
}

#[test]
fn f5_a_look_up_that_was_asked_too_early_proves_nothing_however_late_it_is_answered() {
    let mut lab = slow_to_show();
    lab.not_created(timeout());
    lab.pass(seconds(2));
    assert_eq!(lab.finds(), 1);
    lab.pass(seconds(60));
    lab.found(vec![]);
    assert_eq!((lab.creates(), lab.finds()), (0, 1), "it is asked again, now that the time is over");
    lab.found(vec![]);
    assert_eq!(lab.creates(), 1);
}

#[test]
fn f5_the_time_of_invisibility_begins_when_the_create_is_answered_not_when_it_is_asked() {
    let mut lab = slow_to_show();
    lab.pass(seconds(60));
    lab.not_created(timeout());
    lab.pass(seconds(2));
    lab.found(vec![]);
    assert_eq!((lab.creates(), lab.finds()), (0, 0), "the node may have been made a moment ago");
}

#[test]
fn a_node_that_a_listing_shows_before_the_create_is_answered_is_taken() {
    let mut lab = Lab::new(config(1));
    let (create, token) = lab.create();
    let node = lab.node(&token, NodeState::Running);
    lab.list(std::slice::from_ref(&node));
    assert_eq!(lab.only_vm().state, RecordState::Ready);
    lab.answer(create, vmpool_engine::Outcome::Created(Err(timeout())));
    assert_eq!(lab.only_vm().state, RecordState::Ready, "the late answer changes nothing");
}

#[test]
fn of_several_nodes_with_the_token_the_one_that_lives_is_adopted() {
    for dead in [NodeState::Terminated, NodeState::Error] {
        for order in [[0, 1], [1, 0]] {
            let mut lab = Lab::new(config(1));
            let (_, token) = lab.create();
            lab.not_created(timeout());
            lab.pass(seconds(2));
            let nodes = [lab.node(&token, dead), lab.node(&token, NodeState::Running)];
            lab.found(order.map(|index: usize| nodes[index].clone()).to_vec());
            assert_eq!(lab.only_vm().node.as_ref().unwrap().id, nodes[1].id, "{dead} {order:?}");
        }
    }
}

#[test]
fn the_node_that_a_listing_showed_first_stays_the_vms_node() {
    let mut lab = Lab::new(config(1));
    let (create, token) = lab.create();
    let first = lab.node(&token, NodeState::Pending);
    let second = lab.node(&token, NodeState::Running);
    lab.list(std::slice::from_ref(&first));
    lab.answer(create, vmpool_engine::Outcome::Created(Ok(Box::new(second))));
    assert_eq!(lab.only_vm().node.as_ref().unwrap().id, first.id);
    assert_eq!(lab.only_vm().state, RecordState::Spawning);
}

#[test]
fn the_answer_to_a_create_tells_more_than_a_listing_before_it() {
    let mut lab = Lab::new(config(1));
    let (create, token) = lab.create();
    let mut node = lab.node(&token, NodeState::Pending);
    lab.list(std::slice::from_ref(&node));
    node.state = NodeState::Running;
    lab.answer(create, vmpool_engine::Outcome::Created(Ok(Box::new(node))));
    assert_eq!(lab.only_vm().state, RecordState::Ready);
}

#[test]
fn a_second_node_with_the_same_token_is_an_orphan_and_goes() {
    let mut lab = Lab::new(config(1));
    let (create, token) = lab.create();
    let first = lab.node(&token, NodeState::Running);
    let second = lab.node(&token, NodeState::Running);
    lab.list(&[first.clone(), second.clone()]);
    lab.answer(create, vmpool_engine::Outcome::Created(Ok(Box::new(second.clone()))));
    lab.boot_all();
    for _ in 0..8 {
        lab.list(&[first.clone(), second.clone()]);
    }
    assert_eq!(lab.destroyed(Ok(())), second.id);
    assert_eq!(lab.only_vm().node.as_ref().unwrap().id, first.id);
}

#[test]
fn f1_a_create_that_was_under_way_at_a_crash_gets_its_time_before_it_is_repeated() {
    let mut spec = spec(config(1));
    spec.providers.get_mut(&provider()).unwrap().create_settle = Some(seconds(30));
    let mut lab = Lab::of(spec);
    let (_, token) = lab.create();
    lab.restart();
    lab.found(vec![]);
    lab.pass(seconds(29));
    assert_eq!(lab.creates(), 0, "the provider may still be making the node");
    lab.pass(seconds(1));
    let node = lab.node(&token, NodeState::Running);
    lab.found(vec![node.clone()]);
    assert_eq!(lab.creates(), 0);
    assert_eq!(lab.only_vm().node.as_ref().unwrap().id, node.id);
}
