//! Requests that wait: in order, for a time, until they are withdrawn.

use vmpool_engine::{Answer, Input, Refusal};
use vmpool_model::{EventKind, RecordState, RequestId, RequestStatus, config::OnRelease};

use crate::lab::{Lab, config, seconds, wish};

fn wait(lab: &mut Lab, request: &str, owner: &str) {
    assert_eq!(lab.acquire(wish(request, owner).with_wait(seconds(60))), Answer::Waiting);
}

fn served(lab: &Lab) -> Vec<&str> {
    lab.decided.iter().filter(|(_, result)| result.is_ok()).map(|(id, _)| id.as_str()).collect()
}

#[test]
fn who_waits_is_served_in_order() {
    let mut lab = Lab::new(config(2));
    for request in ["r3", "r1", "r2"] {
        wait(&mut lab, request, "ann");
    }
    lab.boot_all();
    assert_eq!(served(&lab), ["r3", "r1"]);
}

#[test]
fn nobody_jumps_the_queue() {
    let mut pool = config(1);
    pool.on_release = OnRelease::Reuse;
    let mut lab = Lab::ready(pool);
    let lease = lab.granted(wish("r1", "ann")).lease;
    wait(&mut lab, "r2", "bob");
    lab.release(&lease);
    let refusal = lab.refused(Input::Acquire(Box::new(wish("r3", "cat"))));
    assert!(matches!(refusal, Refusal::NoVmAvailable { .. }));
}

#[test]
fn a_clean_vm_goes_to_who_waits_and_not_to_who_comes() {
    let mut lab = Lab::new(config(1));
    let mut node = lab.boot_all().remove(0);
    node.state = vmpool_model::states::NodeState::Rebooting;
    lab.list(std::slice::from_ref(&node));
    wait(&mut lab, "r1", "ann");
    node.state = vmpool_model::states::NodeState::Running;
    lab.list(&[node]);
    assert_eq!(served(&lab), ["r1"]);
    assert!(matches!(lab.acquire(wish("r2", "bob")), Answer::Refused(_)));
}

#[test]
fn a_freed_vm_of_ones_own_is_given_to_the_first_who_may_have_it() {
    let mut pool = config(1);
    pool.on_release = OnRelease::Reuse;
    let mut lab = Lab::ready(pool);
    let lease = lab.granted(wish("r1", "ann")).lease;
    wait(&mut lab, "r2", "bob");
    wait(&mut lab, "r3", "ann");
    wait(&mut lab, "r4", "ann");
    lab.release(&lease);
    assert_eq!(served(&lab), ["r3"], "a VM of ann's is of no use to bob");
}

#[test]
fn f17_a_freed_vm_is_handed_on_in_the_same_step() {
    let mut lab = Lab::new(config(1));
    wait(&mut lab, "r1", "ann");
    lab.boot_all();
    assert_eq!(served(&lab), ["r1"]);
    assert_eq!(lab.only_vm().state, RecordState::InUse);
}

#[test]
fn a_request_whose_time_is_over_is_refused_and_waits_no_longer() {
    let mut lab = Lab::new(config(1));
    wait(&mut lab, "r1", "ann");
    lab.pass(seconds(59));
    assert!(lab.decided.is_empty());
    lab.pass(seconds(1));
    let (id, result) = lab.decided.remove(0);
    assert_eq!(id.as_str(), "r1");
    let Err(Refusal::TimedOut { waited, .. }) = result else { panic!("{result:?}") };
    assert_eq!(waited, seconds(60));
    let status = lab.engine.request(&id).map(|request| request.status.clone());
    assert_eq!(status, Some(RequestStatus::TimedOut { at: lab.now }));
    lab.boot_all();
    assert_eq!(lab.only_vm().state, RecordState::Ready, "nobody waits any more");
}

#[test]
fn asking_again_while_waiting_extends_the_time_and_keeps_the_place() {
    let mut lab = Lab::new(config(1));
    wait(&mut lab, "r1", "ann");
    wait(&mut lab, "r2", "ann");
    lab.pass(seconds(50));
    wait(&mut lab, "r1", "ann");
    lab.pass(seconds(50));
    let waits = lab.engine.requests().filter(|request| request.status == RequestStatus::Waiting);
    assert_eq!(waits.map(|request| request.id.as_str()).collect::<Vec<_>>(), ["r1"]);
    lab.decided.clear();
    lab.boot_all();
    assert_eq!(served(&lab), ["r1"]);
}

#[test]
fn asking_again_never_shortens_the_time() {
    let mut lab = Lab::new(config(1));
    wait(&mut lab, "r1", "ann");
    assert_eq!(lab.acquire(wish("r1", "ann")), Answer::Waiting);
    lab.pass(seconds(59));
    assert_eq!(lab.engine.requests().count(), 1);
}

#[test]
fn a_request_that_is_withdrawn_is_never_served() {
    let mut lab = Lab::new(config(1));
    wait(&mut lab, "r1", "ann");
    let request = RequestId::new("r1").unwrap();
    assert_eq!(lab.step(Input::Cancel(request.clone())), Answer::Accepted);
    let cancelled = Refusal::Cancelled { request: request.clone(), at: lab.now, by: None };
    assert_eq!(lab.decided, [(request.clone(), Err(cancelled.clone()))]);
    lab.boot_all();
    assert_eq!(lab.only_vm().state, RecordState::Ready);
    assert_eq!(lab.refused(Input::Cancel(request)), cancelled, "it is so already");
}

#[test]
fn withdrawing_a_request_that_was_served_gives_the_vm_back() {
    let mut lab = Lab::ready(config(1));
    let lease = lab.granted(wish("r1", "ann")).lease;
    assert_eq!(lab.step(Input::Cancel(lease.request.clone())), Answer::Accepted);
    assert_eq!(lab.engine.leases().count(), 0);
    assert_eq!(lab.happened(EventKind::LeaseReleased), 1);
    let over = lab.refused(Input::Cancel(lease.request.clone()));
    assert_eq!(over, Refusal::RequestEnded { request: lease.request, lease: lease.id, vm: lease.vm });
    assert_eq!(lab.happened(EventKind::LeaseReleased), 1);
}

#[test]
fn f9_who_waits_keeps_waiting_over_a_restart() {
    let mut lab = Lab::new(config(1));
    wait(&mut lab, "r1", "ann");
    wait(&mut lab, "r2", "ann");
    let (_, token) = lab.create();
    lab.restart();
    wait(&mut lab, "r3", "ann");
    let node = lab.node(&token, vmpool_model::states::NodeState::Running);
    lab.found(vec![node]);
    lab.boot_all();
    assert_eq!(served(&lab), ["r1"]);
    let orders: Vec<_> = lab.engine.requests().map(|request| (request.order, request.id.as_str())).collect();
    assert!(orders.is_sorted(), "{orders:?}");
}
