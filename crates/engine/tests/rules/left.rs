//! To whom a used VM is left by those who could have it again, if others can be served elsewhere, or may not be.

use vmpool_model::{RecordState, config::PoolConfig};

use crate::{
    farm::{given, kept, name, of, on_demand, owner, release, served, spec, waits, wish},
    lab::Lab,
};

/// Ann has two VMs of pool a that she may use again, and goes on asking; bob waits for one VM of a or b.
fn or_elsewhere(elsewhere: PoolConfig) -> Lab {
    let mut lab = of(spec([("a", kept(2)), ("b", elsewhere)]));
    for request in ["a1", "a2"] {
        given(&mut lab, wish(request, "ann", ["a"]));
    }
    if lab.engine.can_grow(&name("b")).is_err() {
        given(&mut lab, wish("c1", "cat", ["b"]));
    }
    waits(&mut lab, wish("a3", "ann", ["a"]));
    waits(&mut lab, wish("b1", "bob", ["a", "b"]));
    lab
}

#[test]
fn a_used_vm_is_not_left_to_who_gets_one_that_another_pool_makes() {
    let mut lab = or_elsewhere(on_demand(1));
    release(&mut lab, "a1");
    assert_eq!((served(&lab), lab.destroys(), lab.creates()), (vec!["a3"], 0, 1));
}

#[test]
fn a_used_vm_is_left_to_who_gets_none_elsewhere() {
    let mut lab = or_elsewhere(kept(1));
    release(&mut lab, "a1");
    assert_eq!((served(&lab).len(), lab.destroys()), (0, 1), "the other pool is full");
}

#[test]
fn a_used_vm_is_left_to_nobody_who_may_not_have_as_many_as_it_wants() {
    let mut spec = spec([("a", kept(3))]);
    spec.limits.owners.entry(owner("bob")).or_default().max = Some(2);
    let mut lab = of(spec);
    for (request, who) in [("a1", "ann"), ("a2", "ann"), ("b1", "bob")] {
        given(&mut lab, wish(request, who, ["a"]));
    }
    waits(&mut lab, wish("b2", "bob", ["a"]).with_count(2).with_priority(5));
    waits(&mut lab, wish("a3", "ann", ["a"]));
    release(&mut lab, "a1");
    assert_eq!((served(&lab), lab.destroys()), (vec!["a3"], 0));
}

#[test]
fn a_kept_vm_makes_no_room_while_its_own_user_waits_for_more_and_comes_first() {
    let mut lab = of(spec([("a", kept(2))]));
    given(&mut lab, wish("a1", "ann", ["a"]));
    given(&mut lab, wish("b1", "bob", ["a"]));
    release(&mut lab, "a1");
    waits(&mut lab, wish("big", "ann", ["a"]).with_count(2));
    assert_eq!(lab.counts([RecordState::Ready, RecordState::Terminating]), [1, 0]);
    release(&mut lab, "b1");
    assert_eq!(lab.counts([RecordState::Ready, RecordState::Terminating]), [1, 1], "bob does not wait");
}
