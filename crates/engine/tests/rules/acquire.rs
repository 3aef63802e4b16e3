//! Who is given which VM.

use vmpool_engine::{Answer, Input, Refusal};
use vmpool_model::{
    Acquire, EventKind, Owner, PoolName, RecordState, RequestId, TaskId, config::OnRelease, states::NodeState,
};

use crate::lab::{Lab, config, pool, sandbox, seconds, wish, with_check};

/// A pool that keeps used VMs for their users.
fn reusing(size: u32) -> Lab {
    let mut pool = config(size);
    pool.on_release = OnRelease::Reuse;
    Lab::ready(pool)
}

fn by(lab: &mut Lab, request: &str, owner: &str, sandbox_name: &str) -> Answer {
    lab.acquire(wish(request, owner).with_sandbox(sandbox(sandbox_name)))
}

fn is_none_available(answer: &Answer) -> bool {
    matches!(answer, Answer::Refused(Refusal::NoVmAvailable { .. }))
}

#[test]
fn c11_a_lease_carries_what_the_request_said() {
    let mut lab = Lab::ready(config(1));
    let task = Some(TaskId::new("build-7").unwrap());
    let grant = lab.granted(
        wish("r1", "ann").with_sandbox(sandbox("s")).with_task(task.clone()).with_ttl(Some(seconds(77))),
    );
    let lease = grant.lease;
    assert_eq!((lease.owner.as_str(), lease.sandbox, lease.task), ("ann", sandbox("s"), task));
    assert_eq!((lease.acquired_at, lease.expires_at), (lab.now, lab.now + seconds(77)));
    assert_eq!(lab.only_vm().lease, Some(lease.id));
    assert_eq!(lab.only_vm().state, RecordState::InUse);
}

#[test]
fn c12_a_used_vm_is_given_to_its_last_owner_only() {
    let mut lab = reusing(1);
    let grant = lab.granted(wish("r1", "foo").with_sandbox(sandbox("s")));
    lab.release(&grant.lease);
    assert!(is_none_available(&by(&mut lab, "r2", "bob", "s")));
    assert!(matches!(by(&mut lab, "r3", "foo", "s"), Answer::Granted(_)));
}

#[test]
fn c13_a_used_vm_is_given_in_its_last_sandbox_only() {
    let mut lab = reusing(1);
    let grant = lab.granted(wish("r1", "foo").with_sandbox(sandbox("a")));
    lab.release(&grant.lease);
    assert!(is_none_available(&by(&mut lab, "r2", "foo", "b")));
    assert!(is_none_available(&lab.acquire(wish("r3", "foo"))));
    assert!(matches!(by(&mut lab, "r4", "foo", "a"), Answer::Granted(_)));
}

#[test]
fn c14_c17_a_vm_of_ones_own_is_preferred_to_a_clean_one() {
    let mut lab = reusing(2);
    let first = lab.granted(wish("r1", "bob")).lease;
    lab.release(&first);
    let second = lab.granted(wish("r2", "bob")).lease;
    assert_eq!(second.vm, first.vm);
    let third = lab.granted(wish("r3", "bob")).lease;
    assert_ne!(third.vm, first.vm);
    assert!(is_none_available(&lab.acquire(wish("r4", "bob"))));
}

#[test]
fn c16_only_a_ready_vm_is_given() {
    let mut hooked = config(1);
    hooked.hooks.after_boot = crate::lab::hook();
    let mut lab = Lab::new(hooked);
    lab.created(NodeState::Running);
    assert_eq!(lab.only_vm().state, RecordState::GotIp);
    assert!(is_none_available(&lab.acquire(wish("r0", "ann"))), "got_ip");

    let mut lab = Lab::new(with_check(config(1)));
    assert!(is_none_available(&lab.acquire(wish("r1", "ann"))), "spawning");
    lab.created(NodeState::Running);
    assert_eq!(lab.only_vm().state, RecordState::CheckHealth);
    assert!(is_none_available(&lab.acquire(wish("r2", "ann"))), "check_health");
    lab.checked(Err("refused"));
    assert!(is_none_available(&lab.acquire(wish("r3", "ann"))), "check_health_failed");
    lab.pass(seconds(2));
    lab.checked(Ok(()));
    let grant = lab.granted(wish("r4", "ann"));
    assert!(is_none_available(&lab.acquire(wish("r5", "ann"))), "in_use");
    lab.release(&grant.lease);
    assert_eq!(lab.only_vm().state, RecordState::Terminating);
    assert!(is_none_available(&lab.acquire(wish("r6", "ann"))), "terminating");
}

#[test]
fn a_ready_vm_whose_node_is_busy_is_not_given() {
    let mut lab = Lab::new(config(1));
    let mut node = lab.boot_all().remove(0);
    for state in [NodeState::Rebooting, NodeState::Migrating, NodeState::Unknown] {
        node.state = state;
        lab.list(std::slice::from_ref(&node));
        assert_eq!(lab.only_vm().state, RecordState::Ready);
        assert!(is_none_available(&lab.acquire(wish("r1", "ann"))), "{state}");
    }
    node.state = NodeState::Running;
    lab.list(&[node]);
    lab.granted(wish("r1", "ann"));
}

#[test]
fn a_repeated_request_yields_the_same_lease() {
    let mut lab = Lab::ready(config(2));
    let grant = lab.granted(wish("r1", "ann"));
    assert_eq!(lab.granted(wish("r1", "ann")), grant);
    lab.restart();
    assert_eq!(lab.granted(wish("r1", "ann")).lease.id, grant.lease.id);
    assert_eq!(lab.counts([RecordState::InUse]), [1]);
}

#[test]
fn a_request_id_is_not_used_for_another_request() {
    let mut lab = Lab::ready(config(2));
    lab.granted(wish("r1", "ann"));
    let other = [
        wish("r1", "bob"),
        wish("r1", "ann").with_sandbox(sandbox("s")),
        wish("r1", "ann").with_task(Some(TaskId::new("t").unwrap())),
    ];
    for acquire in other {
        let refusal = lab.refused(Input::Acquire(Box::new(acquire)));
        assert!(matches!(refusal, Refusal::RequestConflict { .. }), "{refusal}");
    }
    assert_eq!(lab.counts([RecordState::InUse]), [1]);
}

#[test]
fn an_ended_request_is_remembered_for_a_while_and_not_served_again() {
    let mut lab = reusing(1);
    let lease = lab.granted(wish("r1", "ann")).lease;
    lab.release(&lease);
    lab.pass(seconds(1));
    let refusal = lab.refused(Input::Acquire(Box::new(wish("r1", "ann"))));
    let ended = Refusal::RequestEnded { request: lease.request.clone(), lease: lease.id, vm: lease.vm };
    assert_eq!(refusal, ended);
    lab.pass(seconds(600));
    assert_eq!(lab.engine.requests().count(), 0);
}

#[test]
fn an_unknown_pool_is_refused_with_the_pools_there_are() {
    let mut lab = Lab::ready(config(1));
    let acquire = Acquire::new(
        RequestId::new("r1").unwrap(),
        PoolName::new("smal").unwrap(),
        Owner::new("ann").unwrap(),
    );
    let refusal = lab.refused(Input::Acquire(Box::new(acquire.with_wait(seconds(60)))));
    let known = vec![pool()];
    assert_eq!(refusal, Refusal::UnknownPool { pool: PoolName::new("smal").unwrap(), known });
}

#[test]
fn a_time_to_live_of_nothing_or_beyond_the_maximum_is_refused() {
    let mut lab = Lab::ready(config(1));
    for ttl in [seconds(0), seconds(86_401)] {
        let refusal = lab.refused(Input::Acquire(Box::new(wish("r1", "ann").with_ttl(Some(ttl)))));
        assert!(matches!(refusal, Refusal::TtlOutOfRange { .. }), "{refusal}");
    }
    lab.granted(wish("r1", "ann").with_ttl(Some(seconds(86_400))));
}

#[test]
fn the_refusal_of_a_wish_that_does_not_wait_says_why() {
    let mut lab = Lab::new(config(1));
    lab.not_created(crate::lab::quota());
    let told = |lab: &mut Lab, request: &str| {
        let refusal = lab.refused(Input::Acquire(Box::new(wish(request, "ann"))));
        let Refusal::NoVmAvailable { why, .. } = refusal else { panic!("{refusal}") };
        why
    };
    let why = told(&mut lab, "r1");
    assert!(why.contains("the pool has no VM yet"), "{why}");
    assert!(why.contains("at provider lab is not used until") && why.contains("quota"), "{why}");
    let _ = lab.acquire(wish("r2", "ann").with_wait(seconds(60)));
    lab.pass(seconds(2));
    let why = told(&mut lab, "r3");
    assert!(why.contains("1 spawning") && why.contains("max_total is 1"), "{why}");
    assert!(why.contains("requests waiting: 1") && why.contains("last problem: quota"), "{why}");
}

#[test]
fn the_end_of_a_request_is_its_own_however_often_it_is_sent_again() {
    let mut lab = Lab::new(config(1));
    let sent = |left: u64| wish("r1", "ann").with_wait(seconds(left)).with_repeat_within(Some(seconds(80)));
    let times = |lab: &Lab| {
        let request = lab.engine.requests().next().unwrap();
        (request.deadline, request.until)
    };
    let end = lab.now + seconds(200);
    assert_eq!(lab.acquire(sent(200)), Answer::Waiting);
    assert_eq!(times(&lab), (lab.now + seconds(80), Some(end)));
    lab.pass(seconds(51));
    assert_eq!(lab.acquire(sent(150)), Answer::Waiting);
    assert_eq!(times(&lab), (lab.now + seconds(80), Some(end)), "what is left was told a second late");
    lab.pass(seconds(50));
    assert_eq!(lab.acquire(sent(300)), Answer::Waiting);
    assert_eq!(times(&lab), (lab.now + seconds(80), Some(lab.now + seconds(300))), "it has more time now");
    lab.pass(seconds(79));
    assert_eq!(lab.acquire(sent(20)), Answer::Waiting);
    lab.pass(seconds(1));
    assert_eq!(lab.happened(EventKind::RequestTimedOut), 0);
    lab.pass(seconds(19));
    assert_eq!(lab.happened(EventKind::RequestTimedOut), 1, "who does not ask again is gone");
}

#[test]
fn a_request_that_need_not_be_sent_again_before_its_end_has_one_end() {
    let mut lab = Lab::new(config(1));
    let end = lab.now + seconds(200);
    for (passed, left) in [(0, 200), (70, 130), (70, 60)] {
        lab.pass(seconds(passed));
        let sent = wish("r1", "ann").with_wait(seconds(left)).with_repeat_within(Some(seconds(80)));
        assert_eq!(lab.acquire(sent), Answer::Waiting);
    }
    let request = lab.engine.requests().next().unwrap();
    assert_eq!((request.deadline, request.until), (end, None));
}
