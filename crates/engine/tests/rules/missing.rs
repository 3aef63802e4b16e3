//! A node is lost when listings lack it and the provider, asked for it, says that there is none (F5, F6).

use vmpool_engine::{Answer, Effect, Input, Outcome};
use vmpool_model::{EventKind, Node, RecordState, config::OnRelease, states::NodeState};

use crate::lab::{Lab, config, provider, quota, seconds, spec, timeout, wish, with_check};

#[test]
fn f6_a_node_that_is_absent_once_is_not_lost() {
    let mut lab = Lab::ready(config(1));
    // The first was asked for before there was a node.
    lab.list(&[]);
    lab.list(&[]);
    lab.pass(seconds(300));
    assert_eq!((lab.only_vm().state, lab.gets()), (RecordState::Ready, 0));
}

#[test]
fn f6_a_node_that_is_absent_twice_and_for_missing_grace_is_looked_up_and_then_lost() {
    let mut lab = Lab::ready(config(1));
    // The first was asked for before there was a node.
    lab.list(&[]);
    lab.list(&[]);
    let first = lab.now;
    lab.list(&[]);
    while lab.now.since(first) < seconds(30) {
        assert_eq!(lab.gets(), 0);
        lab.list(&[]);
    }
    assert_eq!((lab.only_vm().state, lab.gets()), (RecordState::Ready, 1));
    lab.got(Ok(None));
    assert_eq!(lab.only_vm().state, RecordState::Terminating);
}

#[test]
fn f6_two_listings_are_needed_however_long_the_grace_is_over() {
    let mut spec = spec(config(1));
    spec.providers.get_mut(&provider()).unwrap().missing_grace = seconds(0);
    let mut lab = Lab::of(spec);
    lab.pass(seconds(1));
    lab.boot_all();
    lab.list(&[]);
    lab.list(&[]);
    assert_eq!(lab.gets(), 0, "the first was asked for before there was a node");
    lab.list(&[]);
    assert_eq!(lab.gets(), 1);
}

#[test]
fn f6_a_node_that_is_seen_in_between_is_absent_anew() {
    let mut lab = Lab::new(config(1));
    let node = lab.boot_all().remove(0);
    for _ in 0..10 {
        lab.list(&[]);
        lab.list(&[]);
        lab.list(std::slice::from_ref(&node));
    }
    assert_eq!((lab.only_vm().state, lab.gets()), (RecordState::Ready, 0));
}

/// A ready VM that listings lack, and its node.
fn looked_up() -> (Lab, Node) {
    let mut lab = Lab::new(config(1));
    let node = lab.boot_all().remove(0);
    lab.list_until_looked_up(&[]);
    (lab, node)
}

#[test]
fn f6_a_node_that_the_provider_knows_when_asked_is_not_lost_and_must_be_missed_anew() {
    let (mut lab, node) = looked_up();
    lab.got(Ok(Some(node.clone())));
    lab.list(&[]);
    lab.list(&[]);
    lab.list(&[]);
    assert_eq!((lab.only_vm().state, lab.gets()), (RecordState::Ready, 0));
    lab.list_until_looked_up(&[]);
    let mut unmarked = node;
    unmarked.token = None;
    lab.got(Ok(Some(unmarked)));
    assert_eq!((lab.only_vm().state, lab.gets()), (RecordState::Ready, 0), "not every provider tells tokens");
}

#[test]
fn a_look_up_that_shows_the_node_in_another_state_tells_that_state() {
    let (mut lab, mut node) = looked_up();
    node.state = NodeState::Stopped;
    lab.got(Ok(Some(node)));
    assert_eq!(lab.only_vm().problem.as_deref(), Some("its node is stopped"));
}

#[test]
fn f6_a_look_up_that_fails_proves_nothing_and_is_repeated_with_growing_pauses() {
    let mut config = config(1);
    config.retry_min = seconds(15);
    let mut lab = Lab::ready(config);
    lab.list_until_looked_up(&[]);
    let mut pauses = Vec::new();
    for _ in 0..3 {
        lab.got(Err(timeout()));
        let failed_at = lab.now;
        assert_eq!(lab.only_vm().state, RecordState::Ready);
        lab.list_until_looked_up(&[]);
        pauses.push(lab.now.since(failed_at));
    }
    // The listings come every 10 s, and the pauses are stretched by up to a half.
    for (pause, least) in pauses.iter().zip([15, 30, 60]) {
        assert!(seconds(least) <= *pause && *pause <= seconds(least * 3 / 2 + 10), "{pauses:?}");
    }
    lab.got(Ok(None));
    assert_eq!(lab.only_vm().state, RecordState::Terminating);
}

#[test]
fn f6_a_node_that_a_listing_shows_while_it_is_looked_up_is_not_lost() {
    let (mut lab, node) = looked_up();
    lab.list(&[node]);
    lab.got(Ok(None));
    assert_eq!(lab.only_vm().state, RecordState::Ready);
}

#[test]
fn one_look_up_at_a_time_and_none_beside_another_effect() {
    let (mut lab, _) = looked_up();
    for _ in 0..10 {
        lab.list(&[]);
    }
    assert_eq!(lab.gets(), 1);
    let mut lab = Lab::ready(with_check(config(1)));
    lab.pass(seconds(120));
    assert_eq!(lab.checks(), 1);
    for _ in 0..10 {
        lab.list(&[]);
    }
    assert_eq!((lab.checks(), lab.gets()), (1, 0));
    lab.checked(Err("refused"));
    lab.pass(seconds(2));
    assert_eq!(
        (lab.only_vm().state, lab.checks(), lab.gets()),
        (RecordState::CheckHealth, 0, 1),
        "it comes first"
    );
}

#[test]
fn a_check_waits_for_the_look_up_under_way() {
    let mut lab = Lab::new(with_check(config(1)));
    let node = lab.boot_all().remove(0);
    lab.list_until_looked_up(&[]);
    lab.pass(seconds(120));
    assert_eq!((lab.only_vm().state, lab.checks()), (RecordState::CheckHealth, 0));
    lab.got(Ok(Some(node)));
    assert_eq!(lab.checks(), 1);
}

#[test]
fn f5_a_new_node_that_listings_do_not_show_yet_is_not_lost() {
    let mut spec = spec(config(1));
    spec.providers.get_mut(&provider()).unwrap().visibility_window = seconds(1000);
    let mut lab = Lab::of(spec);
    lab.boot_all();
    for _ in 0..50 {
        lab.list(&[]);
    }
    assert_eq!((lab.only_vm().state, lab.gets()), (RecordState::Ready, 0));
}

#[test]
fn f6_a_leased_vm_whose_node_is_missing_is_doubted_and_kept() {
    let mut lab = Lab::ready(config(1));
    lab.granted(wish("r1", "ann"));
    lab.list_until_looked_up(&[]);
    assert_eq!(lab.only_vm().suspect, None, "a listing alone is no reason to doubt it");
    lab.got(Ok(None));
    for _ in 0..10 {
        lab.list(&[]);
    }
    assert_eq!(lab.only_vm().state, RecordState::InUse);
    assert_eq!(lab.only_vm().suspect.as_deref(), Some("its node is missing at the provider"));
    assert_eq!((lab.happened(EventKind::VmSuspect), lab.destroys(), lab.gets()), (1, 0, 0));
}

#[test]
fn a_vm_that_is_leased_while_it_is_looked_up_is_doubted_and_kept() {
    let (mut lab, _) = looked_up();
    lab.granted(wish("r1", "ann"));
    lab.got(Ok(None));
    assert_eq!(lab.only_vm().state, RecordState::InUse);
    assert!(lab.only_vm().suspect.is_some());
}

#[test]
fn a_vm_that_is_released_while_it_is_looked_up_waits_for_the_answer() {
    let mut config = config(1);
    config.on_release = OnRelease::Reuse;
    let mut lab = Lab::ready(config);
    let lease = lab.granted(wish("r1", "ann")).lease;
    lab.list_until_looked_up(&[]);
    lab.release(&lease);
    assert_eq!((lab.only_vm().state, lab.gets()), (RecordState::Ready, 1));
    lab.got(Ok(None));
    assert_eq!(lab.only_vm().state, RecordState::Terminating);
}

#[test]
fn what_becomes_of_a_look_up_no_longer_matters_once_the_vm_is_terminated() {
    let (mut lab, _) = looked_up();
    let vm = lab.only_vm().name.clone();
    let _ = lab.step(Input::Terminate { vm, only_if: None, reason: String::new() });
    assert_eq!(lab.destroys(), 1);
    lab.got(Ok(None));
    assert_eq!(lab.only_vm().state, RecordState::Terminating, "its destruction is not answered yet");
}

#[test]
fn f4_a_refused_destruction_of_a_node_that_is_there_after_all_is_repeated() {
    let mut lab = Lab::new(config(1));
    let node = lab.boot_all().remove(0);
    let vm = lab.only_vm().name.clone();
    let _ = lab.step(Input::Terminate { vm: vm.clone(), only_if: None, reason: String::new() });
    let refused = |lab: &mut Lab| {
        while lab.gets() == 0 {
            if lab.destroys() != 0 {
                lab.destroyed(Err(quota()));
            }
            lab.list(&[]);
        }
    };
    refused(&mut lab);
    lab.got(Err(timeout()));
    assert!(lab.vm(&vm).is_some());
    refused(&mut lab);
    lab.got(Ok(Some(node)));
    assert!(lab.vm(&vm).is_some());
    lab.pass(seconds(600));
    assert_eq!(lab.destroys(), 1);
}

#[test]
fn the_answer_to_the_look_up_of_an_earlier_engine_changes_nothing() {
    let (mut lab, _) = looked_up();
    let id = *lab.effects.iter().find(|(_, effect)| matches!(effect, Effect::Get { .. })).unwrap().0;
    lab.restart();
    assert_eq!(lab.step(Input::Done { id, outcome: Outcome::Got(Ok(None)) }), Answer::Nothing);
    assert_eq!(lab.only_vm().state, RecordState::Ready);
}
