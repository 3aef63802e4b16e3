//! VMs at a provider that a start does not know: nothing can be done about them, and that is told wherever one looks.

use std::collections::BTreeMap;

use vmpool_engine::{Answer, Input, Limit, Reconfigure};
use vmpool_model::{
    EventKind, Node, RecordState, VmName,
    config::{PoolConfig, ProviderConfig},
    states::NodeState,
};

use crate::{
    lab::{Lab, config, pool, provider, seconds, wish},
    reconfigure::{change, named, other, present},
};

const WHY: &str = "its provider lab is not configured: configure it again, or forget the VM";

/// Restarts with the pool at another provider and without the one there was; returns what was configured before.
fn restart_without(lab: &mut Lab, edit: impl FnOnce(&mut PoolConfig)) -> Reconfigure {
    let before = present(lab);
    let mut spec = lab.engine.spec().clone();
    spec.epoch += 1;
    spec.providers = BTreeMap::from([(other(), ProviderConfig::new("dummy"))]);
    let pool = spec.pools.get_mut(&pool()).unwrap();
    pool.provider = Some(other());
    edit(pool);
    lab.restart_as(spec);
    before
}

/// An engine that lacks the provider of its two VMs, one of which is leased.
fn stranded(edit: impl FnOnce(&mut PoolConfig)) -> (Lab, Reconfigure, VmName) {
    let mut lab = Lab::ready(config(2));
    let leased = lab.granted(wish("r1", "ann")).lease.vm;
    let before = restart_without(&mut lab, edit);
    (lab, before, leased)
}

fn free(lab: &Lab) -> VmName {
    lab.vms().find(|vm| vm.lease.is_none() && vm.provider == provider()).unwrap().name.clone()
}

#[test]
fn vms_at_a_provider_that_a_start_does_not_know_are_doubted_and_not_given() {
    let (mut lab, _, leased) = stranded(|_| {});
    let free = lab.vm(&free(&lab)).unwrap();
    assert_eq!((free.state, free.suspect.as_deref()), (RecordState::Ready, Some(WHY)));
    assert_eq!(lab.acquire(wish("r2", "bob").with_wait(seconds(60))), Answer::Waiting);
    let lease = lab.engine.leases().next().unwrap();
    assert_eq!((&lease.vm, lease.suspect.as_deref()), (&leased, Some(WHY)), "who holds one is told");
    let renew = Input::Renew { lease: lease.id.clone(), fence: None, ttl: None };
    assert!(matches!(lab.step(renew), Answer::Renewed(_)));
}

#[test]
fn who_waits_is_told_of_the_vms_that_take_up_the_room_and_what_to_do() {
    let (mut lab, _, _) = stranded(|_| {});
    let since = lab.now;
    assert_eq!(lab.acquire(wish("r2", "bob").with_wait(seconds(60))), Answer::Waiting);
    let explained = lab.engine.explain(&wish("r2", "bob").request).unwrap().obstacles.remove(0).limit;
    let expected =
        Limit::Stranded { total: 2, max_total: 2, stranded: 1, providers: "lab".to_owned(), since };
    assert_eq!((explained.to_string(), explained.kind()), (expected.to_string(), "stranded"));
    assert_eq!(
        expected.to_string(),
        "the pool has 2 VMs, and max_total is 2; 1 of them are at a provider that is not configured (lab): configure it \
         again, or forget them"
    );
    let view = lab.engine.pools().remove(0);
    assert_eq!(view.stranded, 1);
    let problem = "1 VM is at a provider that is not configured (lab): configure it again, or forget them";
    assert_eq!(view.problem.as_deref(), Some(problem));
    let refusal = lab.refused(Input::Acquire(Box::new(wish("r3", "eve"))));
    assert!(refusal.to_string().contains("1 at a provider that is not configured (lab)"), "{refusal}");
}

#[test]
fn a_pool_makes_others_in_their_place_as_far_as_it_may() {
    let (mut lab, _, _) = stranded(|pool| pool.max_total = Some(3));
    assert_eq!(lab.creates(), 1);
    lab.created(NodeState::Running);
    lab.granted(wish("r2", "bob"));
}

#[test]
fn vms_that_were_starting_there_do_not_keep_others_from_starting() {
    let mut lab = Lab::new(config(1));
    restart_without(&mut lab, |pool| (pool.max_total, pool.max_starting) = (Some(2), 1));
    assert_eq!(lab.creates(), 1);
    let view = lab.engine.pools().remove(0);
    assert_eq!((view.stranded, lab.counts([RecordState::Spawning])), (1, [2]));
}

/// What was told of a VM for which nothing can be done.
fn told(lab: &Lab, vm: &VmName) -> Vec<String> {
    let stuck = lab.events.iter().filter(|event| event.kind == EventKind::VmStuck);
    stuck.filter(|event| event.vm.as_ref() == Some(vm)).map(|event| event.detail.clone()).collect()
}

#[test]
fn each_is_reported_again_after_terminating_timeout_and_not_whenever_it_is_looked_at() {
    let (mut lab, _, _) = stranded(|_| {});
    let (free, pause) = (free(&lab), lab.engine.spec().pools[&pool()].terminating_timeout);
    for times in 1..=2 {
        assert_eq!(told(&lab, &free).len(), times);
        lab.pass(pause - seconds(1));
        // Whatever changes in its pool, its VMs are looked at.
        change(&mut lab, |to| to.pools.get_mut(&pool()).unwrap().lease_ttl += seconds(1));
        assert_eq!(told(&lab, &free).len(), times, "not before its time");
        lab.pass(seconds(1));
    }
    assert_eq!(told(&lab, &free).len(), 3, "at its time");
}

#[test]
fn each_is_reported_as_stuck_at_once_and_again_whatever_its_state() {
    let (mut lab, _, leased) = stranded(|_| {});
    let free = free(&lab);
    assert_eq!(told(&lab, &free), [format!("it is ready, and {WHY}")]);
    assert_eq!(told(&lab, &leased), [""; 0], "its holder goes on");
    lab.pass(seconds(7 * 86_400));
    let times = told(&lab, &free).len();
    assert!(5 < times && times < 20, "it was reported {times} times");
    assert_eq!(told(&lab, &leased)[0], format!("it is terminating, and {WHY}"), "its lease has expired");
    assert_eq!(lab.destroys(), 0);
}

#[test]
fn a_vm_that_is_given_back_there_waits_for_its_provider() {
    let (mut lab, before, leased) = stranded(|_| {});
    let lease = lab.engine.leases().next().unwrap().clone();
    lab.release(&lease);
    assert_eq!((lab.vm(&leased).unwrap().state, lab.destroys()), (RecordState::Terminating, 0));
    change(&mut lab, |to| *to = before);
    lab.tick();
    assert_eq!(lab.destroys(), 1);
}

#[test]
fn a_vm_there_that_is_forgotten_makes_room_at_once() {
    let (mut lab, _, leased) = stranded(|_| {});
    for vm in [free(&lab), leased] {
        let forget = Input::Forget { vm: vm.clone(), reason: "the rack burned".to_owned() };
        assert_eq!(lab.step(forget), Answer::Accepted);
        assert!(lab.vm(&vm).is_none());
        let told = lab.events.iter().rfind(|event| event.kind == EventKind::VmForgotten).unwrap();
        let detail = "the rack burned; nobody looks for its node, because provider lab is not configured";
        assert_eq!(told.detail, detail);
    }
    assert_eq!((lab.creates(), lab.engine.leases().count()), (2, 0));
    let view = lab.engine.pools().remove(0);
    assert_eq!((view.stranded, view.problem), (0, None));
}

#[test]
fn what_a_drained_pool_has_there_is_destroyed_once_it_can_be() {
    let (mut lab, before, _) = stranded(|_| {});
    let free = free(&lab);
    let _ = lab.step(Input::Drain { pool: pool(), reason: "upgrade".to_owned() });
    assert_eq!((lab.vm(&free).unwrap().state, lab.destroys()), (RecordState::Terminating, 0));
    change(&mut lab, |to| *to = before);
    lab.tick();
    assert_eq!(lab.destroys(), 1);
}

#[test]
fn vms_whose_provider_is_configured_again_are_used_again_once_a_listing_shows_them() {
    for restart in [false, true] {
        let (mut lab, before, _) = stranded(|_| {});
        match restart {
            true => {
                let mut spec = lab.engine.spec().clone();
                (spec.epoch, spec.pools, spec.providers) = (9, before.pools, before.providers);
                lab.restart_as(spec);
            }
            false => change(&mut lab, |to| *to = before),
        }
        lab.tick();
        let view = lab.engine.pools().remove(0);
        assert_eq!((view.stranded, view.problem), (0, None));
        assert_eq!(lab.acquire(wish("r2", "bob").with_wait(seconds(60))), Answer::Waiting, "it may be gone");
        let known =
            lab.vms().filter_map(|vm| Some((vm.token(&lab.engine.spec().installation), vm.node.clone()?)));
        let shown = known.map(|(token, node)| {
            let mut shown = Node::new(node.id, "node", node.state);
            (shown.token, shown.public_ips) = (Some(token), node.addresses);
            shown
        });
        let shown: Vec<_> = shown.collect();
        lab.list(&shown);
        assert_eq!(lab.counts([RecordState::InUse]), [2], "restarted: {restart}");
        assert!(lab.vms().all(|vm| vm.suspect.is_none()));
        assert_eq!((lab.happened(EventKind::OrphanFound), lab.destroys()), (0, 0));
    }
}

#[test]
fn what_a_removed_provider_had_left_at_a_crash_waits_for_it_too() {
    let mut lab = Lab::ready(config(2));
    let lease = lab.granted(wish("r1", "ann")).lease;
    crate::retire::take_out(&mut lab);
    lab.restart();
    assert_eq!(lab.counts([RecordState::InUse, RecordState::Terminating]), [1, 1]);
    lab.release(&lease);
    let view = lab.engine.pools().remove(0);
    assert_eq!((view.stranded, lab.destroys()), (2, 0));
    assert!(matches!(view.limits.as_slice(), [Limit::Stranded { stranded: 2, .. }]), "{:?}", view.limits);
}

#[test]
fn the_vms_of_each_pool_there_count_with_their_own_pool_once_it_is_configured_again() {
    let mut two = crate::lab::spec(config(2));
    two.pools.insert(named("large"), config(1));
    let mut lab = Lab::of(two);
    lab.boot_all();
    let before = restart_without(&mut lab, |_| {});
    let views = |lab: &Lab| {
        let views = lab.engine.pools().into_iter();
        views.map(|view| (view.stranded, view.counts[RecordState::Ready as usize])).collect::<Vec<_>>()
    };
    assert_eq!(views(&lab), [(1, 1), (2, 2)]);
    change(&mut lab, |to| *to = before);
    assert_eq!(views(&lab), [(0, 1), (0, 2)]);
}
