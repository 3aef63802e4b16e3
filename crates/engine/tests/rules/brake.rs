//! What is missing all at once is not lost (F6).

use vmpool_engine::{Answer, Effect, Input, ProviderView, Refusal};
use vmpool_model::{EventKind, Node, ProviderName, RecordState};

use crate::lab::{Lab, config, provider, seconds, spec, timeout, wish};

/// As many ready VMs as wanted, listed once, and their nodes.
fn farm(size: u32) -> (Lab, Vec<Node>) {
    farm_with(size, 50)
}

fn farm_with(size: u32, max_loss_percent: u8) -> (Lab, Vec<Node>) {
    let mut pool = config(size);
    pool.max_starting = size;
    let mut spec = spec(pool);
    spec.providers.get_mut(&provider()).unwrap().max_loss_percent = max_loss_percent;
    let mut lab = Lab::of(spec);
    let nodes = lab.boot_all();
    lab.list(&nodes);
    lab.list(&nodes);
    (lab, nodes)
}

fn view(lab: &Lab) -> ProviderView {
    lab.engine.providers().remove(0)
}

/// Lists for long enough that what is missing would be looked up.
fn list_long(lab: &mut Lab, nodes: &[Node]) {
    for _ in 0..10 {
        lab.list(nodes);
    }
}

#[test]
fn f6_when_more_than_half_of_the_nodes_are_missing_none_counts_as_lost() {
    let (mut lab, nodes) = farm(10);
    list_long(&mut lab, &nodes[..4]);
    assert_eq!((lab.gets(), lab.happened(EventKind::MassLoss)), (0, 1), "told once");
    let loss = view(&lab).mass_loss.unwrap();
    assert_eq!((loss.missing, loss.known), (6, 10));
    let told = lab.events.iter().find(|event| event.kind == EventKind::MassLoss).unwrap();
    assert!(told.detail.starts_with("6 of 10 nodes are missing, which is more than 50 %"), "{}", told.detail);
    assert_eq!(lab.counts([RecordState::Ready]), [10]);
}

#[test]
fn f6_half_of_the_nodes_may_be_lost_at_once() {
    let (mut lab, nodes) = farm(10);
    list_long(&mut lab, &nodes[..5]);
    assert_eq!((lab.gets(), lab.happened(EventKind::MassLoss)), (5, 0));
}

#[test]
fn f6_an_empty_listing_destroys_and_forgets_nothing() {
    let (mut lab, _) = farm(5);
    lab.granted(wish("r1", "ann"));
    list_long(&mut lab, &[]);
    assert_eq!((lab.gets(), lab.destroys(), lab.happened(EventKind::MassLoss)), (0, 0, 1));
    assert_eq!(lab.counts([RecordState::Ready, RecordState::InUse]), [4, 1]);
    assert!(lab.vms().all(|vm| vm.suspect.is_none()));
}

#[test]
fn fewer_than_five_missing_nodes_are_looked_up_however_large_their_part_is() {
    let (mut lab, _) = farm(4);
    list_long(&mut lab, &[]);
    assert_eq!((lab.gets(), lab.happened(EventKind::MassLoss)), (4, 0));
}

#[test]
fn with_100_percent_there_is_no_brake_and_with_0_five_are_enough() {
    let (mut lab, _) = farm_with(10, 100);
    list_long(&mut lab, &[]);
    assert_eq!((lab.gets(), lab.happened(EventKind::MassLoss)), (10, 0));
    let (mut lab, nodes) = farm_with(20, 0);
    list_long(&mut lab, &nodes[..15]);
    assert_eq!((lab.gets(), lab.happened(EventKind::MassLoss)), (0, 1));
}

#[test]
fn the_brake_ends_when_enough_of_the_missing_nodes_are_seen_again() {
    let (mut lab, nodes) = farm(20);
    lab.list(&nodes[..5]);
    lab.list(&nodes[..9]);
    assert_eq!(lab.happened(EventKind::MassLossEnded), 0, "11 of 20 are more than half");
    lab.list_partially(&nodes);
    assert_eq!(
        lab.happened(EventKind::MassLossEnded),
        0,
        "a partial listing says nothing of what is missing"
    );
    lab.listed(Err(timeout()));
    assert_eq!(lab.happened(EventKind::MassLossEnded), 0);
    lab.list(&nodes[..10]);
    assert_eq!((lab.happened(EventKind::MassLossEnded), view(&lab).mass_loss), (1, None));
    list_long(&mut lab, &nodes[..10]);
    assert_eq!(lab.gets(), 10, "what is still missing is looked up now");
}

#[test]
fn absences_from_before_the_brake_do_not_count_after_it() {
    let (mut lab, nodes) = farm(10);
    // Two are missing for almost long enough when the others join them.
    for _ in 0..3 {
        lab.list(&nodes[2..]);
    }
    lab.list(&[]);
    lab.list(&nodes[2..]);
    lab.list(&nodes[2..]);
    assert_eq!((lab.gets(), lab.happened(EventKind::MassLossEnded)), (0, 1));
    list_long(&mut lab, &nodes[2..]);
    assert_eq!(lab.gets(), 2);
}

#[test]
fn a_look_up_that_was_under_way_when_the_brake_went_on_proves_nothing() {
    let (mut lab, nodes) = farm(10);
    list_long(&mut lab, &nodes[1..]);
    assert_eq!(lab.gets(), 1);
    lab.list(&[]);
    let vm = lab.got(Ok(None));
    assert_eq!(lab.vm(&vm).unwrap().state, RecordState::Ready);
}

#[test]
fn new_vms_do_not_make_up_for_missing_ones() {
    let mut pool = config(6);
    (pool.max_starting, pool.max_total) = (20, Some(20));
    let mut lab = Lab::new(pool);
    let old = lab.boot_all();
    lab.list(&old);
    lab.list(&old);
    lab.list(&[]);
    assert_eq!(lab.happened(EventKind::MassLoss), 1);
    // All are leased, so the pool makes as many again.
    for index in 0..6 {
        lab.granted(wish(&format!("r{index}"), "ann"));
    }
    for index in 6..14 {
        let _ = lab.acquire(wish(&format!("r{index}"), "ann").with_wait(seconds(1000)));
    }
    let new = lab.boot_all();
    assert_eq!(new.len(), 8);
    list_long(&mut lab, &new);
    assert_eq!((lab.gets(), lab.happened(EventKind::MassLossEnded)), (0, 0), "6 of 14 are less than half");
}

#[test]
fn missing_vms_that_are_terminated_meanwhile_do_not_end_the_brake_and_are_not_forgotten() {
    let (mut lab, _) = farm(6);
    lab.list(&[]);
    let names: Vec<_> = lab.vms().map(|vm| vm.name.clone()).collect();
    for vm in names {
        let _ = lab.step(Input::Terminate { vm, only_if: None, reason: String::new() });
        lab.destroyed(Ok(()));
    }
    lab.list(&[]);
    lab.list(&[]);
    assert_eq!((lab.counts([RecordState::Terminating]), lab.happened(EventKind::MassLossEnded)), ([6], 0));
    assert_eq!(lab.step(Input::AcceptLoss(provider())), Answer::Accepted);
    lab.list(&[]);
    assert_eq!(lab.counts([RecordState::Terminating]), [0], "the provider accepted to destroy them");
}

#[test]
fn a_loss_that_an_operator_accepts_is_proven_one_by_one_and_puts_no_brake_on_again() {
    let (mut lab, nodes) = farm(8);
    list_long(&mut lab, &nodes[..2]);
    assert_eq!(lab.step(Input::AcceptLoss(provider())), Answer::Accepted);
    assert_eq!((lab.happened(EventKind::MassLossEnded), view(&lab).mass_loss), (1, None));
    list_long(&mut lab, &nodes[..2]);
    assert_eq!((lab.gets(), lab.happened(EventKind::MassLoss)), (6, 1));
    let asked = lab.effects.values().find_map(|effect| match effect {
        Effect::Get { node, .. } => Some(node.clone()),
        _ => None,
    });
    let spared = lab.got(Ok(nodes.into_iter().find(|node| Some(&node.id) == asked.as_ref())));
    for _ in 0..5 {
        lab.got(Ok(None));
    }
    assert_eq!(lab.vm(&spared).unwrap().state, RecordState::Ready, "it is there after all");
    assert_eq!(lab.counts([RecordState::Terminating]), [5]);
}

#[test]
fn what_is_seen_again_after_an_accepted_loss_counts_again() {
    let (mut lab, nodes) = farm(8);
    lab.list(&nodes[..2]);
    assert_eq!(lab.step(Input::AcceptLoss(provider())), Answer::Accepted);
    lab.list(&nodes);
    lab.list(&[]);
    assert_eq!(lab.happened(EventKind::MassLoss), 2);
}

#[test]
fn leased_vms_whose_loss_is_proven_do_not_put_the_brake_on_later() {
    let (mut lab, nodes) = farm(10);
    for index in 0..6 {
        lab.granted(wish(&format!("r{index}"), "ann"));
    }
    let leased = lab.vms().filter(|vm| vm.lease.is_some()).filter_map(|vm| vm.node.clone());
    let leased: Vec<_> = leased.map(|node| node.id).collect();
    let without = |lost: usize| {
        let lost = &leased[..lost];
        nodes.iter().filter(|node| !lost.contains(&node.id)).cloned().collect::<Vec<_>>()
    };
    for lost in [3, 6] {
        list_long(&mut lab, &without(lost));
        while lab.gets() != 0 {
            lab.got(Ok(None));
        }
    }
    list_long(&mut lab, &without(6));
    assert_eq!(lab.vms().filter(|vm| vm.suspect.is_some()).count(), 6);
    assert_eq!(lab.happened(EventKind::MassLoss), 0);
}

#[test]
fn nodes_that_a_listing_cannot_show_yet_are_neither_known_nor_missing() {
    let mut pool = config(10);
    pool.max_starting = 10;
    let mut lab = Lab::new(pool);
    lab.boot_all();
    // It was asked for before there was a node.
    lab.list(&[]);
    assert_eq!(lab.happened(EventKind::MassLoss), 0);
    lab.list(&[]);
    assert_eq!(lab.happened(EventKind::MassLoss), 1);
}

#[test]
fn one_provider_s_brake_is_not_another_s() {
    let (mut lab, _) = farm(6);
    let mut spec = lab.engine.spec().clone();
    let other = ProviderName::new("other").unwrap();
    spec.epoch += 1;
    spec.providers.insert(other.clone(), vmpool_model::config::ProviderConfig::new("dummy"));
    lab.restart_as(spec);
    lab.list(&[]);
    let brakes: Vec<_> = lab.engine.providers().iter().map(|view| view.mass_loss.is_some()).collect();
    assert_eq!(brakes, [true, false]);
    let refusal = lab.refused(Input::AcceptLoss(other.clone()));
    assert_eq!(refusal, Refusal::NoMassLoss { provider: other });
}

#[test]
fn there_is_nothing_to_accept_without_a_brake_or_a_provider() {
    let (mut lab, _) = farm(1);
    assert_eq!(lab.refused(Input::AcceptLoss(provider())), Refusal::NoMassLoss { provider: provider() });
    let unknown = ProviderName::new("elsewhere").unwrap();
    let refusal = lab.refused(Input::AcceptLoss(unknown.clone()));
    assert_eq!(refusal, Refusal::UnknownProvider { provider: unknown, known: vec![provider()] });
    assert_eq!(refusal.to_string(), "there is no provider elsewhere; the providers are lab");
}

#[test]
fn after_a_restart_the_brake_is_found_again() {
    let (mut lab, _) = farm(6);
    lab.list(&[]);
    lab.restart();
    assert_eq!(view(&lab).mass_loss, None);
    list_long(&mut lab, &[]);
    assert_eq!((lab.gets(), lab.happened(EventKind::MassLoss)), (0, 2));
}
