//! Hints: what a provider says by itself is looked at before its time, and decides nothing.

use vmpool_engine::{Effect, EffectId, Input, Outcome, Worth};
use vmpool_model::{Failure, Node, NodeId, RecordState, states::NodeState};

use crate::lab::{Lab, config, provider, seconds, timeout};

fn hint(lab: &mut Lab, nodes: &[&NodeId]) {
    let nodes = nodes.iter().copied().cloned().collect();
    let _ = lab.step(Input::Hint { provider: provider(), nodes });
}

/// The looks at single nodes under way.
fn glances(lab: &Lab) -> Vec<(EffectId, NodeId)> {
    let glances = lab.effects.iter().filter_map(|(id, effect)| match effect {
        Effect::Glance { node, .. } => Some((*id, node.clone())),
        _ => None,
    });
    glances.collect()
}

fn lists(lab: &Lab) -> usize {
    lab.count(|effect| matches!(effect, Effect::List { .. }))
}

/// Answers the first look at a single node.
fn glanced(lab: &mut Lab, result: Result<Option<Node>, Failure>) {
    let (id, node) = glances(lab).remove(0);
    let result = result.map(|node| node.map(Box::new));
    lab.answer(id, Outcome::Glanced { provider: provider(), node, result });
}

/// A laboratory with ready VMs and nothing under way.
fn calm(size: u32) -> (Lab, Vec<Node>) {
    let mut lab = Lab::new(config(size));
    let nodes = lab.boot_all();
    lab.list(&nodes);
    assert_eq!(lab.effects.len(), 0);
    (lab, nodes)
}

#[test]
fn a_hint_is_answered_with_a_look_at_its_node_at_once() {
    let (mut lab, mut nodes) = calm(2);
    hint(&mut lab, &[&nodes[0].id]);
    assert_eq!(glances(&lab).len(), 1);
    nodes[0].state = NodeState::Error;
    glanced(&mut lab, Ok(Some(nodes[0].clone())));
    assert_eq!(
        lab.counts([RecordState::Terminating, RecordState::Ready]),
        [1, 1],
        "the dead one is replaced"
    );
    assert_eq!(lists(&lab), 0);
}

#[test]
fn a_node_that_came_up_is_taken_in_before_the_next_listing() {
    let mut lab = Lab::new(config(1));
    let mut node = lab.created(NodeState::Pending);
    lab.list(std::slice::from_ref(&node));
    assert_eq!(lab.only_vm().state, RecordState::Spawning);
    hint(&mut lab, &[&node.id]);
    node.state = NodeState::Running;
    glanced(&mut lab, Ok(Some(node)));
    lab.boot_all();
    assert_eq!(lab.only_vm().state, RecordState::Ready);
}

#[test]
fn a_look_that_finds_no_node_or_fails_decides_nothing() {
    let (mut lab, nodes) = calm(1);
    let before = lab.only_vm().clone();
    for result in [Ok(None), Err(timeout()), Ok(None)] {
        hint(&mut lab, &[&nodes[0].id]);
        glanced(&mut lab, result);
        assert_eq!(*lab.only_vm(), before);
    }
    // Nor does a listing count twice that a hint called for: the grace time must have passed.
    for _ in 0..10 {
        hint(&mut lab, &[]);
        lab.list(&[]);
    }
    assert_eq!((lab.only_vm().state, lab.gets(), lab.destroys()), (RecordState::Ready, 0, 0));
}

#[test]
fn a_look_at_another_node_than_was_asked_for_counts_for_nothing() {
    let (mut lab, mut nodes) = calm(2);
    hint(&mut lab, &[&nodes[0].id]);
    nodes[1].state = NodeState::Error;
    glanced(&mut lab, Ok(Some(nodes[1].clone())));
    assert_eq!(lab.counts([RecordState::Ready]), [2]);
}

#[test]
fn a_hint_about_a_node_of_others_costs_nothing_unless_it_may_be_one_that_is_being_made() {
    let (mut lab, _) = calm(1);
    let other = NodeId::new("999").unwrap();
    assert_eq!(lab.engine.hint_worth(&provider(), Some(&other)), Worth::Nothing);
    hint(&mut lab, &[&other]);
    assert_eq!(lab.effects.len(), 0);

    let mut lab = Lab::new(config(1));
    let (_, token) = lab.create();
    let node = lab.node(&token, NodeState::Running);
    assert_eq!(lab.engine.hint_worth(&provider(), Some(&node.id)), Worth::Node);
    hint(&mut lab, &[&node.id]);
    glanced(&mut lab, Ok(Some(node.clone())));
    assert_eq!(lab.only_vm().node.as_ref().map(|node| &node.id), Some(&node.id), "the answer may come");
}

#[test]
fn a_vm_that_is_being_destroyed_is_proven_gone_by_the_listing_that_a_hint_calls_for() {
    let (mut lab, nodes) = calm(1);
    let vm = lab.only_vm().name.clone();
    let _ = lab.step(Input::Terminate { vm: vm.clone(), only_if: None, reason: String::new() });
    lab.destroyed(Ok(()));
    hint(&mut lab, &[&nodes[0].id]);
    assert_eq!((glances(&lab).len(), lists(&lab)), (0, 1));
    lab.list(&[]);
    assert_eq!(lab.vm(&vm), None);
}

#[test]
fn what_is_asked_for_already_is_asked_for_once_more_after_that_however_many_hints_come() {
    let (mut lab, nodes) = calm(1);
    for _ in 0..10 {
        hint(&mut lab, &[&nodes[0].id]);
    }
    assert_eq!(glances(&lab).len(), 1);
    glanced(&mut lab, Ok(Some(nodes[0].clone())));
    assert_eq!(glances(&lab).len(), 1, "the look may have been too early for the hints after it");
    glanced(&mut lab, Ok(Some(nodes[0].clone())));
    assert_eq!(glances(&lab).len(), 0);

    for _ in 0..10 {
        hint(&mut lab, &[]);
    }
    assert_eq!(lists(&lab), 1);
    lab.list(&nodes);
    assert_eq!(lists(&lab), 1);
    lab.list(&nodes);
    assert_eq!(lists(&lab), 0);
}

#[test]
fn a_listing_that_a_hint_called_for_counts_as_that_of_its_interval() {
    let (mut lab, nodes) = calm(1);
    lab.pass(seconds(5));
    hint(&mut lab, &[]);
    lab.list(&nodes);
    lab.pass(seconds(9));
    assert_eq!(lists(&lab), 0);
    lab.pass(seconds(1));
    assert_eq!(lists(&lab), 1);
}

#[test]
fn a_provider_that_does_not_answer_is_not_asked_more_often_because_it_speaks() {
    let (mut lab, nodes) = calm(1);
    lab.listed(Err(timeout()));
    hint(&mut lab, &[&nodes[0].id]);
    hint(&mut lab, &[]);
    assert_eq!(lab.effects.len(), 0);
    lab.list(&nodes);
    hint(&mut lab, &[]);
    assert_eq!(lists(&lab), 1);
    hint(&mut lab, &[]);
    lab.listed(Err(timeout()));
    assert_eq!(lists(&lab), 0, "nor is it asked again at once");
}

#[test]
fn what_an_engine_of_before_asked_for_counts_for_nothing() {
    let (mut lab, mut nodes) = calm(1);
    hint(&mut lab, &[&nodes[0].id]);
    let (id, node) = glances(&lab).remove(0);
    lab.restart();
    nodes[0].state = NodeState::Error;
    let result = Ok(Some(Box::new(nodes[0].clone())));
    let outcome = Outcome::Glanced { provider: provider(), node, result };
    let _ = lab.step(Input::Done { id, outcome });
    assert_eq!(lab.only_vm().state, RecordState::Ready);
}
