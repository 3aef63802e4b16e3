//! Whose turn it is: priority that ages, then the share of owners, then the order of coming.

use vmpool_engine::{Effect, Outcome, Spec};
use vmpool_model::{
    config::{OnRelease, OwnerLimits},
    states::NodeState,
};

use crate::{
    farm::{
        farm, given, kept, name, of, on_demand, owner, release, renew, served, spec, waits, wish,
        with_fallback,
    },
    lab::{Lab, config, seconds},
};

/// A pool of one VM, which somebody has.
fn taken(edit: impl FnOnce(&mut Spec)) -> Lab {
    let mut pool = config(1);
    pool.on_release = OnRelease::Destroy;
    let mut spec = spec([("a", pool)]);
    edit(&mut spec);
    let mut lab = of(spec);
    given(&mut lab, wish("first", "first", ["a"]));
    lab
}

/// Lets the VM go from one to the next until nobody waits.
fn order(lab: &mut Lab) -> Vec<String> {
    let mut held = "first".to_owned();
    loop {
        release(lab, &held);
        let before = lab.decided.len();
        renew(lab);
        match lab.decided.get(before) {
            Some((id, _)) => held = id.to_string(),
            None => return served(lab).into_iter().map(str::to_owned).collect(),
        }
    }
}

fn weight(spec: &mut Spec, of: &str, weight: u32) {
    let mut limits = OwnerLimits::default();
    limits.weight = weight;
    spec.limits.owners.insert(owner(of), limits);
}

#[test]
fn the_higher_priority_comes_first_and_equals_in_order() {
    let mut lab = taken(|_| {});
    for (request, priority) in [("low", -1), ("r1", 0), ("high", 2), ("r2", 0)] {
        waits(&mut lab, wish(request, "ann", ["a"]).with_priority(priority));
    }
    assert_eq!(order(&mut lab), ["high", "r1", "r2", "low"]);
}

#[test]
fn waiting_makes_up_for_priority() {
    for (waited, first) in [(seconds(599), "high"), (seconds(601), "low")] {
        let mut lab = taken(|spec| spec.limits.priority_aging = seconds(300));
        lab.engine.leases().count();
        waits(&mut lab, wish("low", "ann", ["a"]).with_wait(seconds(10_000)));
        keep(&mut lab, waited);
        waits(&mut lab, wish("high", "ann", ["a"]).with_priority(2));
        assert_eq!(order(&mut lab)[0], first);
    }
}

#[test]
fn without_aging_priority_stays_what_it_is() {
    let mut lab = taken(|spec| spec.limits.priority_aging = seconds(0));
    waits(&mut lab, wish("low", "ann", ["a"]).with_wait(seconds(100_000)));
    keep(&mut lab, seconds(20_000));
    waits(&mut lab, wish("high", "ann", ["a"]).with_priority(1));
    assert_eq!(order(&mut lab), ["high", "low"]);
}

/// Lets time pass while the holder goes on holding.
fn keep(lab: &mut Lab, time: std::time::Duration) {
    let until = lab.now + time;
    while lab.now < until {
        let lease = lab.engine.leases().next().unwrap().id.clone();
        let _ = lab.step(vmpool_engine::Input::Renew { lease, fence: None, ttl: None });
        lab.pass(until.since(lab.now).min(seconds(300)));
    }
}

#[test]
fn of_owners_the_one_that_holds_less_comes_first() {
    let mut lab = of(spec([("a", kept(3))]));
    for (request, who) in [("a1", "ann"), ("a2", "ann"), ("b1", "bob")] {
        given(&mut lab, wish(request, who, ["a"]));
    }
    waits(&mut lab, wish("a3", "ann", ["a"]));
    waits(&mut lab, wish("b2", "bob", ["a"]));
    // Neither may use the other's VM, so what is free is destroyed for the one whose turn it is.
    release(&mut lab, "a1");
    assert_eq!(served(&lab), ["a3"], "it is ann's");
    let vm = lab.engine.leases().next().unwrap().vm.clone();
    let _ = lab.step(vmpool_engine::Input::Terminate { vm, only_if: None, reason: "test".to_owned() });
    waits(&mut lab, wish("a4", "ann", ["a"]));
    renew(&mut lab);
    assert_eq!(served(&lab), ["a3", "b2"]);
}

#[test]
fn who_was_served_longest_ago_comes_first_among_those_who_hold_as_much() {
    let mut lab = taken(|_| {});
    for (request, who) in [("a1", "ann"), ("a2", "ann"), ("a3", "ann"), ("b1", "bob"), ("b2", "bob")] {
        waits(&mut lab, wish(request, who, ["a"]));
    }
    assert_eq!(order(&mut lab), ["a1", "b1", "a2", "b2", "a3"]);
}

#[test]
fn twice_the_weight_is_twice_the_vms() {
    let mut pool = config(6);
    pool.max_starting = 6;
    let mut spec = spec([("a", pool)]);
    weight(&mut spec, "ann", 2);
    let mut lab = Lab::of(spec);
    for request in 0..6 {
        waits(&mut lab, wish(&format!("b{request}"), "bob", ["a"]));
        waits(&mut lab, wish(&format!("a{request}"), "ann", ["a"]));
    }
    lab.boot_all();
    let of_ann = served(&lab).iter().filter(|request| request.starts_with('a')).count();
    assert_eq!((of_ann, served(&lab).len()), (4, 6));
}

#[test]
fn sub_owners_share_what_their_owner_gets() {
    let mut pool = config(8);
    pool.max_starting = 8;
    let mut spec = spec([("a", pool)]);
    weight(&mut spec, "team/x", 3);
    let mut lab = Lab::of(spec);
    for request in 0..8 {
        for (name, who) in [("x", "team/x"), ("y", "team/y"), ("o", "other")] {
            waits(&mut lab, wish(&format!("{name}{request}"), who, ["a"]));
        }
    }
    lab.boot_all();
    let of = |name: char| served(&lab).iter().filter(|request| request.starts_with(name)).count();
    assert_eq!((of('x'), of('y'), of('o')), (3, 1, 4));
}

#[test]
fn f9_the_order_is_the_same_after_a_restart() {
    let mut lab = taken(|_| {});
    for (request, who, priority) in
        [("low", "ann", -1), ("r1", "ann", 0), ("r2", "ann", 0), ("high", "ann", 1)]
    {
        waits(&mut lab, wish(request, who, ["a"]).with_priority(priority));
    }
    lab.restart();
    assert_eq!(order(&mut lab), ["high", "r1", "r2", "low"]);
}

#[test]
fn the_longest_queue_does_not_get_everything_because_it_waits_the_longest() {
    let mut lab = taken(|spec| spec.limits.priority_aging = seconds(60));
    for request in ["a1", "a2", "a3"] {
        waits(&mut lab, wish(request, "ann", ["a"]).with_wait(seconds(100_000)));
    }
    keep(&mut lab, seconds(3_000));
    release(&mut lab, "first");
    renew(&mut lab);
    waits(&mut lab, wish("b1", "bob", ["a"]));
    release(&mut lab, "a1");
    renew(&mut lab);
    assert_eq!(served(&lab), ["a1", "b1"], "ann was served just now");
}

#[test]
fn who_was_served_nothing_for_long_comes_before_those_who_hold_less() {
    let mut pool = config(2);
    pool.max_starting = 2;
    let mut spec = spec([("a", pool)]);
    spec.limits.priority_aging = seconds(60);
    let mut lab = of(spec);
    given(&mut lab, wish("a1", "ann", ["a"]));
    given(&mut lab, wish("b1", "bob", ["a"]));
    waits(&mut lab, wish("a2", "ann", ["a"]).with_wait(seconds(100_000)));
    keep(&mut lab, seconds(61));
    waits(&mut lab, wish("c1", "cat", ["a"]));
    release(&mut lab, "b1");
    renew(&mut lab);
    assert_eq!(served(&lab), ["a2"], "cat holds nothing, and came only now");
}

/// Ann has two VMs that she may use again, and goes on asking.
fn ann_again() -> Lab {
    let mut lab = of(spec([("a", kept(2))]));
    for request in ["a1", "a2"] {
        given(&mut lab, wish(request, "ann", ["a"]));
    }
    waits(&mut lab, wish("a3", "ann", ["a"]));
    lab
}

#[test]
fn who_holds_more_leaves_its_used_vm_to_who_holds_nothing() {
    let mut lab = ann_again();
    waits(&mut lab, wish("b1", "bob", ["a"]));
    release(&mut lab, "a1");
    assert_eq!((served(&lab).len(), lab.destroys()), (0, 1), "it is destroyed for bob");
    renew(&mut lab);
    assert_eq!(served(&lab), ["b1"]);
    release(&mut lab, "a2");
    assert_eq!(served(&lab), ["b1", "a3"], "now ann holds nothing");
}

#[test]
fn a_used_vm_is_left_to_a_higher_priority() {
    let mut lab = ann_again();
    waits(&mut lab, wish("a4", "ann", ["a"]).with_priority(1).with_sandbox(crate::lab::sandbox("s")));
    release(&mut lab, "a1");
    assert_eq!((served(&lab).len(), lab.destroys()), (0, 1));
    release(&mut lab, "a2");
    assert_eq!(served(&lab), ["a3"], "one is enough for the other");
}

#[test]
fn a_used_vm_is_left_to_nobody_whose_owner_is_at_its_limit() {
    let mut pool = kept(2);
    pool.max_per_owner = Some(1);
    let mut lab = of(spec([("a", pool)]));
    given(&mut lab, wish("a1", "ann", ["a"]));
    given(&mut lab, wish("b1", "bob", ["a"]));
    waits(&mut lab, wish("b2", "bob", ["a"]).with_priority(5));
    waits(&mut lab, wish("a2", "ann", ["a"]));
    release(&mut lab, "a1");
    assert_eq!(served(&lab), ["a2"]);
}

#[test]
fn who_comes_first_elsewhere_does_not_come_first_with_its_other_requests() {
    let mut lab = farm([("a", config(1)), ("c", with_fallback(on_demand(1), "a"))]);
    given(&mut lab, wish("r0", "cat", ["a"]));
    // a stands in for c only while c makes nothing, so that this one waits for c.
    waits(&mut lab, wish("r1", "ann", ["c"]).with_priority(9));
    waits(&mut lab, wish("r2", "ann", ["a"]));
    waits(&mut lab, wish("r3", "bob", ["a"]).with_priority(5));
    release(&mut lab, "r0");
    lab.destroyed(Ok(()));
    lab.list(&[]);
    lab.list(&[]);
    let create = |effect: &Effect| matches!(effect, Effect::Create { token, .. } if token.pool == name("a"));
    let (id, effect) = lab.effects.iter().find(|(_, effect)| create(effect)).unwrap();
    let (id, Effect::Create { token, .. }) = (*id, effect.clone()) else { panic!() };
    let node = lab.node(&token, NodeState::Running);
    lab.answer(id, Outcome::Created(Ok(Box::new(node))));
    assert_eq!(served(&lab), ["r3"]);
}
