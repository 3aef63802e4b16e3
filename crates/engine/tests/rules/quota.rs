//! Quotas are reservations: what starts and what ends counts with what runs (A8, I3).

use vmpool_engine::{Limit, Spec};
use vmpool_model::{
    Acquire, Owner, PoolName, RecordState, RequestId,
    config::{OnRelease, PoolConfig},
    states::NodeState,
};

use crate::{
    clouds::{named, offer, offering},
    lab::{Lab, pool, quota, seconds, spec, wish},
    reconfigure::change,
};

fn other() -> PoolName {
    PoolName::new("other").unwrap()
}

fn limited(pool: PoolConfig, resource: &str, amount: u64) -> Spec {
    let mut spec = spec(pool);
    spec.providers.get_mut(&named("lab")).unwrap().quota.insert(resource.to_owned(), amount);
    spec
}

/// Two pools at one provider that may have this many VMs.
fn shared(first: PoolConfig, second: PoolConfig, vms: u64) -> Spec {
    let mut spec = limited(first, "vms", vms);
    spec.pools.insert(other(), second);
    spec
}

fn wish_of_other(request: &str) -> Acquire {
    let request = RequestId::new(request).unwrap();
    Acquire::new(request, other(), Owner::new("bob").unwrap()).with_wait(seconds(900))
}

fn vms_of(lab: &Lab, pool: &PoolName) -> usize {
    lab.vms().filter(|vm| vm.pool == *pool).count()
}

fn may_have(size: u32, max_total: u32) -> PoolConfig {
    let mut pool = offering(size, vec![offer("lab", 0)]);
    (pool.max_total, pool.max_starting) = (Some(max_total), max_total);
    pool
}

/// Lets every node that is being destroyed be gone.
fn let_go(lab: &mut Lab) {
    while lab.destroys() != 0 {
        lab.destroyed(Ok(()));
    }
    lab.list(&[]);
}

#[test]
fn a8_vms_that_start_are_counted_before_their_provider_answers() {
    let lab = Lab::of(limited(may_have(5, 5), "vms", 2));
    assert_eq!(lab.creates(), 2);
    let limit = lab.engine.can_grow(&pool()).unwrap_err();
    assert_eq!(limit.to_string(), "a VM needs 1 vms at provider lab, where 2 of 2 are taken");
}

#[test]
fn a8_what_vms_need_is_counted_by_its_name() {
    let mut big = offer("lab", 0);
    big.needs.insert("cores".to_owned(), 3);
    let mut pool_ = offering(5, vec![big]);
    pool_.max_starting = 5;
    let lab = Lab::of(limited(pool_, "cores", 8));
    assert_eq!(lab.creates(), 2);
    let limit = lab.engine.can_grow(&pool()).unwrap_err();
    let Limit::Quota { needs, used, quota, .. } = limit else { panic!("{limit}") };
    assert_eq!((needs, used, quota), (3, 6, 8));
}

#[test]
fn a8_vms_that_are_being_destroyed_are_counted_until_they_are_proven_gone() {
    let mut lab = Lab::of(limited(may_have(2, 4), "vms", 2));
    let nodes = lab.boot_all();
    let grant = lab.granted(wish("r1", "ann"));
    lab.release(&grant.lease);
    assert_eq!((lab.creates(), lab.destroys()), (0, 1));
    let gone = lab.destroyed(Ok(()));
    assert_eq!(lab.creates(), 0, "accepted is not gone");
    let stays: Vec<_> = nodes.into_iter().filter(|node| node.id != gone).collect();
    // The first of these was asked for before.
    lab.list(&stays);
    lab.list(&stays);
    assert_eq!(lab.creates(), 1);
}

#[test]
fn a8_pools_of_one_provider_share_its_quota() {
    let lab = Lab::of(shared(may_have(3, 3), may_have(3, 3), 4));
    assert_eq!((vms_of(&lab, &pool()), vms_of(&lab, &other())), (2, 2), "they take turns");
}

#[test]
fn a8_the_vms_of_a_pool_that_left_the_configuration_still_count() {
    let mut lab = Lab::of(shared(may_have(1, 1), may_have(2, 2), 2));
    lab.boot_all();
    let mut spec = lab.engine.spec().clone();
    spec.epoch += 1;
    spec.pools.remove(&pool());
    lab.restart_as(spec);
    lab.pass(seconds(5));
    assert_eq!((vms_of(&lab, &pool()), vms_of(&lab, &other())), (1, 1));
}

#[test]
fn a_create_that_failed_gives_its_room_back_at_once() {
    let mut lab = Lab::of(shared(may_have(1, 1), may_have(1, 1), 1));
    assert_eq!((vms_of(&lab, &other()), vms_of(&lab, &pool())), (1, 0));
    lab.failed_at("lab", quota());
    assert_eq!((vms_of(&lab, &other()), vms_of(&lab, &pool())), (0, 1));
}

#[test]
fn a_vm_that_came_up_dead_gives_its_room_back_when_it_is_proven_gone() {
    let mut lab = Lab::of(shared(may_have(1, 1), may_have(1, 1), 1));
    lab.made_at("lab", NodeState::Error);
    assert_eq!(vms_of(&lab, &pool()), 0);
    let_go(&mut lab);
    lab.list(&[]);
    assert_eq!((vms_of(&lab, &other()), vms_of(&lab, &pool())), (0, 1));
}

#[test]
fn those_for_whom_somebody_waits_come_before_those_who_keep_a_stock() {
    let mut lab = Lab::of(shared(may_have(0, 2), may_have(2, 2), 2));
    assert_eq!(vms_of(&lab, &other()), 2);
    let _ = lab.acquire(wish("r1", "ann").with_wait(seconds(900)));
    let _ = lab.acquire(wish("r2", "ann").with_wait(seconds(900)));
    lab.failed_at("lab", quota());
    lab.pass(seconds(2));
    assert_eq!((vms_of(&lab, &pool()), vms_of(&lab, &other())), (1, 1));
    lab.failed_at("lab", quota());
    assert_eq!((vms_of(&lab, &pool()), vms_of(&lab, &other())), (2, 0));
}

fn kept(first: PoolConfig) -> PoolConfig {
    let mut pool = first;
    pool.on_release = OnRelease::Reuse;
    pool.dirty_timeout = seconds(10_000);
    pool
}

/// A quota of two, both taken by VMs of the first pool that are kept for their last users.
fn full_of_dirty(second: PoolConfig) -> Lab {
    let mut lab = Lab::of(shared(kept(may_have(0, 2)), second, 2));
    for (request, owner) in [("r1", "ann"), ("r2", "cat")] {
        let _ = lab.acquire(wish(request, owner).with_wait(seconds(60)));
    }
    lab.boot_all();
    let leases: Vec<_> = lab.engine.leases().cloned().collect();
    leases.iter().for_each(|lease| lab.release(lease));
    lab.pass(seconds(1));
    assert_eq!(lab.counts([RecordState::Ready]), [2]);
    lab
}

#[test]
fn a_vm_that_is_kept_for_its_last_user_makes_room_in_the_quota_for_another_pool() {
    let mut lab = full_of_dirty(may_have(0, 2));
    let _ = lab.acquire(wish_of_other("r3"));
    assert_eq!(lab.counts([RecordState::Ready, RecordState::Terminating]), [1, 1], "one is enough");
    lab.pass(seconds(1));
    assert_eq!(lab.counts([RecordState::Ready, RecordState::Terminating]), [1, 1], "its room is on its way");
    let _ = lab.acquire(wish_of_other("r4"));
    assert_eq!(lab.counts([RecordState::Ready, RecordState::Terminating]), [0, 2]);
    let_go(&mut lab);
    lab.list(&[]);
    assert_eq!(vms_of(&lab, &other()), 2);
}

#[test]
fn a_vm_that_its_pool_does_not_need_makes_room_in_the_quota_before_its_idle_time_is_over() {
    let mut idle = may_have(1, 2);
    idle.max_idle = seconds(10_000);
    let mut lab = Lab::of(shared(idle, may_have(0, 2), 2));
    let wishes = ["r1", "r2"].map(|request| wish(request, "ann").with_wait(seconds(60)));
    wishes.iter().cloned().for_each(|wish| drop(lab.acquire(wish)));
    wishes.into_iter().for_each(|wish| drop(lab.step(vmpool_engine::Input::Cancel(wish.request))));
    lab.boot_all();
    assert_eq!(lab.counts([RecordState::Ready]), [2]);
    let _ = lab.acquire(wish_of_other("r3"));
    assert_eq!(lab.counts([RecordState::Ready, RecordState::Terminating]), [1, 1]);
}

#[test]
fn no_vm_that_is_kept_is_given_up_if_that_does_not_help() {
    let mut big = offer("lab", 0);
    big.needs.insert("cores".to_owned(), 1);
    let mut second = offering(0, vec![big]);
    second.max_total = Some(1);
    let mut spec = shared(kept(may_have(0, 2)), second, 2);
    spec.providers.get_mut(&named("lab")).unwrap().quota.insert("cores".to_owned(), 0);
    let mut lab = Lab::of(spec);
    let _ = lab.acquire(wish("r1", "ann").with_wait(seconds(60)));
    lab.boot_all();
    let lease = lab.engine.leases().next().cloned().unwrap();
    lab.release(&lease);
    let _ = lab.acquire(wish_of_other("r3"));
    assert_eq!(lab.counts([RecordState::Ready, RecordState::Terminating]), [1, 0]);
}

#[test]
fn nobody_makes_room_for_a_stock_that_nobody_waits_for() {
    let mut lab = Lab::of(shared(kept(may_have(0, 2)), may_have(2, 2), 2));
    let _ = lab.acquire(wish("r1", "ann").with_wait(seconds(60)));
    lab.failed_at("lab", quota());
    lab.boot_all();
    let lease = lab.engine.leases().next().cloned().unwrap();
    lab.release(&lease);
    lab.pass(seconds(30));
    assert_eq!(lab.counts([RecordState::Ready]), [2]);
    assert_eq!((vms_of(&lab, &pool()), vms_of(&lab, &other())), (1, 1));
}

#[test]
fn a_vm_that_is_kept_makes_room_in_an_offer_that_is_full() {
    let mut small = offer("lab", 0);
    small.max_total = Some(1);
    let mut pool = kept(offering(0, vec![small]));
    pool.max_total = Some(2);
    let mut lab = Lab::of(spec(pool));
    let _ = lab.acquire(wish("r1", "ann").with_wait(seconds(60)));
    lab.boot_all();
    let lease = lab.engine.leases().next().cloned().unwrap();
    lab.release(&lease);
    let _ = lab.acquire(wish("r2", "bob").with_wait(seconds(60)));
    assert_eq!(lab.only_vm().state, RecordState::Terminating);
}

#[test]
fn what_a_pool_could_have_at_best_is_told() {
    let mut big = offer("lab", 0);
    big.needs.insert("cores".to_owned(), 3);
    let mut few = offer("lab", 1);
    (few.template, few.max_total) = ("few".to_owned(), Some(2));
    let mut pool_ = offering(0, vec![big.clone(), few]);
    pool_.max_total = Some(9);
    let spec = limited(pool_.clone(), "cores", 8);
    assert_eq!(Lab::of(spec).engine.most_vms(&pool()), 4);
    pool_.max_total = Some(3);
    let mut spec = limited(pool_.clone(), "cores", 8);
    assert_eq!(Lab::of(spec.clone()).engine.most_vms(&pool()), 3, "max_total is less");
    spec.providers.clear();
    assert_eq!(Lab::of(spec).engine.most_vms(&pool()), 0, "no provider is configured");
    pool_.offers = vec![big];
    assert_eq!(
        Lab::of(limited(pool_, "cores", 2)).engine.most_vms(&pool()),
        0,
        "one needs more than there is"
    );
}

#[test]
fn a8_a_vm_whose_record_cannot_be_read_counts_with_the_quota_as_what_its_pool_needs_most() {
    let mut pool_ = may_have(1, 1);
    let mut big = offer("lab", 1);
    (big.template, big.needs) = ("big".to_owned(), [("cores".to_owned(), 6)].into());
    pool_.offers.push(big);
    let mut second = may_have(4, 4);
    second.offers[0].needs.insert("cores".to_owned(), 1);
    let mut lab = Lab::of(limited(pool_, "cores", 8));
    lab.boot_all();
    lab.unreadable.insert(lab.only_vm().name.clone());
    let mut spec = lab.engine.spec().clone();
    spec.epoch += 1;
    spec.pools.insert(other(), second);
    lab.restart_as(spec);
    lab.list(&[]);
    assert_eq!(lab.creates(), 2, "it may be one of 6 cores");
    assert_eq!(lab.engine.providers()[0].used["cores"], 8);
    let vm = lab.unreadable.pop_first().unwrap();
    let forget = vmpool_engine::Input::Forget { vm, reason: String::new() };
    // The record that cannot be read is not the laboratory's to remove.
    let step = lab.engine.step(lab.now, forget);
    assert_eq!(step.answer, vmpool_engine::Answer::Accepted);
    assert_eq!(lab.engine.providers()[0].used["cores"], 8, "its node may be there");
    assert_eq!(lab.engine.check(), Ok(()), "its pool has room for another VM");
}

#[test]
fn a_quota_that_a_reload_raises_counts_at_once() {
    let mut lab = Lab::of(limited(may_have(2, 2), "vms", 1));
    assert_eq!(lab.creates(), 1);
    change(&mut lab, |to| {
        to.providers.get_mut(&named("lab")).unwrap().quota.insert("vms".to_owned(), 2);
    });
    assert_eq!(lab.creates(), 2);
}
