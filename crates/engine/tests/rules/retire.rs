//! A provider that leaves the configuration goes with its last VM: what is there comes to its end in good order.

use std::collections::BTreeMap;

use vmpool_engine::{Answer, Effect, Input, ListedNodes};
use vmpool_model::{
    EventKind, RecordState,
    config::{OnRelease, PoolConfig, ProviderConfig},
    states::NodeState,
};

use crate::{
    lab::{Lab, config, pool, provider, seconds, wish, with_check},
    reconfigure::{change, named, other, present, told},
};

/// Takes the provider out, and lets the only pool have its VMs from another one.
pub(crate) fn take_out(lab: &mut Lab) {
    change(lab, |to| {
        to.providers = BTreeMap::from([(other(), ProviderConfig::new("dummy"))]);
        to.pools.get_mut(&pool()).unwrap().provider = Some(other());
    });
}

pub(crate) fn is_known(lab: &Lab) -> bool {
    lab.engine.providers().iter().any(|view| view.name == provider())
}

fn retired_at(lab: &Lab) -> Option<vmpool_model::Timestamp> {
    lab.engine.providers().into_iter().find(|view| view.name == provider())?.retired_at
}

fn creates_at(lab: &Lab) -> [usize; 2] {
    [provider(), other()]
        .map(|at| lab.count(|effect| matches!(effect, Effect::Create { provider, .. } if *provider == at)))
}

#[test]
fn a_removed_provider_makes_nothing_destroys_what_nobody_uses_and_lets_leases_run_out() {
    let mut lab = Lab::new(config(3));
    let node = lab.created(NodeState::Running);
    lab.created(NodeState::Running);
    let lease = lab.granted(wish("r1", "ann")).lease;
    take_out(&mut lab);
    assert_eq!(told(&lab), ["added providers.other; changed pools.small; removed providers.lab"]);
    assert_eq!(retired_at(&lab), Some(lab.now));
    // One is leased, one was ready, and one is being made: its node is destroyed once it is known.
    assert_eq!(lab.counts([RecordState::InUse, RecordState::Terminating]), [1, 2]);
    let why = lab.vms().find(|vm| vm.state == RecordState::Terminating).unwrap().problem.clone();
    assert_eq!(why.as_deref(), Some("its provider was taken out of the configuration"));
    assert_eq!((lab.destroys(), creates_at(&lab)), (1, [1, 0]), "there is no room for more than 3");
    lab.created(NodeState::Running);
    assert_eq!((lab.destroys(), creates_at(&lab)[0]), (2, 0));
    lab.destroyed(Ok(()));
    lab.destroyed(Ok(()));
    (0..2).for_each(|_| lab.list(std::slice::from_ref(&node)));
    assert_eq!(creates_at(&lab), [0, 2]);
    assert_eq!(lab.vm(&lease.vm).unwrap().state, RecordState::InUse);
    assert!(lab.vms().all(|vm| vm.name == lease.vm || vm.provider == other()));

    lab.release(&lease);
    lab.destroyed(Ok(()));
    assert!(is_known(&lab), "it is listed until its last VM is proven gone");
    while is_known(&lab) {
        lab.list(&[]);
    }
    assert!(lab.vm(&lease.vm).is_none());
    lab.effects.clear();
    lab.pass(seconds(60));
    assert_eq!(lab.count(|effect| matches!(effect, Effect::List { provider: at } if *at == provider())), 0);
}

#[test]
fn a_removed_provider_without_vms_is_gone_at_once() {
    let mut empty = config(0);
    empty.max_total = Some(1);
    let mut lab = Lab::new(empty);
    assert!(lab.engine.knows_provider(&provider()));
    take_out(&mut lab);
    assert!(!is_known(&lab));
    assert!(!lab.engine.knows_provider(&provider()) && lab.engine.knows_provider(&other()));
    let found = [provider(), other()].map(|name| lab.engine.provider(&name).map(|view| view.name));
    assert_eq!(found, [None, Some(other())]);
}

#[test]
fn only_what_a_provider_is_asked_for_in_the_very_step_in_which_it_goes_is_in_vain() {
    let mut empty = config(0);
    empty.max_total = Some(1);
    let mut spec = crate::lab::spec(empty);
    spec.providers.insert(other(), ProviderConfig::new("dummy"));
    let mut lab = Lab::of(spec);
    for at in [provider(), other()] {
        lab.listed_at(&at, Ok(ListedNodes { nodes: Vec::new(), incomplete: None }));
    }
    // The next listing of either is due when one of them goes.
    lab.now = lab.now + seconds(3600);
    take_out(&mut lab);
    let asked: Vec<_> = lab.effects.values().collect();
    assert!(matches!(asked.as_slice(), [Effect::List { provider }] if *provider == other()), "{asked:?}");
}

#[test]
fn a_vm_that_comes_back_at_a_removed_provider_is_destroyed_however_its_pool_uses_vms_again() {
    let mut reused = config(1);
    reused.on_release = OnRelease::Reuse;
    let mut lab = Lab::ready(reused);
    let lease = lab.granted(wish("r1", "ann")).lease;
    take_out(&mut lab);
    lab.release(&lease);
    let why = "its lease was released, and its provider was taken out of the configuration";
    assert_eq!(lab.vm(&lease.vm).unwrap().problem.as_deref(), Some(why));
    assert_eq!(lab.destroys(), 1);
}

#[test]
fn a_vm_at_a_removed_provider_is_held_for_its_time_and_then_destroyed() {
    let mut lab = Lab::ready(config(1));
    let vm = lab.only_vm().name.clone();
    let hold = Input::Hold { vm: vm.clone(), reason: String::new(), by: None, time: Some(seconds(100)) };
    assert_eq!(lab.step(hold), Answer::Accepted);
    take_out(&mut lab);
    lab.pass(seconds(99));
    assert_eq!(lab.vm(&vm).unwrap().state, RecordState::Held);
    lab.pass(seconds(1));
    assert_eq!((lab.vm(&vm).unwrap().state, lab.destroys()), (RecordState::Terminating, 1));
}

#[test]
fn the_node_of_a_leased_vm_is_still_looked_after_at_a_removed_provider() {
    let mut lab = Lab::ready(with_check(config(1)));
    let lease = lab.granted(wish("r1", "ann")).lease;
    take_out(&mut lab);
    lab.list_until_looked_up(&[]);
    lab.got(Ok(None));
    let vm = lab.vm(&lease.vm).unwrap();
    assert_eq!((vm.state, vm.suspect.is_some()), (RecordState::InUse, true));
    lab.pass(seconds(120));
    assert_eq!(lab.checks(), 1);
}

#[test]
fn a_destruction_that_a_removed_provider_refuses_is_asked_for_again() {
    let mut lab = Lab::ready(config(1));
    take_out(&mut lab);
    lab.destroyed(Err(crate::lab::timeout()));
    lab.pass(seconds(60));
    assert_eq!(lab.destroys(), 1);
}

#[test]
fn a_provider_that_comes_back_goes_on_with_what_is_there() {
    let mut lab = Lab::ready(config(2));
    let lease = lab.granted(wish("r1", "ann")).lease;
    let before = present(&lab);
    take_out(&mut lab);
    change(&mut lab, |to| *to = before);
    assert_eq!(told(&lab)[1], "added providers.lab; changed pools.small; removed providers.other");
    assert_eq!(retired_at(&lab), None);
    assert_eq!(lab.counts([RecordState::InUse, RecordState::Terminating]), [1, 1]);
    lab.destroyed(Ok(()));
    let node = lab.vm(&lease.vm).unwrap().node.clone().unwrap();
    let mut shown = vmpool_model::Node::new(node.id, "node", node.state);
    shown.public_ips = node.addresses;
    (0..2).for_each(|_| lab.list(std::slice::from_ref(&shown)));
    assert_eq!((lab.vm(&lease.vm).unwrap().suspect.clone(), lab.creates()), (None, 1));
}

#[test]
fn what_another_account_was_asked_before_a_provider_came_back_otherwise_proves_nothing() {
    for other_account in [false, true] {
        let mut lab = Lab::new(config(1));
        lab.boot_all();
        let lease = lab.granted(wish("r1", "ann")).lease;
        lab.list(&[]);
        lab.list(&[]);
        let before = present(&lab);
        take_out(&mut lab);
        lab.pass(seconds(40));
        let under_way =
            lab.count(|effect| matches!(effect, Effect::List { provider: at } if *at == provider()));
        assert_eq!(under_way, 1);
        change(&mut lab, |to| {
            *to = before;
            if other_account {
                to.providers.get_mut(&provider()).unwrap().driver = "another".to_owned();
            }
        });
        // One listing is that of the driver before, and one that of the driver there is; both show nothing.
        (0..2).for_each(|_| lab.list(&[]));
        assert_eq!(lab.gets(), usize::from(!other_account), "another account: {other_account}");
        assert_eq!(lab.vm(&lease.vm).unwrap().suspect, None);
    }
}

#[test]
fn a_removed_provider_that_can_still_be_asked_comes_to_its_end_after_a_new_start() {
    let mut lab = Lab::ready(config(2));
    let lease = lab.granted(wish("r1", "ann")).lease;
    let config = present(&lab).providers.remove(&provider()).unwrap();
    take_out(&mut lab);
    let mut spec = lab.engine.spec().clone();
    spec.epoch += 1;
    spec.retired.insert(provider(), config);
    lab.restart_as(spec);
    assert!(retired_at(&lab).is_some());
    assert_eq!((lab.destroys(), lab.counts([RecordState::InUse])), (1, [1]));
    lab.destroyed(Ok(()));
    lab.release(&lease);
    lab.destroyed(Ok(()));
    while is_known(&lab) {
        lab.list(&[]);
    }
    assert_eq!(lab.vms().filter(|vm| vm.provider == provider()).count(), 0);
}

#[test]
fn a_removed_provider_that_nobody_needs_is_forgotten_at_the_next_start() {
    let mut spec = crate::lab::spec(config(0));
    spec.retired.insert(other(), ProviderConfig::new("dummy"));
    let lab = Lab::of(spec);
    assert_eq!(lab.engine.providers().len(), 1);
}

#[test]
fn a_pool_and_its_provider_that_are_removed_at_once_go_together() {
    let mut lab = Lab::ready(config(2));
    change(&mut lab, |to| {
        to.providers = BTreeMap::from([(other(), ProviderConfig::new("dummy"))]);
        to.pools = BTreeMap::from([(named("large"), PoolConfig::new(other(), "large", 0))]);
        to.pools.get_mut(&named("large")).unwrap().max_total = Some(1);
    });
    assert_eq!(told(&lab), ["added providers.other, pools.large; removed providers.lab, pools.small"]);
    lab.destroyed(Ok(()));
    lab.destroyed(Ok(()));
    lab.list(&[]);
    lab.list(&[]);
    assert_eq!((lab.vms().count(), lab.engine.pools().len(), is_known(&lab)), (0, 1, false));
    assert_eq!(lab.happened(EventKind::OrphanFound), 0);
}
