//! A drained pool comes to its end without hurting anybody, and may begin again.

use vmpool_engine::{Answer, Input, Reconfigure, Refusal};
use vmpool_model::{
    EventKind, PoolName, RecordState,
    config::{HookKind, OnExpiry, OnRelease},
    states::NodeState,
};

use crate::{
    farm::{
        farm, labels, name, on_demand, release, renew, served, waits, wish as of, with_fallback, with_labels,
    },
    lab::{Lab, config, pool, quota, seconds, timeout, wish, with_check},
};

fn drain(lab: &mut Lab, reason: &str) {
    let answer = lab.step(Input::Drain { pool: pool(), reason: reason.to_owned() });
    assert_eq!(answer, Answer::Accepted);
}

fn undrain(lab: &mut Lab) {
    assert_eq!(lab.step(Input::Undrain(pool())), Answer::Accepted);
}

/// Lets everything be destroyed that is to be.
fn destroy_all(lab: &mut Lab) {
    while lab.destroys() != 0 {
        lab.destroyed(Ok(()));
    }
    lab.list(&[]);
    lab.list(&[]);
}

#[test]
fn draining_destroys_what_nobody_uses_and_makes_nothing_new() {
    let mut lab = Lab::ready(config(3));
    lab.granted(wish("r1", "ann"));
    drain(&mut lab, "upgrade");
    assert_eq!(lab.counts([RecordState::InUse, RecordState::Terminating]), [1, 2]);
    let reason = lab.vms().find(|vm| vm.lease.is_none()).and_then(|vm| vm.problem.clone());
    assert_eq!(reason.as_deref(), Some("its pool is drained: upgrade"));
    destroy_all(&mut lab);
    lab.pass(seconds(300));
    assert_eq!((lab.vms().count(), lab.creates()), (1, 0));
    let view = lab.engine.pools().remove(0);
    assert_eq!(view.drain.map(|drain| drain.reason).as_deref(), Some("upgrade"));
    assert_eq!(view.counts.iter().sum::<usize>(), 1);
}

#[test]
fn leases_of_a_drained_pool_go_on_and_their_vms_go_when_they_end() {
    let mut reuse = config(2);
    reuse.on_release = OnRelease::Reuse;
    let mut lab = Lab::ready(reuse);
    let lease = lab.granted(wish("r1", "ann")).lease;
    drain(&mut lab, "upgrade");
    lab.pass(seconds(500));
    let renew = Input::Renew { lease: lease.id.clone(), fence: None, ttl: None };
    assert!(matches!(lab.step(renew), Answer::Renewed(_)));
    lab.release(&lease);
    assert_eq!(
        lab.vm(&lease.vm).unwrap().state,
        RecordState::Terminating,
        "it would be kept for ann otherwise"
    );
}

#[test]
fn vms_that_start_are_destroyed_once_it_is_known_what_became_of_them() {
    let mut lab = Lab::new(config(2));
    lab.created(NodeState::Pending);
    drain(&mut lab, "upgrade");
    assert_eq!((lab.creates(), lab.destroys()), (1, 1));
    let node = lab.created(NodeState::Pending);
    assert_eq!(lab.destroys(), 2);
    assert_eq!(lab.vms().filter(|vm| vm.node.as_ref().is_some_and(|known| known.id == node.id)).count(), 1);
    let mut lab = Lab::new(config(1));
    drain(&mut lab, "upgrade");
    lab.not_created(timeout());
    lab.pass(seconds(2));
    assert_eq!((lab.finds(), lab.creates()), (1, 0), "the answer was lost: there may be a node");
    let mut lab = Lab::new(config(1));
    lab.not_created(timeout());
    drain(&mut lab, "upgrade");
    lab.pass(seconds(2));
    lab.found(vec![]);
    assert_eq!((lab.vms().count(), lab.creates()), (0, 0));
    let mut lab = Lab::new(config(1));
    drain(&mut lab, "upgrade");
    lab.not_created(quota());
    lab.pass(seconds(600));
    assert_eq!((lab.vms().count(), lab.creates()), (0, 0));
}

#[test]
fn vms_in_a_check_are_destroyed() {
    let mut lab = Lab::new(with_check(config(2)));
    lab.created(NodeState::Running);
    lab.created(NodeState::Running);
    lab.checked(Err("refused"));
    assert_eq!(lab.counts([RecordState::CheckHealth, RecordState::CheckHealthFailed]), [1, 1]);
    drain(&mut lab, "upgrade");
    assert_eq!(lab.counts([RecordState::Terminating]), [2]);
}

#[test]
fn requests_that_only_a_drained_pool_could_serve_are_refused_with_the_reason() {
    let mut lab = Lab::new(config(1));
    assert_eq!(lab.acquire(wish("r1", "ann").with_wait(seconds(600))), Answer::Waiting);
    drain(&mut lab, "the image is broken");
    let refusal = Refusal::PoolDrained { pool: pool(), reason: "the image is broken".to_owned() };
    let (id, decided) = lab.decided.remove(0);
    assert_eq!((id.as_str(), decided), ("r1", Err(refusal.clone())));
    assert_eq!(
        refusal.to_string(),
        "pool small is being drained (the image is broken): it gives no VMs until it is undrained; ask another pool"
    );
    let acquire = |request| Input::Acquire(Box::new(wish(request, "ann").with_wait(seconds(600))));
    assert_eq!(lab.refused(acquire("r2")), refusal);
    let happened = [EventKind::RequestTurnedAway, EventKind::RequestCancelled].map(|kind| lab.happened(kind));
    assert_eq!(happened, [1, 0], "nobody withdrew it");
    // Its client lost the connection, and asks what became of it.
    let (why, request) = (refusal.to_string(), wish("r1", "ann").request);
    let turned_away = Refusal::TurnedAway { request: request.clone(), at: lab.now, why };
    assert_eq!(lab.refused(acquire("r1")), turned_away);
    lab.restart();
    assert_eq!(lab.step(Input::Undrain(pool())), Answer::Accepted);
    assert_eq!(lab.refused(acquire("r1")), turned_away, "it is over, whatever has changed since");
    assert_eq!(lab.refused(Input::Cancel(request)), turned_away);
    lab.pass(seconds(600));
    assert_eq!(lab.step(acquire("r1")), Answer::Waiting, "nobody remembers it");
}

#[test]
fn requests_that_another_pool_may_serve_wait_for_that_one_when_theirs_is_drained() {
    let first = with_fallback(with_labels(on_demand(1), ["x86"]), "c");
    let mut lab = farm([("a", first), ("b", with_labels(on_demand(1), ["x86"])), ("c", on_demand(1))]);
    for request in ["has-a", "has-b", "has-c"] {
        waits(&mut lab, of(request, "zoe", [&request[4..]]));
    }
    lab.boot_all();
    waits(&mut lab, of("named", "ann", ["a", "b"]));
    waits(&mut lab, of("stood-in", "bob", ["a"]));
    let labeled = of("labeled", "cat", []).with_labels(labels(["x86"]));
    waits(&mut lab, labeled);
    lab.decided.clear();
    let drain = Input::Drain { pool: name("a"), reason: String::new() };
    assert_eq!((lab.step(drain), lab.decided.len()), (Answer::Accepted, 0));
    for request in ["has-c", "has-b"] {
        release(&mut lab, request);
        renew(&mut lab);
    }
    assert_eq!(served(&lab), ["named", "labeled"], "c stands in for a, whoever else could be asked");
    release(&mut lab, "named");
    renew(&mut lab);
    assert_eq!(served(&lab), ["named", "labeled", "stood-in"]);
}

#[test]
fn an_undrained_pool_works_again() {
    let mut lab = Lab::ready(config(2));
    drain(&mut lab, "upgrade");
    destroy_all(&mut lab);
    assert_eq!(lab.vms().count(), 0);
    undrain(&mut lab);
    assert_eq!((lab.creates(), lab.happened(EventKind::PoolUndrained)), (2, 1));
    lab.boot_all();
    lab.granted(wish("r1", "ann"));
    assert!(lab.pools.is_empty(), "nothing is left to be remembered");
    undrain(&mut lab);
    assert_eq!(lab.happened(EventKind::PoolUndrained), 1, "it was not drained");
}

#[test]
fn draining_again_changes_the_reason_only() {
    let mut lab = Lab::ready(config(1));
    drain(&mut lab, "upgrade");
    let since = lab.now;
    lab.pass(seconds(60));
    drain(&mut lab, "broken");
    drain(&mut lab, "broken");
    let drained = lab.pools[&pool()].drain.clone().unwrap();
    assert_eq!((drained.reason.as_str(), drained.since), ("broken", since));
    assert_eq!(lab.happened(EventKind::PoolDrained), 2);
}

#[test]
fn draining_again_without_a_reason_keeps_the_first_one() {
    let mut lab = Lab::ready(config(1));
    drain(&mut lab, "upgrade");
    drain(&mut lab, "");
    assert_eq!(lab.pools[&pool()].drain.clone().unwrap().reason, "upgrade");
    assert_eq!(lab.happened(EventKind::PoolDrained), 1, "nothing changed");
    undrain(&mut lab);
    drain(&mut lab, "");
    assert_eq!(lab.pools[&pool()].drain.clone().unwrap().reason, "no reason was given");
}

#[test]
fn a_pool_that_is_not_known_cannot_be_drained() {
    let mut lab = Lab::new(config(1));
    let unknown = PoolName::new("large").unwrap();
    let refusal = Refusal::UnknownPool { pool: unknown.clone(), known: vec![pool()] };
    let wishes = [Input::Drain { pool: unknown.clone(), reason: String::new() }, Input::Undrain(unknown)];
    for wish in wishes {
        assert_eq!(lab.refused(wish), refusal);
    }
    assert!(lab.pools.is_empty());
}

#[test]
fn a_pool_stays_drained_over_a_restart() {
    let mut lab = Lab::ready(config(2));
    let lease = lab.granted(wish("r1", "ann")).lease;
    drain(&mut lab, "upgrade");
    let since = lab.now;
    lab.now = lab.now + seconds(60);
    lab.restart();
    assert_eq!(lab.engine.pools()[0].drain.as_ref().unwrap().since, since);
    lab.pass(seconds(60));
    assert_eq!(lab.creates(), 0);
    assert_eq!(lab.vm(&lease.vm).unwrap().state, RecordState::InUse);
}

#[test]
fn what_was_to_be_destroyed_when_the_engine_was_killed_is_destroyed_after_it() {
    let mut lab = Lab::ready(config(2));
    lab.pools.insert(
        pool(),
        vmpool_model::PoolRecord {
            name: pool(),
            drain: Some(vmpool_model::Drain { reason: "upgrade".to_owned(), since: lab.now, by: None }),
            removed_at: None,
            hooks: vmpool_model::config::HooksConfig::default(),
            ends: vmpool_model::PoolEnds::default(),
            forgotten_at: None,
        },
    );
    lab.restart();
    assert_eq!(lab.counts([RecordState::Terminating]), [2]);
}

#[test]
fn a_pool_that_is_not_configured_keeps_its_vms_until_it_is_drained() {
    let mut lab = Lab::ready(config(2));
    without_pools(&mut lab);
    lab.pass(seconds(3600));
    assert_eq!(lab.counts([RecordState::Ready]), [2]);
    let told = lab.refused(Input::Acquire(Box::new(wish("r1", "ann"))));
    assert!(told.to_string().starts_with("pool small is not in the configuration any more"), "{told}");
    drain(&mut lab, "nobody wants it");
    assert_eq!(lab.counts([RecordState::Terminating]), [2]);
    destroy_all(&mut lab);
    assert!(lab.engine.pools().is_empty() && lab.pools.is_empty());
}

/// Starts anew without any pool in the configuration.
fn without_pools(lab: &mut Lab) {
    let mut spec = lab.engine.spec().clone();
    spec.epoch += 1;
    spec.pools.clear();
    lab.restart_as(spec);
}

#[test]
fn a_lease_of_a_pool_that_is_not_configured_ends_as_it_was_promised() {
    let mut config = config(3);
    (config.on_expiry, config.max_held, config.max_hold_time) = (OnExpiry::Hold, 1, seconds(100));
    (config.lease_ttl, config.max_lease_ttl) = (seconds(100_000), seconds(200_000));
    config.hooks.after_destroy = crate::lab::hook();
    let mut lab = Lab::ready(config);
    let leases = ["r1", "r2", "r3"].map(|request| lab.granted(wish(request, "ann")).lease);
    for _ in 0..2 {
        without_pools(&mut lab);
        let renew = Input::Renew { lease: leases[0].id.clone(), fence: None, ttl: Some(seconds(200_000)) };
        assert!(matches!(lab.step(renew), Answer::Renewed(_)), "as long as the pool allowed");
    }
    lab.release(&leases[2]);
    lab.pass(seconds(100_000));
    lab.pass(seconds(99_999));
    let states = || leases.each_ref().map(|lease| lab.vm(&lease.vm).map(|vm| vm.state));
    let (used, held, gone) = (RecordState::InUse, RecordState::Held, RecordState::Terminating);
    assert_eq!(states(), [Some(used), Some(gone), Some(gone)], "it was held for as long as its pool allowed");
    assert_eq!(lab.happened(EventKind::VmHeld), 1);
    lab.pass(seconds(1));
    assert_eq!(lab.vm(&leases[0].vm).unwrap().state, held);
    destroy_all(&mut lab);
    assert!(lab.hooks().iter().all(|run| run.kind == HookKind::AfterDestroy) && !lab.hooks().is_empty());
}

#[test]
fn what_is_remembered_of_a_pool_goes_with_its_last_vm_and_what_is_drained_stays_so() {
    let mut held = config(1);
    held.on_expiry = OnExpiry::Hold;
    let mut lab = Lab::ready(held.clone());
    assert_eq!(lab.pools.len(), 1, "what its leases need is written while it is known");
    without_pools(&mut lab);
    assert_eq!((lab.pools.len(), lab.engine.pools().len()), (1, 1));
    let vm = lab.only_vm().name.clone();
    assert_eq!(lab.step(Input::Forget { vm, reason: "test".to_owned() }), Answer::Accepted);
    without_pools(&mut lab);
    lab.pass(seconds(1));
    assert!(lab.pools.is_empty(), "{:?}", lab.pools);
    let mut lab = Lab::new(held);
    drain(&mut lab, "upgrade");
    without_pools(&mut lab);
    lab.pass(seconds(1));
    assert!(lab.pools[&pool()].drain.is_some());
}

#[test]
fn a_drain_is_remembered_while_the_pool_is_not_configured() {
    let mut lab = Lab::new(config(0));
    drain(&mut lab, "upgrade");
    let mut spec = lab.engine.spec().clone();
    let mut without = spec.clone();
    (without.epoch, spec.epoch) = (spec.epoch + 1, spec.epoch + 2);
    without.pools.clear();
    lab.restart_as(without);
    assert!(lab.engine.pools().is_empty());
    lab.restart_as(spec);
    assert!(lab.engine.pools()[0].drain.is_some());
}

#[test]
fn what_comes_back_to_a_drained_pool_is_not_cleaned_first() {
    let mut config = config(1);
    (config.on_release, config.hooks.before_release) = (OnRelease::Clean, crate::lab::hook());
    let mut lab = Lab::ready(config);
    let lease = lab.granted(wish("r1", "ann")).lease;
    drain(&mut lab, "upgrade");
    lab.release(&lease);
    assert_eq!((lab.hooks().len(), lab.only_vm().state), (0, RecordState::Terminating));
}

#[test]
fn f14_a_record_of_a_pool_that_cannot_be_read_is_never_written_over() {
    let mut lab = Lab::ready(config(2));
    lab.unreadable_pools.insert(pool());
    lab.restart();
    for input in [Input::Drain { pool: pool(), reason: String::new() }, Input::Undrain(pool())] {
        assert_eq!(lab.refused(input), Refusal::PoolUnreadable { pool: pool() });
    }
    assert_eq!(lab.counts([RecordState::Ready]), [2], "nothing is known that speaks against using them");
    let spec = lab.engine.spec();
    let with = Reconfigure {
        pools: spec.pools.clone(),
        providers: spec.providers.clone(),
        limits: spec.limits.clone(),
    };
    let without = Reconfigure { pools: std::collections::BTreeMap::new(), ..with.clone() };
    for to in [without.clone(), with, without] {
        assert_eq!(lab.step(Input::Reconfigure(Box::new(to))), Answer::Accepted);
    }
    assert_eq!(lab.counts([RecordState::Terminating]), [2]);
    destroy_all(&mut lab);
    assert!(lab.engine.pools().is_empty() && lab.pools.is_empty(), "and no record of it was removed");
}
