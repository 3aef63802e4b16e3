//! How a pool is filled: to its size, within its limits, with pauses after failures.

use std::time::Duration;

use vmpool_engine::{Effect, Input};
use vmpool_model::{EventKind, RecordState, states::NodeState};

use crate::lab::{Lab, config, pool, quota, seconds, spec, timeout};

#[test]
fn c45_a_pool_is_filled_to_its_size_and_not_beyond() {
    let mut lab = Lab::ready(config(5));
    lab.pass(seconds(60));
    assert_eq!(lab.counts([RecordState::Ready]), [5]);
    assert_eq!(lab.vms().count(), 5);
}

#[test]
fn c44_every_pool_gets_its_turn_in_one_step() {
    let mut spec = spec(config(1));
    for name in ["a", "b", "c"] {
        spec.pools.insert(vmpool_model::PoolName::new(name).unwrap(), config(1));
    }
    let lab = Lab::of(spec);
    let asked = lab.effects.values().filter_map(|effect| match effect {
        Effect::Create { token, .. } => Some(token.pool.to_string()),
        _ => None,
    });
    let asked: Vec<_> = asked.collect();
    assert_eq!(asked, ["a", "b", "c", "small"]);
}

#[test]
fn c45_c46_whatever_the_vms_do_they_are_no_more_than_max_total() {
    for ready in 0..=11 {
        for max_total in [11, 12] {
            let mut pool = config(max_total);
            pool.max_starting = 20;
            let mut spec = spec(pool);
            spec.providers.values_mut().for_each(|provider| provider.max_creating = Some(20));
            let mut lab = Lab::of(spec);
            for _ in 0..ready {
                lab.created(NodeState::Running);
            }
            assert_eq!(
                lab.counts([RecordState::Ready, RecordState::Spawning]),
                [ready, max_total as usize - ready]
            );
        }
    }
}

#[test]
fn c45_vms_in_every_state_count_up_to_max_total() {
    let mut pool = crate::lab::with_check(config(6));
    (pool.max_starting, pool.hooks.after_boot, pool.check_interval) = (6, crate::lab::hook(), seconds(0));
    let mut spec = spec(pool);
    spec.providers.values_mut().for_each(|provider| provider.max_creating = Some(6));
    let mut lab = Lab::of(spec);
    for (hooked, checked) in [(true, Some(Ok(()))), (true, Some(Err("refused"))), (true, None), (false, None)]
    {
        lab.created(NodeState::Running);
        if hooked {
            lab.hooked(Ok(()));
        }
        checked.into_iter().for_each(|result| lab.checked(result));
        if checked == Some(Ok(())) {
            lab.granted(crate::lab::wish("r1", "ann"));
        }
    }
    use RecordState as S;
    let states = [S::InUse, S::CheckHealthFailed, S::CheckHealth, S::GotIp, S::Spawning, S::Terminating];
    assert_eq!(lab.counts(states), [1, 1, 1, 1, 2, 0]);
    // Its user's VM is one of the six, so the pool wants one more than it may have.
    assert_eq!((lab.vms().count(), lab.creates()), (6, 2));
    let vm = lab.vms().find(|vm| vm.state == S::GotIp).unwrap().name.clone();
    let _ = lab.step(Input::Terminate { vm, only_if: None, reason: String::new() });
    assert_eq!(
        (lab.counts(states), lab.creates()),
        ([1, 1, 1, 0, 2, 1], 2),
        "what is being destroyed counts"
    );
}

#[test]
fn c52_a_spawn_that_max_total_refuses_is_not_recorded_either() {
    let mut pool = config(1);
    pool.spawn_min_interval = seconds(30);
    let mut lab = Lab::ready(pool);
    lab.pass(seconds(45));
    let vm = lab.only_vm().name.clone();
    let _ = lab.step(Input::Terminate { vm, only_if: None, reason: String::new() });
    lab.destroyed(Ok(()));
    assert_eq!((lab.vms().count(), lab.happened(EventKind::VmSpawning)), (1, 1), "max_total is in the way");
    lab.list(&[]);
    lab.list(&[]);
    assert_eq!((lab.creates(), lab.happened(EventKind::VmSpawning)), (1, 2), "no time of a refusal counts");
}

#[test]
fn c52_a_spawn_that_is_refused_is_not_recorded() {
    let mut pool = config(3);
    (pool.max_starting, pool.spawn_min_interval) = (1, seconds(30));
    let mut lab = Lab::new(pool);
    lab.pass(seconds(45));
    assert_eq!(
        (lab.vms().count(), lab.happened(EventKind::VmSpawning)),
        (1, 1),
        "max_starting is in the way"
    );
    lab.created(NodeState::Running);
    assert_eq!(lab.creates(), 1, "30 s after the spawn, not after the refusal");
}

#[test]
fn c53_a_spawn_that_nothing_refuses_is_recorded_with_its_time() {
    let mut pool = config(2);
    pool.spawn_min_interval = seconds(30);
    let mut lab = Lab::new(pool);
    assert_eq!(lab.only_vm().created_at, lab.now);
    lab.pass(seconds(30));
    let times: std::collections::BTreeSet<_> = lab.vms().map(|vm| lab.now.since(vm.created_at)).collect();
    assert_eq!(times, [seconds(0), seconds(30)].into());
}

#[test]
fn c50_at_most_max_starting_vms_start_at_once() {
    let mut pool = config(5);
    pool.max_starting = 2;
    let mut lab = Lab::new(pool);
    assert_eq!(lab.creates(), 2);
    lab.created(NodeState::Pending);
    assert_eq!(lab.creates(), 1, "a VM that boots still starts");
    lab.created(NodeState::Running);
    assert_eq!(lab.creates(), 1, "one is up, so another one begins");
}

#[test]
fn c47_c48_c49_spawns_keep_their_distance() {
    let mut pool = config(2);
    pool.spawn_min_interval = seconds(30);
    let mut lab = Lab::new(pool);
    assert_eq!(lab.creates(), 1);
    lab.pass(Duration::from_millis(29_999));
    assert_eq!(lab.creates(), 1);
    lab.pass(Duration::from_millis(1));
    assert_eq!(lab.creates(), 2);
}

#[test]
fn c49_the_spawns_of_another_pool_do_not_matter() {
    let mut spec = spec(config(1));
    let mut other = config(1);
    other.spawn_min_interval = seconds(30);
    spec.pools.insert(vmpool_model::PoolName::new("other").unwrap(), other.clone());
    spec.pools.insert(pool(), other);
    let lab = Lab::of(spec);
    assert_eq!(lab.creates(), 2);
}

#[test]
fn c47_the_distance_of_spawns_is_kept_over_a_restart() {
    let mut pool = config(2);
    pool.spawn_min_interval = seconds(30);
    let mut lab = Lab::new(pool);
    lab.created(NodeState::Running);
    lab.restart();
    lab.pass(seconds(29));
    assert_eq!(lab.vms().count(), 1);
    lab.pass(seconds(1));
    assert_eq!(lab.vms().count(), 2);
}

#[test]
fn c51_a_vm_that_is_being_destroyed_still_takes_room() {
    let mut pool = config(2);
    pool.max_total = Some(3);
    let mut lab = Lab::ready(pool);
    for request in ["r1", "r2"] {
        let grant = lab.granted(crate::lab::wish(request, "ann"));
        lab.release(&grant.lease);
    }
    assert_eq!(lab.counts([RecordState::Terminating, RecordState::Spawning]), [2, 1]);
    lab.destroyed(Ok(()));
    lab.destroyed(Ok(()));
    assert_eq!(lab.vms().count(), 3, "accepted is not gone");
    let booted = lab.boot_all();
    lab.list(&[]);
    lab.list(&booted);
    assert_eq!(lab.counts([RecordState::Terminating, RecordState::Ready]), [0, 1]);
    assert_eq!(lab.creates(), 1);
}

#[test]
fn what_is_asked_for_is_recorded_and_carries_the_token_of_its_record() {
    let lab = Lab::new(config(1));
    let vm = lab.only_vm();
    assert_eq!(vm.state, RecordState::Spawning);
    let token = vm.token(&lab.engine.spec().installation);
    let create = Effect::Create {
        provider: vm.provider.clone(),
        vm: vm.name.clone(),
        token,
        template: "template".to_owned(),
    };
    assert_eq!(lab.count(|effect| *effect == create), 1);
}

#[test]
fn a_create_that_certainly_failed_leaves_no_record_and_makes_the_pool_pause() {
    let mut lab = Lab::new(config(1));
    lab.not_created(quota());
    assert_eq!(lab.vms().count(), 0);
    assert_eq!(lab.happened(EventKind::SpawnFailed), 1);
    let until = lab.engine.pools()[0].paused_until.unwrap();
    assert!(seconds(1) <= until.since(lab.now) && until.since(lab.now) <= Duration::from_millis(1500));
    lab.pass(until.since(lab.now) - Duration::from_millis(1));
    assert_eq!(lab.creates(), 0);
    lab.pass(Duration::from_millis(1));
    assert_eq!(lab.creates(), 1);
}

#[test]
fn the_pause_doubles_with_every_failure_and_ends_with_a_vm_that_is_ready() {
    let mut lab = Lab::new(config(1));
    for least in [1, 2, 4, 8] {
        lab.not_created(quota());
        let pause = lab.engine.pools()[0].paused_until.unwrap().since(lab.now);
        assert!(seconds(least) <= pause && pause <= seconds(least) * 3 / 2, "{least}: {pause:?}");
        lab.pass(pause);
    }
    lab.created(NodeState::Running);
    let view = &lab.engine.pools()[0];
    assert_eq!((view.paused_until, view.problem.clone()), (None, None));
}

#[test]
fn f13_a_pause_that_the_provider_asks_for_is_kept() {
    let mut lab = Lab::new(config(1));
    let mut failure = quota();
    failure.retry_after = Some(seconds(90));
    lab.not_created(failure);
    lab.pass(seconds(89));
    assert_eq!(lab.creates(), 0);
    lab.pass(seconds(46));
    assert_eq!(lab.creates(), 1);
}

#[test]
fn f13_a_second_failure_does_not_shorten_the_pause_that_the_provider_asked_for() {
    let mut lab = Lab::new(config(2));
    let mut failure = quota();
    failure.retry_after = Some(seconds(90));
    lab.not_created(failure);
    lab.not_created(quota());
    lab.pass(seconds(89));
    assert_eq!(lab.creates(), 0);
}

#[test]
fn f13_a_vm_that_becomes_ready_does_not_end_the_pause_that_the_provider_asked_for() {
    let mut lab = Lab::new(config(2));
    let mut failure = quota();
    failure.retry_after = Some(seconds(90));
    lab.not_created(failure);
    lab.created(NodeState::Running);
    assert_eq!(lab.only_vm().state, RecordState::Ready);
    lab.pass(seconds(89));
    assert_eq!((lab.creates(), lab.engine.pools()[0].problem.is_some()), (0, true));
    lab.pass(seconds(46));
    assert_eq!(lab.creates(), 1);
}

#[test]
fn a_create_without_an_answer_makes_the_pool_pause_too() {
    let mut pool = config(3);
    pool.max_starting = 3;
    pool.spawn_min_interval = Duration::from_millis(1);
    let mut lab = Lab::new(pool);
    lab.not_created(timeout());
    lab.pass(Duration::from_millis(999));
    assert_eq!(lab.vms().count(), 1);
    lab.pass(seconds(1));
    assert!(1 < lab.vms().count());
}

#[test]
fn a_node_that_comes_up_dead_is_destroyed_and_makes_the_pool_pause() {
    let mut lab = Lab::new(config(1));
    lab.created(NodeState::Error);
    assert_eq!(lab.only_vm().state, RecordState::Terminating);
    assert_eq!(lab.destroys(), 1);
    assert!(lab.engine.pools()[0].paused_until.is_some());
}

#[test]
fn a_node_without_an_address_is_not_up() {
    let mut lab = Lab::new(config(1));
    let (create, token) = lab.create();
    let mut node = lab.node(&token, NodeState::Running);
    let addresses = std::mem::take(&mut node.public_ips);
    lab.answer(create, vmpool_engine::Outcome::Created(Ok(Box::new(node.clone()))));
    assert_eq!(lab.only_vm().state, RecordState::Spawning);
    node.private_ips = addresses;
    lab.list(&[node]);
    assert_eq!(lab.only_vm().state, RecordState::Ready);
}

#[test]
fn a_node_that_is_off_while_it_boots_may_still_come_up() {
    let mut lab = Lab::new(config(1));
    let mut node = lab.created(NodeState::Stopped);
    assert_eq!(lab.only_vm().state, RecordState::Spawning);
    node.state = NodeState::Running;
    lab.list(&[node]);
    assert_eq!(lab.only_vm().state, RecordState::Ready);
}

#[test]
fn a_vm_that_takes_longer_than_boot_timeout_is_given_up() {
    let mut pool = config(1);
    pool.boot_timeout = seconds(100);
    let mut lab = Lab::new(pool);
    let node = lab.created(NodeState::Pending);
    lab.list(std::slice::from_ref(&node));
    lab.pass(seconds(99));
    assert_eq!(lab.only_vm().state, RecordState::Spawning);
    lab.pass(seconds(1));
    assert_eq!(lab.only_vm().state, RecordState::Terminating);
    assert_eq!(lab.destroyed(Ok(())), node.id);
}

#[test]
fn a_create_that_is_answered_after_the_vm_was_given_up_leaks_nothing() {
    let mut pool = config(1);
    pool.boot_timeout = seconds(100);
    let mut lab = Lab::new(pool);
    lab.pass(seconds(100));
    assert_eq!(lab.only_vm().state, RecordState::Terminating);
    let node = lab.created(NodeState::Running);
    assert_eq!(lab.destroyed(Ok(())), node.id);
}

/// Restarts with another configuration while a create is under way, which was never carried out.
fn reconfigured(change: impl FnOnce(&mut vmpool_engine::Spec)) -> Lab {
    let mut lab = Lab::new(config(1));
    let mut spec = lab.engine.spec().clone();
    spec.epoch += 1;
    change(&mut spec);
    lab.restart_as(spec);
    assert_eq!(lab.finds(), 1);
    lab.found(vec![]);
    lab
}

#[test]
fn a_vm_without_a_node_whose_pool_left_the_configuration_is_not_made() {
    let lab = reconfigured(|spec| spec.pools.clear());
    assert_eq!((lab.creates(), lab.vms().count()), (0, 0));
}

#[test]
fn a_vm_without_a_node_whose_pool_moved_to_another_provider_is_made_there() {
    let other = vmpool_model::ProviderName::new("other").unwrap();
    let lab = reconfigured(|spec| {
        spec.providers.insert(other.clone(), vmpool_model::config::ProviderConfig::new("dummy"));
        spec.pools.get_mut(&pool()).unwrap().provider = Some(other.clone());
    });
    let made_there =
        |effect: &Effect| matches!(effect, Effect::Create { provider, .. } if *provider == other);
    assert_eq!((lab.creates(), lab.count(made_there)), (1, 1));
    assert_eq!(lab.only_vm().provider, other);
    assert!(lab.events.iter().any(|event| event.detail == "its pool no longer makes such VMs"));
}

#[test]
fn a_pool_that_left_the_configuration_keeps_what_it_has_and_adds_nothing() {
    let mut lab = Lab::ready(config(2));
    let grant = lab.granted(crate::lab::wish("r1", "ann"));
    let mut spec = lab.engine.spec().clone();
    spec.epoch += 1;
    spec.pools.clear();
    lab.restart_as(spec);
    lab.pass(seconds(20));
    assert_eq!(lab.counts([RecordState::Ready, RecordState::InUse]), [1, 1]);
    assert!(lab.engine.pools()[0].retired);
    lab.release(&grant.lease);
    assert_eq!((lab.destroys(), lab.creates(), lab.vms().count()), (1, 0, 2));
    lab.pass(seconds(10_000));
    assert_eq!(lab.counts([RecordState::Ready]), [1]);
}

#[test]
fn a_pool_that_left_the_configuration_is_forgotten_with_its_last_vm() {
    let mut lab = Lab::ready(config(2));
    let mut spec = lab.engine.spec().clone();
    spec.epoch += 1;
    spec.pools.clear();
    lab.restart_as(spec);
    let names: Vec<_> = lab.vms().map(|vm| vm.name.clone()).collect();
    for (vm, left) in names.into_iter().zip([1, 0]) {
        let reason = "an operator says so".to_owned();
        let _ = lab.step(Input::Terminate { vm, only_if: None, reason });
        lab.destroyed(Ok(()));
        while lab.vms().any(|vm| vm.state == RecordState::Terminating) {
            lab.list(&[]);
        }
        assert_eq!((lab.vms().count(), lab.engine.pools().len()), (left, left));
    }
}

#[test]
fn a_pool_for_which_somebody_waits_spawns_before_one_that_fills_its_stock() {
    let mut spec = crate::farm::spec([("a", config(2)), ("b", crate::farm::on_demand(2))]);
    spec.providers.values_mut().for_each(|provider| provider.max_creating = Some(1));
    let mut lab = Lab::of(spec);
    let next = |lab: &mut Lab| {
        let (_, token) = lab.create();
        lab.created(NodeState::Pending);
        token.pool.to_string()
    };
    assert_eq!(next(&mut lab), "a");
    for request in ["r1", "r2"] {
        crate::farm::waits(&mut lab, crate::farm::wish(request, "ann", ["b"]));
    }
    // The stock of a was asked for before anybody waited; then it is b's turn twice, although a spawned longer ago.
    let order = [next(&mut lab), next(&mut lab), next(&mut lab)];
    assert_eq!(order, ["a", "b", "b"]);
}
