//! A node whose VM was forgotten is found and destroyed even if its pool or provider left the configuration.

use std::collections::BTreeMap;

use vmpool_engine::{Answer, Input};
use vmpool_model::{EventKind, Node, Token, VmName, config::ProviderConfig, states::NodeState};

use crate::{
    lab::{Lab, config, pool, provider, seconds, timeout, wish},
    reconfigure::{change, other, present},
    retire::{is_known, take_out},
};

fn forget(lab: &mut Lab, vm: &VmName) {
    let answer = lab.step(Input::Forget { vm: vm.clone(), reason: "the host burnt".to_owned() });
    assert_eq!(answer, Answer::Accepted);
}

/// An engine with one VM that is leased, and its node.
fn leased() -> (Lab, VmName, Node) {
    let mut lab = Lab::new(config(1));
    let node = lab.boot_all().remove(0);
    let vm = lab.granted(wish("r1", "ann")).lease.vm;
    (lab, vm, node)
}

/// Takes out the only pool; its provider stays.
fn take_out_pool(lab: &mut Lab) {
    change(lab, |to| drop(to.pools.remove(&pool())));
}

fn has_pool(lab: &Lab) -> bool {
    lab.engine.pools().iter().any(|view| view.name == pool())
}

/// Lists the node until its destruction is asked for.
fn list_until_destroyed(lab: &mut Lab, node: &Node) {
    for _ in 0..30 {
        lab.list(std::slice::from_ref(node));
    }
    assert_eq!((lab.happened(EventKind::OrphanFound), lab.destroys()), (1, 1));
    assert_eq!(lab.destroyed(Ok(())), node.id);
}

#[test]
fn the_node_of_the_last_vm_of_a_removed_pool_is_destroyed_if_the_vm_was_forgotten() {
    let (mut lab, vm, node) = leased();
    take_out_pool(&mut lab);
    forget(&mut lab, &vm);
    list_until_destroyed(&mut lab, &node);
    assert!(has_pool(&lab), "its node may still be there");
    lab.list(&[]);
    assert!(!has_pool(&lab) && lab.pools.is_empty());
}

#[test]
fn a_removed_pool_whose_last_vm_was_forgotten_is_looked_after_over_a_restart() {
    let (mut lab, vm, node) = leased();
    take_out_pool(&mut lab);
    forget(&mut lab, &vm);
    lab.restart();
    assert!(has_pool(&lab));
    list_until_destroyed(&mut lab, &node);
    lab.list(&[]);
    assert!(!has_pool(&lab) && lab.pools.is_empty());
}

#[test]
fn a_pool_that_is_removed_after_its_vm_was_forgotten_waits_for_a_listing_too() {
    let (mut lab, vm, node) = leased();
    change(&mut lab, |to| to.pools.get_mut(&pool()).unwrap().max_total = Some(1));
    forget(&mut lab, &vm);
    // The VM that took its place is proven not to exist.
    lab.not_created(crate::lab::quota());
    take_out_pool(&mut lab);
    list_until_destroyed(&mut lab, &node);
    lab.list(&[]);
    assert!(!has_pool(&lab));
}

#[test]
fn what_may_not_be_visible_yet_when_a_listing_is_asked_for_is_looked_for_again() {
    let (mut lab, vm, _) = leased();
    change(&mut lab, |to| {
        let provider = to.providers.get_mut(&provider()).unwrap();
        (provider.visibility_window, provider.create_settle) = (seconds(50), Some(seconds(30)));
    });
    take_out_pool(&mut lab);
    let forgotten_at = lab.now;
    forget(&mut lab, &vm);
    while has_pool(&lab) {
        lab.list(&[]);
    }
    assert!(forgotten_at + seconds(80) <= lab.now, "only {:?}", lab.now.since(forgotten_at));
    assert!(lab.now <= forgotten_at + seconds(100));
}

#[test]
fn a_removed_provider_whose_last_vm_was_forgotten_stays_until_the_node_is_gone() {
    let (mut lab, vm, node) = leased();
    take_out(&mut lab);
    forget(&mut lab, &vm);
    assert!(is_known(&lab));
    list_until_destroyed(&mut lab, &node);
    assert!(is_known(&lab), "its node may still be there");
    lab.list(&[]);
    assert!(!is_known(&lab));
}

#[test]
fn a_removed_provider_that_never_answers_is_given_up_once_its_vms_are_forgotten() {
    let (mut lab, vm, _) = leased();
    change(&mut lab, |to| {
        to.providers = BTreeMap::from([(other(), ProviderConfig::new("dummy"))]);
        to.pools = BTreeMap::new();
    });
    for _ in 0..30 {
        lab.listed(Err(timeout()));
    }
    assert!(is_known(&lab), "it has a VM");
    forget(&mut lab, &vm);
    lab.listed(Err(timeout()));
    assert!(!is_known(&lab) && !has_pool(&lab));
    let told = lab.events.iter().rfind(|event| event.kind == EventKind::ProviderFailed).unwrap();
    assert!(
        told.detail.contains("look there for nodes of forgotten VMs yourself (pools: small;"),
        "{told:?}"
    );
}

#[test]
fn a_pool_that_comes_back_while_its_forgotten_vms_are_looked_for_works_again() {
    let (mut lab, vm, node) = leased();
    let before = present(&lab);
    take_out_pool(&mut lab);
    forget(&mut lab, &vm);
    change(&mut lab, |to| *to = before);
    assert_eq!((lab.creates(), lab.pools.len()), (1, 0));
    list_until_destroyed(&mut lab, &node);
    lab.list(&[]);
    assert!(has_pool(&lab));
}

#[test]
fn a_removed_provider_stays_until_an_orphan_is_proven_gone_whose_end_it_accepted() {
    let mut lab = Lab::new(config(1));
    let token = lab.create().1;
    let stray = lab.node(&Token { vm: VmName::new("small-stray").unwrap(), ..token }, NodeState::Running);
    list_until_destroyed(&mut lab, &stray);
    take_out(&mut lab);
    lab.not_created(crate::lab::quota());
    assert_eq!(lab.vms().filter(|vm| vm.provider == provider()).count(), 0);
    assert!(is_known(&lab), "its node may still be there");
    while lab.destroys() == 0 {
        lab.list(std::slice::from_ref(&stray));
    }
    lab.destroyed(Ok(()));
    while is_known(&lab) {
        lab.list(&[]);
    }
}

#[test]
fn a_removed_provider_goes_though_it_lists_for_ever_an_orphan_that_ended_by_itself() {
    let (mut lab, vm, mut node) = leased();
    take_out(&mut lab);
    forget(&mut lab, &vm);
    lab.list(std::slice::from_ref(&node));
    assert_eq!(lab.happened(EventKind::OrphanFound), 1);
    node.state = NodeState::Terminated;
    let mut left = 30;
    while is_known(&lab) {
        left -= 1;
        assert_ne!(left, 0, "the listings go on");
        lab.list(std::slice::from_ref(&node));
    }
}

/// Lets so many listings in a row fail.
fn fail(lab: &mut Lab, times: usize) {
    (0..times).for_each(|_| lab.listed(Err(timeout())));
}

fn told_of_failures(lab: &Lab) -> Vec<&str> {
    let told = lab.events.iter().filter(|event| event.kind == EventKind::ProviderFailed);
    told.map(|event| event.detail.as_str()).filter(|detail| detail.contains("given up")).collect()
}

#[test]
fn a_removed_provider_is_given_up_when_the_tenth_listing_in_a_row_fails_and_not_before() {
    let (mut lab, vm, _) = leased();
    take_out(&mut lab);
    forget(&mut lab, &vm);
    fail(&mut lab, 9);
    assert!(is_known(&lab));
    fail(&mut lab, 1);
    assert!(!is_known(&lab));
}

#[test]
fn a_provider_that_is_configured_is_never_given_up() {
    let (mut lab, vm, node) = leased();
    take_out_pool(&mut lab);
    forget(&mut lab, &vm);
    fail(&mut lab, 30);
    assert!(has_pool(&lab), "what was forgotten is still looked for");
    assert_eq!(told_of_failures(&lab), Vec::<&str>::new());
    list_until_destroyed(&mut lab, &node);
}

#[test]
fn the_orphans_that_may_be_left_at_a_provider_that_is_given_up_are_told() {
    let mut lab = Lab::new(config(1));
    let token = lab.create().1;
    let stray = lab.node(&Token { vm: VmName::new("small-stray").unwrap(), ..token }, NodeState::Running);
    lab.list(std::slice::from_ref(&stray));
    take_out(&mut lab);
    lab.not_created(crate::lab::quota());
    fail(&mut lab, 10);
    assert!(!is_known(&lab));
    let told = told_of_failures(&lab);
    let left = "nodes of ours that belong to no VM when it was listed last: 1)";
    assert!(matches!(told.as_slice(), [told] if told.ends_with(left)), "{told:?}");
}
