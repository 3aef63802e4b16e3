//! Another configuration counts at once, changes everything or nothing, and ends no lease.

use std::collections::BTreeMap;

use vmpool_engine::{Answer, Effect, Input, Reconfigure, Refusal};
use vmpool_model::{
    EventKind, Owner, PoolName, ProviderName, RecordState,
    config::{CheckConfig, CheckMode, HookKind, LimitsConfig, OfferConfig, PoolConfig, ProviderConfig},
    states::NodeState,
};

use crate::lab::{Lab, config, pool, provider, seconds, wish, with_check};

/// The configuration that an engine has.
pub(crate) fn present(lab: &Lab) -> Reconfigure {
    let spec = lab.engine.spec();
    let (pools, providers, limits) = (spec.pools.clone(), spec.providers.clone(), spec.limits.clone());
    Reconfigure { pools, providers, limits }
}

/// Changes something of the configuration while the engine runs.
pub(crate) fn change(lab: &mut Lab, edit: impl FnOnce(&mut Reconfigure)) {
    let mut to = present(lab);
    edit(&mut to);
    assert_eq!(lab.step(Input::Reconfigure(Box::new(to))), Answer::Accepted);
}

fn refused(lab: &mut Lab, edit: impl FnOnce(&mut Reconfigure)) -> String {
    let mut to = present(lab);
    edit(&mut to);
    let before = (present(lab), lab.vms().cloned().collect::<Vec<_>>(), lab.events.len(), lab.effects.len());
    let refusal = lab.refused(Input::Reconfigure(Box::new(to)));
    let after = (present(lab), lab.vms().cloned().collect::<Vec<_>>(), lab.events.len(), lab.effects.len());
    assert!(before == after, "a refused configuration changes nothing");
    refusal.to_string()
}

/// Changes the only pool.
fn change_pool(lab: &mut Lab, edit: impl FnOnce(&mut PoolConfig)) {
    change(lab, |to| edit(to.pools.get_mut(&pool()).unwrap()));
}

pub(crate) fn told(lab: &Lab) -> Vec<&str> {
    let told = lab.events.iter().filter(|event| event.kind == EventKind::ConfigChanged);
    told.map(|event| event.detail.as_str()).collect()
}

pub(crate) fn named(name: &str) -> PoolName {
    PoolName::new(name).unwrap()
}

pub(crate) fn other() -> ProviderName {
    ProviderName::new("other").unwrap()
}

#[test]
fn the_same_configuration_again_changes_nothing() {
    let mut lab = Lab::ready(config(2));
    change(&mut lab, |_| {});
    assert_eq!(told(&lab), Vec::<&str>::new());
}

#[test]
fn a_new_pool_begins_at_once() {
    let mut lab = Lab::ready(config(1));
    change(&mut lab, |to| drop(to.pools.insert(named("large"), config(2))));
    assert_eq!((lab.creates(), told(&lab)), (2, vec!["added pools.large"]));
    lab.boot_all();
    let mut large = wish("r1", "ann");
    large.pools = vec![named("large")];
    lab.granted(large);
}

#[test]
fn a_changed_size_counts_at_once() {
    let mut lab = Lab::ready(config(1));
    change_pool(&mut lab, |pool| pool.size = 3);
    assert_eq!((lab.creates(), told(&lab)), (2, vec!["changed pools.small"]));
    lab.boot_all();
    change_pool(&mut lab, |pool| pool.size = 2);
    lab.pass(seconds(600));
    assert_eq!(
        lab.counts([RecordState::Ready, RecordState::Terminating]),
        [2, 1],
        "it was idle for max_idle"
    );
}

#[test]
fn the_times_of_a_changed_pool_count_for_its_vms_at_once() {
    let mut lab = Lab::ready(with_check(config(1)));
    change_pool(&mut lab, |pool| pool.check_interval = seconds(20));
    lab.pass(seconds(19));
    assert_eq!(lab.checks(), 0);
    lab.pass(seconds(1));
    assert_eq!(lab.checks(), 1, "not after the 2 min that it was before");
    let mut lab = Lab::new(config(1));
    lab.created(NodeState::Pending);
    change_pool(&mut lab, |pool| pool.boot_timeout = seconds(50));
    lab.pass(seconds(50));
    assert_eq!(lab.only_vm().state, RecordState::Terminating);
}

#[test]
fn whoever_passed_another_check_passed_none() {
    let mut strict = with_check(config(1));
    strict.check_mode = CheckMode::Strict;
    let mut lab = Lab::ready(strict);
    change_pool(&mut lab, |pool| pool.check = CheckConfig::Tcp { port: 2222 });
    assert_eq!(lab.checks(), 1, "it is checked at once");
    assert_eq!(lab.acquire(wish("r1", "ann").with_wait(seconds(60))), Answer::Waiting);
    lab.checked(Ok(()));
    assert_eq!(lab.counts([RecordState::InUse]), [1]);
    change_pool(&mut lab, |pool| pool.size = 2);
    assert_eq!(lab.checks(), 0, "a change of something else asks for no check");
}

#[test]
fn the_vms_of_pools_that_did_not_change_are_left_alone() {
    let mut lab = Lab::ready(with_check(config(1)));
    lab.pass(seconds(119));
    change(&mut lab, |to| drop(to.pools.insert(named("small-2"), with_check(config(1)))));
    lab.boot_all();
    change(&mut lab, |to| to.pools.get_mut(&named("small-2")).unwrap().check_interval = seconds(900));
    lab.pass(seconds(1));
    let Some(Effect::Check { pool: checked, .. }) =
        lab.effects.values().find(|effect| matches!(effect, Effect::Check { .. }))
    else {
        panic!("nothing is checked")
    };
    assert_eq!(*checked, pool());
    lab.pass(seconds(200));
    assert_eq!(lab.checks(), 1);
}

#[test]
fn vms_keep_the_template_that_they_were_made_from() {
    let mut lab = Lab::new(config(2));
    lab.created(NodeState::Running);
    lab.not_created(crate::lab::timeout());
    change_pool(&mut lab, |pool| pool.template = Some("newer".to_owned()));
    lab.pass(seconds(2));
    lab.found(vec![]);
    // The one that was never made is given up, and another one asked for.
    let Effect::Create { template, .. } = &lab.effects[&lab.create().0] else { panic!() };
    assert_eq!(template, "newer");
    let kept = lab.vms().find(|vm| vm.node.is_some()).unwrap();
    assert_eq!((kept.template.as_str(), kept.state), ("template", RecordState::Ready));
}

#[test]
fn each_vm_counts_with_the_offer_that_it_is_of_whatever_the_offers_were_before() {
    let mut lab = Lab::ready(config(2));
    let offer = |template: &str, max_total: u32| {
        let mut offer = OfferConfig::new(provider(), template);
        offer.max_total = Some(max_total);
        offer
    };
    change_pool(&mut lab, |pool| {
        (pool.provider, pool.template, pool.size) = (None, None, 2);
        (pool.max_total, pool.max_starting) = (Some(6), 6);
        pool.offers = vec![offer("newer", 1), offer("template", 3)];
    });
    // They want six VMs, and the offers allow four.
    for request in ["r1", "r2", "r3", "r4", "r5", "r6"] {
        let _ = lab.acquire(wish(request, "ann").with_wait(seconds(600)));
    }
    let mut made: Vec<_> = lab.vms().map(|vm| vm.template.as_str()).collect();
    made.sort_unstable();
    assert_eq!(made, ["newer", "template", "template", "template"]);
}

#[test]
fn no_lease_is_ended_by_a_change_and_the_next_one_is_by_the_new_rules() {
    let mut lab = Lab::ready(config(2));
    let lease = lab.granted(wish("r1", "ann")).lease;
    change_pool(&mut lab, |pool| {
        (pool.lease_ttl, pool.max_lease_ttl) = (seconds(5), seconds(50));
        pool.size = 1;
    });
    lab.pass(seconds(500));
    assert_eq!(lab.vm(&lease.vm).unwrap().state, RecordState::InUse, "its time is its own");
    let renew = Input::Renew { lease: lease.id, fence: None, ttl: None };
    let Answer::Renewed(renewed) = lab.step(renew) else { panic!() };
    assert_eq!(renewed.ttl, seconds(50), "as long as may be now");
    let next = lab.granted(wish("r2", "bob")).lease;
    assert_eq!(next.ttl, seconds(5));
}

#[test]
fn a_removed_pool_gives_nothing_destroys_what_nobody_uses_and_lets_leases_run_out() {
    let mut lab = Lab::ready(config(2));
    let lease = lab.granted(wish("r1", "ann")).lease;
    assert_eq!(
        lab.acquire(wish("r2", "bob").with_wait(seconds(600))),
        Answer::Granted(vec![lab_grant(&lab, "r2")])
    );
    assert_eq!(lab.acquire(wish("r3", "bob").with_wait(seconds(600))), Answer::Waiting);
    change(&mut lab, |to| drop(to.pools.remove(&pool())));
    assert_eq!(told(&lab), ["removed pools.small"]);
    let refusal = Refusal::PoolRetired { pool: pool(), known: Vec::new() };
    assert_eq!(lab.decided.pop().unwrap().1, Err(refusal.clone()));
    assert_eq!(lab.refused(Input::Acquire(Box::new(wish("r4", "eve")))), refusal);
    assert_eq!(lab.counts([RecordState::InUse]), [2]);
    lab.release(&lease);
    lab.destroyed(Ok(()));
    lab.list(&[]);
    lab.list(&[]);
    assert!(lab.vm(&lease.vm).is_none() && lab.creates() == 0);
    let view = lab.engine.pools().remove(0);
    assert!(view.retired && view.counts.iter().sum::<usize>() == 1);
}

fn lab_grant(lab: &Lab, request: &str) -> vmpool_engine::Grant {
    let lease = lab.engine.leases().find(|lease| lease.request.as_str() == request).unwrap().clone();
    let node = lab.vm(&lease.vm).unwrap().node.clone().unwrap();
    vmpool_engine::Grant { lease, node }
}

#[test]
fn a_removed_pool_goes_with_its_last_vm() {
    let mut lab = Lab::ready(config(2));
    change(&mut lab, |to| drop(to.pools.remove(&pool())));
    let problem = lab.vms().next().and_then(|vm| vm.problem.clone());
    assert_eq!(problem.as_deref(), Some("its pool was taken out of the configuration"));
    lab.destroyed(Ok(()));
    lab.destroyed(Ok(()));
    lab.list(&[]);
    lab.list(&[]);
    assert!(lab.engine.pools().is_empty() && lab.pools.is_empty());
    let mut empty = Lab::new(config(0));
    change(&mut empty, |to| drop(to.pools.remove(&pool())));
    assert!(empty.engine.pools().is_empty() && empty.pools.is_empty());
}

#[test]
fn a_removed_pool_goes_on_coming_to_its_end_over_a_restart() {
    let mut lab = Lab::ready(config(2));
    let lease = lab.granted(wish("r1", "ann")).lease;
    change(&mut lab, |to| drop(to.pools.remove(&pool())));
    lab.restart();
    assert_eq!(lab.counts([RecordState::InUse, RecordState::Terminating]), [1, 1]);
    lab.release(&lease);
    assert_eq!(lab.counts([RecordState::Terminating]), [2]);
}

#[test]
fn a_removed_pool_that_comes_back_works_again_with_what_is_left_of_it() {
    for restart in [false, true] {
        let mut lab = Lab::ready(config(2));
        let lease = lab.granted(wish("r1", "ann")).lease;
        let before = present(&lab);
        change(&mut lab, |to| drop(to.pools.remove(&pool())));
        match restart {
            true => {
                let mut spec = lab.engine.spec().clone();
                (spec.pools, spec.epoch) = (before.pools, 2);
                lab.restart_as(spec);
            }
            false => {
                change(&mut lab, |to| *to = before);
                assert_eq!(told(&lab), ["removed pools.small", "added pools.small"]);
            }
        }
        assert!(lab.pools.is_empty() && !lab.engine.pools()[0].retired);
        assert_eq!(lab.counts([RecordState::InUse]), [1]);
        lab.list(&[]);
        lab.destroyed(Ok(()));
        lab.list(&[]);
        lab.list(&[]);
        assert_eq!((lab.creates(), lab.vm(&lease.vm).is_some()), (1, true), "restarted: {restart}");
    }
}

#[test]
fn a_drained_pool_that_is_changed_stays_drained() {
    let mut lab = Lab::ready(config(1));
    let _ = lab.step(Input::Drain { pool: pool(), reason: "upgrade".to_owned() });
    change_pool(&mut lab, |pool| pool.size = 5);
    assert!(lab.engine.pools()[0].drain.is_some() && lab.creates() == 0);
}

#[test]
fn a_pool_that_a_start_did_not_know_is_configured_again_with_its_vms() {
    let mut lab = Lab::ready(config(2));
    let before = present(&lab);
    let mut spec = lab.engine.spec().clone();
    (spec.pools, spec.epoch) = (BTreeMap::new(), 2);
    lab.restart_as(spec);
    assert!(lab.engine.pools()[0].retired);
    change(&mut lab, |to| *to = before);
    assert!(!lab.engine.pools()[0].retired);
    lab.granted(wish("r1", "ann"));
    assert_eq!(lab.creates(), 0, "it has both of its VMs");
}

#[test]
fn a_new_provider_is_listed_and_used_at_once() {
    let mut lab = Lab::ready(config(1));
    change(&mut lab, |to| {
        to.providers.insert(other(), ProviderConfig::new("dummy"));
        to.pools.insert(named("large"), PoolConfig::new(other(), "large", 1));
    });
    assert_eq!(told(&lab), ["added providers.other, pools.large"]);
    lab.tick();
    let lists = lab.count(|effect| matches!(effect, Effect::List { provider } if *provider == other()));
    let creates =
        lab.count(|effect| matches!(effect, Effect::Create { provider, .. } if *provider == other()));
    assert_eq!((lists, creates), (1, 1));
}

#[test]
fn a_changed_provider_is_listed_by_its_new_interval() {
    let mut lab = Lab::ready(config(1));
    lab.list(&[]);
    lab.pass(seconds(1));
    change(&mut lab, |to| to.providers.get_mut(&provider()).unwrap().list_interval = seconds(2));
    assert_eq!(told(&lab), ["changed providers.lab"]);
    lab.tick();
    lab.list(&[]);
    lab.pass(seconds(2));
    assert_eq!(lab.count(|effect| matches!(effect, Effect::List { .. })), 1);
}

#[test]
fn f5_a_look_up_that_was_asked_before_the_visibility_window_grew_proves_nothing() {
    let mut lab = Lab::new(config(1));
    lab.boot_all();
    lab.list_until_looked_up(&[]);
    change(&mut lab, |to| to.providers.get_mut(&provider()).unwrap().visibility_window = seconds(3600));
    lab.got(Ok(None));
    assert_eq!((lab.only_vm().state, lab.gets()), (RecordState::Ready, 0));
    lab.pass(seconds(3600));
    lab.list_until_looked_up(&[]);
    lab.got(Ok(None));
    assert_eq!(lab.only_vm().state, RecordState::Terminating);
}

#[test]
fn changed_limits_count_for_the_requests_to_come() {
    let mut lab = Lab::ready(config(2));
    lab.granted(wish("r1", "ann"));
    let limits: LimitsConfig = {
        let mut limits = LimitsConfig::default();
        limits.max_per_owner = Some(1);
        limits
    };
    change(&mut lab, |to| to.limits = limits.clone());
    assert_eq!((told(&lab), &lab.engine.spec().limits), (vec!["changed limits"], &limits));
    assert_eq!(lab.counts([RecordState::InUse]), [1]);
}

type Edit = fn(&mut Reconfigure);

#[test]
fn f14_a_configuration_that_does_not_fit_is_refused_whole_and_changes_nothing() {
    let mut lab = Lab::ready(config(2));
    lab.granted(wish("r1", "ann"));
    assert_eq!(
        lab.acquire(wish("r2", "ann").with_wait(seconds(60))),
        Answer::Granted(vec![lab_grant(&lab, "r2")])
    );
    let begins = "the configuration does not fit, and the one before stays: ";
    let broken: [(&str, Edit); 6] = [
        ("pools.large.provider: there is no provider other; the providers are lab", |to| {
            to.pools.insert(named("large"), PoolConfig::new(other(), "large", 1));
        }),
        ("pools.small.fallback: there is no pool large; the pools are small", |to| {
            to.pools.get_mut(&pool()).unwrap().fallback = Some(named("large"));
        }),
        ("pools.large.fallback: it leads back to the pool: large → small → large", |to| {
            to.pools.get_mut(&pool()).unwrap().fallback = Some(named("large"));
            let mut large = config(1);
            large.fallback = Some(pool());
            to.pools.insert(named("large"), large);
        }),
        ("pools.small.provider: there is no provider lab; the providers are other", |to| {
            to.providers = BTreeMap::from([(other(), ProviderConfig::new("dummy"))]);
        }),
        ("pools.small.max_total: it is 1, which is below size (2)", |to| {
            to.pools.get_mut(&pool()).unwrap().max_total = Some(1);
        }),
        ("limits.owners.ann.weight: ", |to| {
            let owner = Owner::new("ann").unwrap();
            to.limits.owners.entry(owner).or_default().weight = 0;
        }),
    ];
    for (why, edit) in broken {
        let refusal = refused(&mut lab, |to| {
            to.pools.get_mut(&pool()).unwrap().min_ready = 2;
            edit(to);
        });
        assert!(refusal.starts_with(&format!("{begins}{why}")), "{refusal}");
    }
}

#[test]
fn vms_whose_names_do_not_begin_with_their_pools_are_changed_with_it() {
    let mut lab = Lab::ready(with_check(config(1)));
    lab.damage(|vms, _| {
        let mut vm = vms.pop_first().unwrap().1;
        vm.name = vmpool_model::VmName::new("imported").unwrap();
        vms.insert(vm.name.clone(), vm);
    });
    lab.restart();
    change_pool(&mut lab, |pool| pool.check_interval = seconds(5));
    lab.pass(seconds(5));
    assert_eq!(lab.checks(), 1);
}

#[test]
fn an_offer_of_another_template_does_not_take_over_the_pause_of_the_one_before() {
    let mut lab = Lab::new(config(1));
    lab.not_created(crate::lab::quota());
    assert_eq!(lab.creates(), 0);
    change(&mut lab, |to| to.limits.priority_aging = seconds(7));
    assert_eq!(lab.creates(), 0, "the offer is the same");
    change_pool(&mut lab, |pool| pool.template = Some("another".to_owned()));
    assert_eq!(lab.creates(), 1);
}

#[test]
fn a_removed_pool_keeps_its_hooks_to_its_end_over_a_restart() {
    let mut hooked = config(1);
    hooked.hooks.after_destroy = crate::lab::hook();
    let mut lab = Lab::ready(hooked);
    change(&mut lab, |to| drop(to.pools.remove(&pool())));
    lab.restart();
    lab.destroyed(Ok(()));
    lab.list(&[]);
    lab.list(&[]);
    assert_eq!(lab.hooks().iter().map(|run| run.kind).collect::<Vec<_>>(), [HookKind::AfterDestroy]);
    lab.hooked(Ok(()));
    assert!(lab.engine.pools().is_empty() && lab.pools.is_empty());
}
