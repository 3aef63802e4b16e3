//! Nodes of ours that no record speaks of take room in the quota of their provider until they are gone (A8, I3).

use vmpool_engine::{Input, Limit, ListedNodes, Spec};
use vmpool_model::{
    EventKind, Node, NodeId, PoolName, RequestId, Timestamp, Token, VmName, config::PoolConfig,
    states::NodeState,
};

use crate::{
    clouds::{named, offer, offering},
    lab::{Lab, pool, quota, seconds, spec, timeout, wish},
    reconfigure::change,
};

/// A pool that makes VMs for those who wait, at a provider that may have this many.
fn limited(vms: u64) -> Spec {
    let mut config = offering(0, vec![offer("lab", 0)]);
    (config.max_total, config.max_starting) = (Some(9), 9);
    with_quota(config, "vms", vms)
}

fn with_quota(config: PoolConfig, resource: &str, amount: u64) -> Spec {
    let mut spec = spec(config);
    spec.providers.get_mut(&named("lab")).unwrap().quota.insert(resource.to_owned(), amount);
    spec
}

/// Nodes with our token and no record.
fn strays(count: usize) -> Vec<Node> {
    (0..count).map(|index| stray(&format!("small-lost{index}"), pool())).collect()
}

fn stray(name: &str, pool: PoolName) -> Node {
    let vm = VmName::new(name).unwrap();
    let mut node = Node::new(NodeId::new(name).unwrap(), name, NodeState::Running);
    node.token = Some(Token::new(spec(PoolConfig::new(named("lab"), "", 0)).installation, pool, vm));
    node
}

/// Lets this many want a VM each.
fn want(lab: &mut Lab, count: usize) {
    for number in 0..count {
        let request = format!("r{}-{number}", lab.engine.requests().count());
        let _ = lab.acquire(wish(&request, "ann").with_wait(seconds(3600)));
    }
}

fn forget(lab: &mut Lab, vm: &VmName) {
    let _ = lab.step(Input::Forget { vm: vm.clone(), reason: "the operator says so".to_owned() });
}

fn told(lab: &Lab) -> String {
    lab.engine.can_grow(&pool()).map_or_else(|limit| limit.to_string(), |()| "nothing".to_owned())
}

#[test]
fn a8_nothing_is_made_before_the_first_listing_where_there_is_a_quota() {
    let mut lab = Lab::unlisted(limited(4));
    want(&mut lab, 9);
    assert_eq!(lab.creates(), 0);
    assert_eq!(
        told(&lab),
        "nobody knows yet how much of its quota is taken at provider lab: the first listing is awaited"
    );
    lab.list(&[]);
    assert_eq!(lab.creates(), 4);
}

#[test]
fn a_provider_without_a_quota_makes_vms_before_it_is_listed() {
    let mut spec = limited(4);
    spec.providers.values_mut().for_each(|provider| provider.quota.clear());
    let mut lab = Lab::unlisted(spec);
    want(&mut lab, 2);
    assert_eq!(lab.creates(), 2);
}

#[test]
fn a8_after_a_lost_store_nodes_without_a_record_leave_room_for_the_rest_only() {
    let mut lab = Lab::unlisted(limited(4));
    want(&mut lab, 9);
    lab.list(&strays(3));
    assert_eq!(lab.creates(), 1);
    assert_eq!(
        told(&lab),
        "a VM needs 1 vms at provider lab, where 4 of 4 are taken, 3 of these by nodes of ours without a record"
    );
    let explained = lab.engine.explain(&RequestId::new("r0-0").unwrap()).unwrap();
    let limits: Vec<_> = explained.obstacles.iter().map(|obstacle| obstacle.limit.kind()).collect();
    assert_eq!(limits, ["starting"], "one VM comes for the first that waits");
    assert_eq!(lab.engine.provider(&named("lab")).unwrap().used["vms"], 4);
}

#[test]
fn a8_room_comes_back_when_nodes_without_a_record_are_proven_gone_and_not_before() {
    let mut lab = Lab::unlisted(limited(4));
    want(&mut lab, 9);
    let strays = strays(4);
    lab.list(&strays);
    while lab.destroys() == 0 {
        lab.list(&strays);
    }
    assert_eq!((lab.destroys(), lab.creates()), (4, 0));
    while lab.destroys() != 0 {
        lab.destroyed(Ok(()));
    }
    assert_eq!(lab.creates(), 0, "accepted is not gone");
    lab.list(&strays[..1]);
    assert_eq!(lab.creates(), 3, "one is still there");
}

#[test]
fn a8_a_node_without_a_record_that_nobody_destroyed_is_gone_after_two_complete_listings() {
    let mut lab = Lab::unlisted(limited(1));
    want(&mut lab, 1);
    lab.list(&strays(1));
    lab.list(&[]);
    assert_eq!(lab.creates(), 0, "one listing may be wrong");
    lab.list_partially(&[]);
    lab.listed(Err(timeout()));
    assert_eq!(lab.creates(), 0, "that proves nothing");
    lab.list(&[]);
    assert_eq!(lab.creates(), 1);
}

#[test]
fn a8_a_node_without_a_record_that_is_listed_as_terminated_is_gone() {
    let mut lab = Lab::unlisted(limited(1));
    want(&mut lab, 1);
    let mut strays = strays(1);
    lab.list(&strays);
    strays[0].state = NodeState::Terminated;
    lab.list(&strays);
    assert_eq!(lab.creates(), 1);
}

#[test]
fn a8_a_destruction_that_is_refused_gives_no_room() {
    let mut lab = Lab::unlisted(limited(1));
    want(&mut lab, 1);
    let strays = strays(1);
    for _ in 0..3 {
        while lab.destroys() == 0 {
            lab.list(&strays);
        }
        lab.destroyed(Err(timeout()));
        lab.list(&strays);
    }
    assert_eq!(lab.creates(), 0);
}

#[test]
fn a8_what_a_partial_listing_shows_counts_and_is_destroyed_for_that_by_nobody() {
    let mut lab = Lab::unlisted(limited(4));
    lab.list(&[]);
    for _ in 0..20 {
        lab.list_partially(&strays(3));
    }
    want(&mut lab, 9);
    assert_eq!((lab.creates(), lab.destroys(), lab.happened(EventKind::OrphanFound)), (1, 0, 0));
}

#[test]
fn a8_a_node_without_a_record_needs_the_most_that_its_pools_offers_need_there() {
    let (mut small, mut large) = (offer("lab", 0), offer("lab", 1));
    large.template = "large".to_owned();
    (small.needs, large.needs) = ([("cores".to_owned(), 2)].into(), [("cores".to_owned(), 5)].into());
    let mut config = offering(0, vec![small, large]);
    (config.max_total, config.max_starting) = (Some(9), 9);
    let mut lab = Lab::unlisted(with_quota(config, "cores", 10));
    want(&mut lab, 9);
    lab.list(&strays(1));
    assert_eq!(lab.creates(), 2, "5 of 10 cores are taken, and each needs 2");
}

#[test]
fn a8_a_node_of_a_pool_that_there_is_not_is_one_vm_and_is_left_alone() {
    let mut lab = Lab::unlisted(limited(4));
    want(&mut lab, 9);
    let elsewhere = stray("elsewhere-lost", PoolName::new("elsewhere").unwrap());
    for _ in 0..20 {
        lab.list(std::slice::from_ref(&elsewhere));
    }
    assert_eq!((lab.creates(), lab.destroys()), (3, 0));
}

#[test]
fn the_nodes_of_others_take_nothing_of_our_quota() {
    let mut lab = Lab::unlisted(limited(4));
    want(&mut lab, 9);
    let mut others = strays(2);
    others[0].token = None;
    others[1].token.as_mut().unwrap().installation = vmpool_model::InstallationId::new("others").unwrap();
    lab.list(&others);
    assert_eq!(lab.creates(), 4);
}

#[test]
fn a8_a_forgotten_vm_takes_its_room_until_its_node_is_gone() {
    let mut lab = Lab::unlisted(limited(1));
    lab.list(&[]);
    want(&mut lab, 2);
    let node = lab.boot_all().remove(0);
    let vm = lab.vms().next().unwrap().name.clone();
    forget(&mut lab, &vm);
    assert_eq!(lab.creates(), 0, "its node is there");
    while lab.destroys() == 0 {
        lab.list(std::slice::from_ref(&node));
    }
    lab.destroyed(Ok(()));
    assert_eq!(lab.creates(), 0);
    lab.list(&[]);
    assert_eq!(lab.creates(), 1);
}

#[test]
fn a8_a_vm_that_is_forgotten_while_its_node_is_asked_for_takes_its_room() {
    let mut spec = limited(1);
    spec.providers.values_mut().for_each(|provider| provider.create_settle = Some(seconds(25)));
    let mut lab = Lab::unlisted(spec);
    lab.list(&[]);
    want(&mut lab, 2);
    let vm = lab.vms().next().unwrap().name.clone();
    forget(&mut lab, &vm);
    assert_eq!(lab.creates(), 1, "nothing is asked for beside what is asked for already");
    for _ in 0..10 {
        lab.list(&[]);
    }
    assert_eq!(lab.creates(), 1, "it may still wait for its turn");
    lab.not_created(timeout());
    lab.list(&[]);
    lab.list(&[]);
    assert_eq!(lab.creates(), 0, "it may still take effect");
    for _ in 0..3 {
        lab.list(&[]);
    }
    assert_eq!(lab.creates(), 1);
}

#[test]
fn a8_a_vm_that_is_forgotten_right_before_a_crash_while_its_node_is_asked_for_takes_its_room() {
    for clock in [0, -86_400_000] {
        let mut spec = limited(1);
        let others = |provider: &mut vmpool_model::config::ProviderConfig| {
            (provider.create_settle, provider.visibility_window) = (Some(seconds(25)), seconds(10));
        };
        spec.providers.values_mut().for_each(others);
        let mut lab = Lab::unlisted(spec);
        while lab.engine.can_grow(&pool()).is_err() {
            lab.list(&[]);
        }
        want(&mut lab, 2);
        let vm = lab.vms().next().unwrap().name.clone();
        forget(&mut lab, &vm);
        let forgotten = lab.now;
        assert_eq!(lab.pools[&pool()].forgotten_at, Some(forgotten), "it is written");
        // The clock may be set back meanwhile.
        lab.now = Timestamp::from_millis(lab.now.as_millis() + clock);
        let start = lab.now;
        lab.restart();
        lab.list(&[]);
        while lab.now.since(start) < seconds(35) {
            assert_eq!(
                lab.creates(),
                0,
                "its node may come to be {:?} after the start",
                lab.now.since(start)
            );
            lab.list(&[]);
        }
        lab.list(&[]);
        lab.list(&[]);
        assert_eq!(lab.creates(), 1);
        lab.restart();
        assert!(!lab.pools.contains_key(&pool()), "it is over");
    }
}

#[test]
fn a_vm_that_is_forgotten_and_whose_create_is_refused_takes_no_room() {
    let mut lab = Lab::unlisted(limited(1));
    lab.list(&[]);
    want(&mut lab, 2);
    let vm = lab.vms().next().unwrap().name.clone();
    forget(&mut lab, &vm);
    lab.not_created(quota());
    assert_eq!(lab.engine.provider(&named("lab")).unwrap().used["vms"], lab.vms().count() as u64);
}

#[test]
fn a8_the_node_of_a_vm_that_was_forgotten_before_it_was_made_counts_once() {
    let mut lab = Lab::unlisted(limited(4));
    lab.list(&[]);
    want(&mut lab, 1);
    let vm = lab.vms().next().unwrap().name.clone();
    forget(&mut lab, &vm);
    let late = lab.created(NodeState::Running);
    lab.list(std::slice::from_ref(&late));
    let records = lab.vms().count();
    assert_eq!(lab.engine.provider(&named("lab")).unwrap().used["vms"], 1 + records as u64);
}

#[test]
fn a_provider_that_cannot_be_listed_makes_nothing_and_explain_says_so() {
    let mut lab = Lab::unlisted(limited(4));
    want(&mut lab, 1);
    lab.listed(Err(timeout()));
    assert_eq!(lab.creates(), 0);
    let told_why =
        "nobody knows yet how much of its quota is taken at provider lab: the last listing failed:";
    assert!(told(&lab).starts_with(told_why), "{}", told(&lab));
    let explained = lab.engine.explain(&RequestId::new("r0-0").unwrap()).unwrap();
    assert!(matches!(explained.obstacles[0].limit, Limit::Unlisted { listings: 1, .. }), "{explained:?}");
    lab.list(&[]);
    assert_eq!(lab.creates(), 1);
}

#[test]
fn a_pool_whose_provider_cannot_be_listed_makes_vms_of_its_other_offer() {
    let config = offering(1, vec![offer("lab", 0), offer("far", 1)]);
    let mut spec = with_quota(config, "vms", 4);
    spec.providers.insert(named("far"), vmpool_model::config::ProviderConfig::new("dummy"));
    let mut lab = Lab::unlisted(spec);
    assert_eq!(lab.creates(), 0, "what it likes best is asked first");
    lab.listed(Err(timeout()));
    assert_eq!((lab.creates_at("lab"), lab.creates_at("far")), (0, 1));
}

#[test]
fn a8_nothing_is_made_before_a_complete_listing_and_explain_says_so() {
    let mut lab = Lab::unlisted(limited(4));
    want(&mut lab, 9);
    for _ in 0..9 {
        lab.list_partially(&strays(1));
    }
    assert_eq!(lab.creates(), 0, "there may be more than they show");
    assert!(told(&lab).ends_with("the last listing is not complete: some are left out"), "{}", told(&lab));
    lab.list(&strays(2));
    assert_eq!(lab.creates(), 2);
}

#[test]
fn a8_after_a_lost_store_what_was_asked_for_before_is_waited_for() {
    let mut spec = limited(2);
    spec.providers.values_mut().for_each(|provider| provider.create_settle = Some(seconds(25)));
    let mut lab = Lab::unlisted(spec);
    let start = lab.now;
    want(&mut lab, 9);
    while lab.now.since(start) < seconds(20) {
        lab.list(&strays(1));
        assert_eq!(lab.creates(), 0, "another one may be on its way");
    }
    lab.list(&strays(2));
    assert_eq!(lab.creates(), 0);
}

#[test]
fn a8_a_node_that_may_be_invisible_after_a_start_is_waited_for() {
    let mut spec = limited(1);
    spec.providers.values_mut().for_each(|provider| provider.visibility_window = seconds(15));
    let mut lab = Lab::unlisted(spec);
    want(&mut lab, 1);
    lab.list(&[]);
    lab.list(&[]);
    assert_eq!(lab.creates(), 0);
    lab.list(&[]);
    assert_eq!(lab.creates(), 1);
}

#[test]
fn a8_a_vm_that_was_never_made_gives_way_after_a_start_to_nodes_without_a_record() {
    let mut lab = Lab::unlisted(limited(1));
    lab.list(&[]);
    want(&mut lab, 1);
    assert_eq!(lab.creates(), 1);
    lab.restart();
    lab.list(&strays(1));
    lab.found(Vec::new());
    assert_eq!((lab.creates(), lab.vms().count()), (0, 0), "there is no room for it any more");
}

#[test]
fn a8_what_a_provider_had_is_forgotten_when_it_is_another_account() {
    let mut lab = Lab::unlisted(limited(2));
    want(&mut lab, 9);
    lab.list(&strays(2));
    change(&mut lab, |to| to.providers.get_mut(&named("lab")).unwrap().driver = "other".to_owned());
    assert_eq!(lab.creates(), 0, "nobody knows what is there");
    let list = ListedNodes { nodes: Vec::new(), incomplete: None };
    lab.listed_at(&named("lab"), Ok(list));
    assert_eq!(lab.creates(), 2);
}
