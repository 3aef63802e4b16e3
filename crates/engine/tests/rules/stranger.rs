//! Nodes that are not ours to touch are counted and shown.

use vmpool_model::{EventKind, InstallationId, Node, NodeId, PoolName, Token, VmName, states::NodeState};

use crate::lab::{Lab, config, pool, seconds};

fn node(id: &str, token: Option<(&str, &str, &str)>) -> Node {
    let mut node = Node::new(NodeId::new(id).unwrap(), format!("name of {id}"), NodeState::Running);
    node.token = token.map(|(installation, pool, vm)| {
        let (pool, vm) = (PoolName::new(pool).unwrap(), VmName::new(vm).unwrap());
        Token::new(InstallationId::new(installation).unwrap(), pool, vm)
    });
    node
}

#[test]
fn strangers_are_shown_with_whose_they_are() {
    let mut lab = Lab::ready(config(1));
    let mut dead = node("dead", None);
    dead.state = NodeState::Terminated;
    let strangers = [node("bare", None), node("theirs", Some(("others", "small", "small-1"))), dead];
    lab.list(&strangers);
    let view = lab.engine.providers().remove(0);
    assert_eq!((view.strangers, view.orphans, view.nodes), (2, 0, 1));
    let shown: Vec<_> = view.first_strangers.iter().map(|stranger| stranger.node.as_str()).collect();
    assert_eq!(shown, ["bare", "theirs"]);
    assert_eq!(view.first_strangers[0].name, "name of bare");
    assert_eq!(
        (view.first_strangers[0].token.clone(), view.first_strangers[0].state),
        (None, NodeState::Running)
    );
    assert_eq!(view.first_strangers[1].token, strangers[1].token);
    assert_eq!(lab.happened(EventKind::StrangerSeen), 0, "those of others are no news");
    lab.list(&strangers[..1]);
    assert_eq!(lab.engine.providers()[0].strangers, 1);
}

#[test]
fn of_many_strangers_all_are_counted_and_the_first_100_shown() {
    let mut lab = Lab::new(config(0));
    let nodes: Vec<_> = (0..250).map(|index| node(&format!("n{index}"), None)).collect();
    lab.list(&nodes);
    let view = lab.engine.providers().remove(0);
    assert_eq!((view.strangers, view.first_strangers.len()), (250, 100));
    lab.list_partially(&[]);
    assert_eq!(lab.engine.providers()[0].strangers, 250, "a partial listing may lack them");
}

#[test]
fn nodes_of_ours_that_cannot_be_placed_are_told_of_once_and_never_touched() {
    let mut lab = Lab::new(config(0));
    let elsewhere = [node("lost", Some(("test", "elsewhere", "elsewhere-1")))];
    for _ in 0..30 {
        lab.list(&elsewhere);
    }
    assert_eq!((lab.happened(EventKind::StrangerSeen), lab.destroys()), (1, 0));
    let told = lab.events.iter().find(|event| event.kind == EventKind::StrangerSeen).unwrap();
    assert_eq!(
        told.detail,
        "node lost is running and left alone: there is no such pool; if it left the configuration and its VM was forgotten, destroy the node by hand"
    );
    assert_eq!(lab.engine.providers()[0].strangers, 1);
    lab.list(&[]);
    lab.list(&elsewhere);
    assert_eq!(lab.happened(EventKind::StrangerSeen), 2, "it was gone in between");
}

/// Two VMs, of which the record of the first cannot be read after a restart; and both nodes.
fn half_readable() -> (Lab, Vec<Node>) {
    let mut lab = Lab::new(config(2));
    let nodes = lab.boot_all();
    lab.unreadable.insert(VmName::new(&nodes[0].name).unwrap());
    lab.restart();
    (lab, nodes)
}

#[test]
fn f14_the_node_of_an_unreadable_record_is_never_an_orphan() {
    let (mut lab, nodes) = half_readable();
    for _ in 0..30 {
        lab.list(&nodes);
    }
    assert_eq!((lab.destroys(), lab.happened(EventKind::OrphanFound)), (0, 0));
    assert_eq!(lab.happened(EventKind::StrangerSeen), 1);
    assert_eq!(lab.happened(EventKind::RecordUnreadable), 1);
}

#[test]
fn f14_a_vm_with_an_unreadable_record_takes_room_in_its_pool() {
    let (mut lab, _) = half_readable();
    assert_eq!(lab.engine.pools()[0].unreadable, 1);
    lab.pass(seconds(60));
    assert_eq!(lab.creates(), 0, "max_total is 2");
    let mut spec = lab.engine.spec().clone();
    spec.epoch += 1;
    spec.pools.get_mut(&pool()).unwrap().max_total = Some(3);
    lab.restart_as(spec);
    assert_eq!(lab.creates(), 1, "there is room for one in its place");
}

#[test]
fn an_unreadable_vm_is_of_the_pool_with_the_longest_name_that_fits() {
    let mut spec = crate::lab::spec(config(1));
    for name in ["small-big", "sma", "small-b"] {
        spec.pools.insert(PoolName::new(name).unwrap(), config(1));
    }
    let mut lab = Lab::of(spec.clone());
    for vm in ["small-big-x7", "small-bigger-y", "nobody-z", "small-big"] {
        lab.unreadable.insert(VmName::new(vm).unwrap());
    }
    spec.epoch += 1;
    lab.restart_as(spec);
    let counts = lab.engine.pools().into_iter().map(|view| (view.name.to_string(), view.unreadable));
    let expected = [("sma", 0), ("small", 2), ("small-b", 0), ("small-big", 1)];
    assert_eq!(counts.collect::<Vec<_>>(), expected.map(|(name, count)| (name.to_owned(), count)));
    assert_eq!(lab.happened(EventKind::RecordUnreadable), 4);
}

#[test]
fn f14_who_holds_a_vm_whose_record_became_unreadable_keeps_the_lease() {
    let mut lab = Lab::ready(config(1));
    let lease = lab.granted(crate::lab::wish("r1", "ann")).lease;
    lab.unreadable.insert(lease.vm.clone());
    lab.restart();
    let renew = vmpool_engine::Input::Renew { lease: lease.id.clone(), fence: None, ttl: None };
    assert!(matches!(lab.step(renew), vmpool_engine::Answer::Renewed(_)));
    lab.release(&lease);
    assert_eq!((lab.destroys(), lab.finds()), (0, 0));
}
