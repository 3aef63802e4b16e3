//! Identity: a node is its provider's id and our token together, and ids can come back.

use vmpool_engine::{Effect, Input, Outcome};
use vmpool_model::{
    EventKind, InstallationId, Node, NodeId, PoolName, ProviderName, RecordState, VmName,
    config::{CheckConfig, ProviderConfig},
    states::NodeState,
};

use crate::lab::{Lab, config, quota, seconds, spec, wish, with_check};

/// A pool of two VMs: one ready, the other asked for; and the node of the first.
fn one_of_two() -> (Lab, Node) {
    let mut pool = config(2);
    pool.max_starting = 1;
    let mut lab = Lab::new(pool);
    let node = lab.created(NodeState::Running);
    (lab, node)
}

/// Answers the create with a node that has the id of another.
fn created_as(lab: &mut Lab, id: &NodeId) -> Node {
    let (create, token) = lab.create();
    let mut node = lab.node(&token, NodeState::Running);
    node.id = id.clone();
    lab.answer(create, Outcome::Created(Ok(Box::new(node.clone()))));
    node
}

fn vm_of(node: &Node) -> VmName {
    VmName::new(&node.name).unwrap()
}

#[test]
fn f16_a_ready_vm_whose_node_id_another_vm_has_now_is_gone_and_never_leased() {
    let (mut lab, old) = one_of_two();
    let new = created_as(&mut lab, &old.id);
    assert!(lab.vm(&vm_of(&old)).is_none());
    assert_eq!(lab.granted(wish("r1", "ann")).lease.vm, vm_of(&new));
    assert_eq!(lab.destroys(), 0);
}

#[test]
fn f16_a_leased_vm_whose_node_id_another_vm_has_now_is_doubted_and_kept() {
    let (mut lab, old) = one_of_two();
    let lease = lab.granted(wish("r1", "ann")).lease;
    let new = created_as(&mut lab, &old.id);
    let doubted = lab.vm(&vm_of(&old)).unwrap();
    assert!(doubted.suspect.is_some() && doubted.state == RecordState::InUse);
    lab.list(std::slice::from_ref(&new));
    lab.release(&lease);
    assert!(lab.vm(&vm_of(&old)).is_none());
    assert_eq!(lab.destroys(), 0, "the id is the other VM's");
}

#[test]
fn f16_of_two_records_with_one_node_id_the_node_belongs_to_the_one_its_token_names() {
    let (mut lab, old) = one_of_two();
    let lease = lab.granted(wish("r1", "ann")).lease;
    let new = created_as(&mut lab, &old.id);
    lab.restart();
    for _ in 0..20 {
        lab.list(std::slice::from_ref(&new));
    }
    assert_eq!((lab.destroys(), lab.happened(EventKind::OrphanFound)), (0, 0));
    lab.pass(seconds(600));
    assert!(lab.vm(&lease.vm).is_none(), "its lease expired and its node is another VM's");
    assert_eq!(lab.vm(&vm_of(&new)).unwrap().state, RecordState::Ready);
}

#[test]
fn f16_a_node_id_that_came_back_at_another_installation_is_never_destroyed() {
    let mut lab = Lab::new(config(1));
    let mut node = lab.boot_all().remove(0);
    let name = vm_of(&node);
    node.token.as_mut().unwrap().installation = InstallationId::new("other").unwrap();
    lab.list_until_looked_up(std::slice::from_ref(&node));
    lab.got(Ok(Some(node.clone())));
    assert!(lab.vm(&name).is_none(), "its own node is proven gone");
    for _ in 0..20 {
        lab.list(std::slice::from_ref(&node));
    }
    assert_eq!(lab.destroys(), 0);
}

#[test]
fn f16_a_node_id_that_came_back_as_a_node_of_ours_without_record_is_an_orphan() {
    let mut lab = Lab::new(config(1));
    let mut node = lab.boot_all().remove(0);
    let name = vm_of(&node);
    node.token.as_mut().unwrap().vm = VmName::new("small-forgotten").unwrap();
    lab.list_until_looked_up(std::slice::from_ref(&node));
    assert_eq!((lab.destroys(), lab.happened(EventKind::OrphanFound)), (0, 0));
    lab.got(Ok(Some(node.clone())));
    assert!(lab.vm(&name).is_none(), "its own node is proven gone");
    lab.list(std::slice::from_ref(&node));
    assert_eq!((lab.destroys(), lab.happened(EventKind::OrphanFound)), (0, 1));
}

#[test]
fn f16_a_vm_with_the_id_of_a_node_that_is_being_destroyed_is_given_up_before_anybody_gets_it() {
    let (mut lab, old) = one_of_two();
    let lease = lab.granted(wish("r1", "ann")).lease;
    lab.release(&lease);
    assert_eq!(lab.destroys(), 1, "of the first one");
    let new = created_as(&mut lab, &old.id);
    assert_eq!(lab.vm(&vm_of(&new)).unwrap().state, RecordState::Terminating);
    assert_eq!(lab.counts([RecordState::Ready]), [0]);
}

#[test]
fn f16_an_address_is_not_told_a_second_time_while_the_vm_that_had_it_may_be_used() {
    let mut pool = with_check(config(2));
    pool.max_starting = 1;
    let mut lab = Lab::new(pool);
    let old = lab.created(NodeState::Running);
    lab.checked(Ok(()));
    let lease = lab.granted(wish("r1", "ann")).lease;
    let (create, token) = lab.create();
    let mut new = lab.node(&token, NodeState::Running);
    new.public_ips.clone_from(&old.public_ips);
    lab.answer(create, Outcome::Created(Ok(Box::new(new.clone()))));
    lab.checked(Ok(()));
    let held_back = lab.vm(&vm_of(&new)).unwrap();
    assert_eq!((held_back.state, held_back.check_fails), (RecordState::CheckHealthFailed, 0));
    let why = format!("its address 10.0.0.1 is that of VM {}, too, which is in_use", lease.vm);
    assert_eq!(held_back.problem.as_ref(), Some(&why));
    lab.release(&lease);
    lab.pass(seconds(30));
    lab.checked(Ok(()));
    assert_eq!(lab.vm(&vm_of(&new)).unwrap().state, RecordState::Ready);
}

#[test]
fn f16_a_command_may_tell_vms_apart_that_share_an_address() {
    let mut pool = config(2);
    pool.check = CheckConfig::Exec { command: vec!["/usr/bin/true".to_owned()] };
    let mut lab = Lab::new(pool);
    let first = lab.created(NodeState::Running);
    lab.checked(Ok(()));
    let (create, token) = lab.create();
    let mut second = lab.node(&token, NodeState::Running);
    second.public_ips.clone_from(&first.public_ips);
    lab.answer(create, Outcome::Created(Ok(Box::new(second))));
    lab.checked(Ok(()));
    assert_eq!(lab.counts([RecordState::Ready]), [2]);
}

#[test]
fn a_node_that_two_providers_list_is_no_orphan_of_either() {
    let mut spec = spec(config(1));
    let twin = ProviderName::new("twin").unwrap();
    spec.providers.insert(twin, ProviderConfig::new("dummy"));
    let mut lab = Lab::of(spec);
    let node = lab.boot_all().remove(0);
    for _ in 0..30 {
        let listings: Vec<_> = lab
            .effects
            .iter()
            .filter_map(|(id, effect)| match effect {
                Effect::List { provider } => Some((*id, provider.clone())),
                _ => None,
            })
            .collect();
        for (id, provider) in listings {
            let nodes = vmpool_engine::ListedNodes { nodes: vec![node.clone()], incomplete: None };
            lab.answer(id, Outcome::Listed { provider, result: Ok(nodes) });
        }
        lab.pass(seconds(10));
    }
    assert_eq!((lab.destroys(), lab.happened(EventKind::OrphanFound)), (0, 0));
    assert_eq!(lab.only_vm().state, RecordState::Ready);
}

#[test]
fn nodes_of_a_pool_that_another_domain_may_have_are_left_alone() {
    let mut lab = Lab::new(config(1));
    let mut node = lab.boot_all().remove(0);
    let token = node.token.as_mut().unwrap();
    (token.pool, token.vm) = (PoolName::new("large").unwrap(), VmName::new("large-1").unwrap());
    node.id = NodeId::new("elsewhere").unwrap();
    for _ in 0..20 {
        lab.list(std::slice::from_ref(&node));
    }
    let elsewhere =
        |effect: &Effect| matches!(effect, Effect::Destroy { node, .. } if node.as_str() == "elsewhere");
    assert_eq!(lab.count(elsewhere), 0);
}

#[test]
fn f4_a_vm_whose_destruction_is_refused_because_it_is_gone_is_forgotten_when_listings_and_a_look_up_prove_it()
{
    let mut lab = Lab::new(config(1));
    let node = lab.boot_all().remove(0);
    let name = vm_of(&node);
    let _ = lab.step(Input::Terminate { vm: name.clone(), only_if: None, reason: String::new() });
    lab.destroyed(Err(quota()));
    while lab.gets() == 0 {
        lab.list(&[]);
        if lab.destroys() != 0 {
            lab.destroyed(Err(quota()));
        }
    }
    assert!(lab.vm(&name).is_some(), "a listing alone proves nothing");
    lab.got(Ok(None));
    assert!(lab.vm(&name).is_none(), "or it takes up room for ever");
}

#[test]
fn w13_f16_two_vms_with_one_address_are_two_vms() {
    let mut lab = Lab::new(config(2));
    let mut nodes = lab.boot_all();
    let address = nodes[0].public_ips.clone();
    nodes[1].public_ips = address;
    for _ in 0..10 {
        lab.list(&nodes);
    }
    assert_eq!((lab.counts([RecordState::Ready]), lab.destroys()), ([2], 0));
    let vm = vm_of(&nodes[0]);
    let _ = lab.step(Input::Terminate { vm: vm.clone(), only_if: None, reason: String::new() });
    assert_eq!(lab.destroyed(Ok(())), nodes[0].id);
    lab.list(&nodes[1..]);
    assert!(lab.vm(&vm).is_none());
    assert_eq!(
        lab.vm(&vm_of(&nodes[1])).unwrap().state,
        RecordState::Ready,
        "only the one that was terminated is gone"
    );
}

#[test]
fn w13_a_vm_that_is_destroyed_is_not_forgotten_because_another_has_its_address() {
    let mut lab = Lab::new(config(2));
    let mut nodes = lab.boot_all();
    let address = nodes[0].public_ips.clone();
    nodes[1].public_ips = address;
    lab.list(&nodes);
    let vm = vm_of(&nodes[0]);
    let _ = lab.step(Input::Terminate { vm: vm.clone(), only_if: None, reason: String::new() });
    lab.destroyed(Err(quota()));
    lab.pass(seconds(3600));
    assert_eq!(
        (lab.vm(&vm).unwrap().state, lab.destroys()),
        (RecordState::Terminating, 1),
        "it is tried for ever"
    );
}

#[test]
fn w9_f16_a_node_of_another_pool_with_the_name_of_a_vm_changes_nothing_of_it() {
    let mut spec = spec(config(1));
    let large = PoolName::new("large").unwrap();
    spec.pools.insert(large.clone(), config(0));
    let mut lab = Lab::of(spec);
    let node = lab.boot_all().remove(0);
    let before = lab.only_vm().clone();
    let mut twin = node.clone();
    (twin.id, twin.state) = (NodeId::new("twin").unwrap(), NodeState::Stopped);
    twin.token.as_mut().unwrap().pool = large;
    for _ in 0..20 {
        lab.list(&[node.clone(), twin.clone()]);
    }
    assert_eq!(*lab.only_vm(), before);
    let of_twin =
        |effect: &Effect| matches!(effect, Effect::Destroy { node, vm: None, .. } if *node == twin.id);
    assert_eq!((lab.count(of_twin), lab.destroys()), (1, 1), "it is nobody's");
}

#[test]
fn w9_pools_whose_names_begin_alike_have_vms_of_their_own() {
    let mut spec = spec(config(20));
    spec.pools.values_mut().for_each(|pool| pool.max_starting = 20);
    let mut other = config(20);
    other.max_starting = 20;
    spec.pools.insert(PoolName::new("small-2").unwrap(), other);
    let mut lab = Lab::of(spec);
    lab.boot_all();
    let drain = Input::Drain { pool: crate::lab::pool(), reason: String::new() };
    assert_eq!(lab.step(drain), vmpool_engine::Answer::Accepted);
    let left: Vec<_> =
        lab.vms().filter(|vm| vm.state == RecordState::Ready).map(|vm| vm.pool.as_str()).collect();
    assert_eq!(left, ["small-2"; 20]);
}

#[test]
fn f16_a_leased_vm_whose_node_id_another_vm_has_is_looked_up_and_missing() {
    let (mut lab, old) = one_of_two();
    let lease = lab.granted(wish("r1", "ann")).lease;
    let new = created_as(&mut lab, &old.id);
    for _ in 0..5 {
        lab.list(std::slice::from_ref(&new));
    }
    assert_eq!(lab.gets(), 1, "no listing shows it");
    assert_eq!(lab.got(Ok(Some(new))), lease.vm);
    let doubted = lab.vm(&lease.vm).unwrap();
    assert_eq!(doubted.suspect.as_deref(), Some("its node is missing at the provider"));
}

#[test]
fn f16_a_vm_that_ends_is_gone_once_another_vm_has_its_node_id() {
    let (mut lab, old) = one_of_two();
    let terminate = Input::Terminate { vm: vm_of(&old), only_if: None, reason: String::new() };
    let _ = lab.step(terminate);
    lab.destroyed(Ok(()));
    assert!(lab.vm(&vm_of(&old)).is_some(), "accepted is not gone");
    created_as(&mut lab, &old.id);
    assert!(lab.vm(&vm_of(&old)).is_none());
}
