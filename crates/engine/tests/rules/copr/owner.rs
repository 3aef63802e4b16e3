//! What owners may have, and which of several pools they get it from.

use vmpool_engine::{Answer, Refusal};
use vmpool_model::{Acquire, PoolName, RecordState, config::OnRelease};

use crate::lab::{Lab, config, pool, sandbox, spec, wish};

fn is_none_available(answer: &Answer) -> bool {
    matches!(answer, Answer::Refused(Refusal::NoVmAvailable { .. }))
}

#[test]
fn c14_a_request_over_two_pools_takes_ones_own_used_vm_then_clean_ones_in_their_order() {
    let mut small = config(2);
    small.on_release = OnRelease::Reuse;
    let mut spec = spec(small);
    let big: PoolName = "big".parse().unwrap();
    spec.pools.insert(big.clone(), config(1));
    let mut lab = Lab::of(spec);
    lab.boot_all();
    let of = |request: &str, pools: &[&PoolName]| {
        let mut wish = wish(request, "bob").with_sandbox(sandbox("s"));
        wish.pools = pools.iter().map(|pool| (*pool).clone()).collect();
        wish
    };
    let used = lab.granted(of("r0", &[&pool()])).lease;
    lab.release(&used);

    let small = pool();
    let both = [&small, &big];
    assert_eq!(lab.granted(of("r1", &both)).lease.vm, used.vm);
    let second = lab.granted(of("r2", &both)).lease.vm;
    assert_eq!(lab.vm(&second).map(|vm| &vm.pool), Some(&pool()));
    assert!(is_none_available(&lab.acquire(of("r3", &[&pool()]))));
    let third = lab.granted(of("r4", &both)).lease.vm;
    assert_eq!(lab.vm(&third).map(|vm| &vm.pool), Some(&big));
}

#[test]
fn c15_an_owner_gets_as_many_vms_as_the_limit_and_no_more() {
    for limit in [1, 4] {
        let mut pool = config(limit + 1);
        pool.max_per_owner = Some(limit);
        let mut lab = Lab::ready(pool);
        for number in 0..limit {
            lab.granted(wish(&format!("r{number}"), "bob"));
        }
        assert_eq!(lab.counts([RecordState::Ready]), [1], "there is one left, and it is clean");
        assert!(is_none_available(&lab.acquire(wish("one-more", "bob"))));
        lab.granted(wish("other", "ann"));
    }
}

#[test]
fn w10_used_vms_and_those_that_are_being_destroyed_do_not_count_against_their_owner() {
    let limited = |on_release| {
        let mut pool = config(2);
        (pool.max_per_owner, pool.on_release) = (Some(1), on_release);
        Lab::ready(pool)
    };
    let in_sandbox =
        |request: &str, name: &str| -> Acquire { wish(request, "bob").with_sandbox(sandbox(name)) };
    for (on_release, state) in
        [(OnRelease::Reuse, RecordState::Ready), (OnRelease::Destroy, RecordState::Terminating)]
    {
        let mut lab = limited(on_release);
        let first = lab.granted(in_sandbox("r1", "a")).lease;
        assert!(is_none_available(&lab.acquire(in_sandbox("r2", "b"))));
        lab.release(&first);
        assert_eq!(lab.vm(&first.vm).map(|vm| vm.state), Some(state));
        assert_ne!(lab.granted(in_sandbox("r3", "b")).lease.vm, first.vm);
    }
}

#[test]
fn the_vm_that_has_been_ready_for_longest_is_given_first() {
    let mut lab = Lab::new(config(3));
    let mut order = Vec::new();
    while lab.creates() != 0 {
        order.push(lab.created(vmpool_model::states::NodeState::Running).name);
        lab.pass(crate::lab::seconds(1));
    }
    let given = ["r1", "r2", "r3"].map(|request| lab.granted(wish(request, "ann")).lease.vm.to_string());
    assert_eq!(given.as_slice(), order);
}
