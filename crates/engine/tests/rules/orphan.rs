//! Nodes that belong to no record: ours are swept, others are never touched.

use vmpool_engine::Effect;
use vmpool_model::{EventKind, InstallationId, Node, NodeId, Token, VmName, states::NodeState};

use crate::lab::{Lab, config, pool, seconds, timeout};

/// A node with the token of an installation, for a VM that has no record.
fn stray(installation: &str) -> Node {
    let vm = VmName::new("small-forgotten").unwrap();
    let mut node = Node::new(NodeId::new("stray").unwrap(), vm.as_str(), NodeState::Running);
    node.token = Some(Token::new(InstallationId::new(installation).unwrap(), pool(), vm));
    node
}

fn destroys_stray(lab: &Lab) -> usize {
    lab.count(|effect| matches!(effect, Effect::Destroy { vm: None, node, .. } if node.as_str() == "stray"))
}

#[test]
fn a_node_with_our_token_and_no_record_is_destroyed_after_a_grace() {
    let mut lab = Lab::new(config(0));
    let stray = [stray("test")];
    lab.list(&stray);
    let first = lab.now;
    assert_eq!(lab.happened(EventKind::OrphanFound), 1);
    while lab.now.since(first) < seconds(60) {
        assert_eq!(destroys_stray(&lab), 0);
        lab.list(&stray);
    }
    assert_eq!((destroys_stray(&lab), lab.happened(EventKind::OrphanDestroyed)), (1, 1));
    lab.list(&stray);
    assert_eq!(destroys_stray(&lab), 1, "one destruction at a time");
}

#[test]
fn one_listing_makes_no_orphan_however_long_the_grace_is_over() {
    let mut spec = crate::lab::spec(config(0));
    spec.providers.values_mut().for_each(|provider| provider.orphan_grace = seconds(0));
    let mut lab = Lab::of(spec);
    lab.list(&[stray("test")]);
    assert_eq!(destroys_stray(&lab), 0);
    lab.list(&[stray("test")]);
    assert_eq!(destroys_stray(&lab), 1);
}

#[test]
fn an_orphan_that_was_gone_in_between_has_its_grace_anew() {
    let mut lab = Lab::new(config(0));
    for _ in 0..10 {
        lab.list(&[stray("test")]);
        lab.list(&[stray("test")]);
        lab.list(&[]);
    }
    assert_eq!(destroys_stray(&lab), 0);
}

#[test]
fn an_orphan_that_was_listed_as_terminated_in_between_has_its_grace_anew() {
    let mut lab = Lab::new(config(0));
    let mut ended = stray("test");
    ended.state = NodeState::Terminated;
    for _ in 0..10 {
        lab.list(&[stray("test")]);
        lab.list(&[stray("test")]);
        lab.list(std::slice::from_ref(&ended));
    }
    assert_eq!(destroys_stray(&lab), 0);
}

#[test]
fn partial_listings_make_no_orphans() {
    let mut lab = Lab::new(config(0));
    for _ in 0..20 {
        lab.list_partially(&[stray("test")]);
    }
    assert_eq!((destroys_stray(&lab), lab.happened(EventKind::OrphanFound)), (0, 0));
}

#[test]
fn the_nodes_of_others_are_never_touched() {
    let mut lab = Lab::new(config(0));
    let mut unmarked = stray("test");
    unmarked.token = None;
    unmarked.id = NodeId::new("unmarked").unwrap();
    for _ in 0..20 {
        lab.list(&[stray("other"), unmarked.clone()]);
    }
    assert_eq!((lab.destroys(), lab.happened(EventKind::OrphanFound)), (0, 0));
}

#[test]
fn a_node_of_a_pool_that_is_not_ours_to_decide_on_is_left_alone() {
    let mut lab = Lab::new(config(0));
    let mut node = stray("test");
    node.token.as_mut().unwrap().pool = vmpool_model::PoolName::new("elsewhere").unwrap();
    for _ in 0..20 {
        lab.list(std::slice::from_ref(&node));
    }
    assert_eq!(lab.destroys(), 0);
}

#[test]
fn a_node_of_another_installation_is_never_adopted() {
    let mut lab = Lab::new(config(1));
    let (_, mut token) = lab.create();
    token.installation = InstallationId::new("other").unwrap();
    let node = lab.node(&token, NodeState::Running);
    lab.list(&[node]);
    assert_eq!(lab.only_vm().node, None);
}

#[test]
fn an_orphan_that_is_terminated_already_is_left_alone() {
    let mut lab = Lab::new(config(0));
    let mut dead = stray("test");
    dead.state = NodeState::Terminated;
    for _ in 0..20 {
        lab.list(std::slice::from_ref(&dead));
    }
    assert_eq!(lab.destroys(), 0);
}

#[test]
fn f4_an_orphan_whose_destruction_is_refused_is_destroyed_again() {
    let mut lab = Lab::new(config(0));
    for _ in 0..3 {
        while destroys_stray(&lab) == 0 {
            lab.list(&[stray("test")]);
        }
        lab.destroyed(Err(timeout()));
    }
    assert_eq!(lab.happened(EventKind::OrphanDestroyed), 3);
}

/// One VM at the first provider; whatever the second one lists is answered at once, many times.
fn listed_elsewhere(node: impl Fn(&Node) -> Node) -> Lab {
    let other = vmpool_model::ProviderName::new("other").unwrap();
    let mut spec = crate::lab::spec(config(1));
    spec.providers.insert(other.clone(), vmpool_model::config::ProviderConfig::new("dummy"));
    let mut lab = Lab::of(spec);
    let own = lab.boot_all().remove(0);
    for _ in 0..20 {
        let is_list = |effect: &Effect| matches!(effect, Effect::List { .. });
        let lists: Vec<_> = lab.effects.clone().into_iter().filter(|(_, effect)| is_list(effect)).collect();
        for (id, effect) in lists {
            let Effect::List { provider } = effect else { panic!() };
            let nodes = vec![if provider == other { node(&own) } else { own.clone() }];
            let result = Ok(vmpool_engine::ListedNodes { nodes, incomplete: None });
            lab.answer(id, vmpool_engine::Outcome::Listed { provider, result });
        }
        lab.pass(seconds(10));
    }
    assert_eq!(lab.only_vm().state, vmpool_model::RecordState::Ready);
    lab
}

#[test]
fn a_node_that_a_second_provider_of_the_same_account_lists_is_left_alone() {
    assert_eq!(listed_elsewhere(Node::clone).destroys(), 0);
}

#[test]
fn a_node_with_the_token_of_a_vm_elsewhere_and_an_id_of_its_own_is_an_orphan() {
    let twin = |own: &Node| {
        let mut twin = own.clone();
        twin.id = NodeId::new("twin").unwrap();
        twin
    };
    let lab = listed_elsewhere(twin);
    assert_eq!(
        lab.count(|effect| matches!(effect, Effect::Destroy { node, .. } if node.as_str() == "twin")),
        1
    );
}

fn farm_of_strays(count: usize) -> Vec<Node> {
    let strays = (0..count).map(|index| {
        let mut node = stray("test");
        node.id = NodeId::new(format!("stray-{index:02}")).unwrap();
        node.token.as_mut().unwrap().vm = VmName::new(format!("small-{index:02}")).unwrap();
        node
    });
    strays.collect()
}

#[test]
fn f6_at_most_ten_orphans_are_destroyed_at_once_the_oldest_first() {
    let mut lab = Lab::new(config(0));
    let strays = farm_of_strays(25);
    lab.list(&strays[5..]);
    lab.list(&strays);
    while lab.destroys() == 0 {
        lab.list(&strays);
    }
    assert_eq!(lab.destroys(), 10);
    lab.list(&strays);
    assert_eq!(lab.destroys(), 10, "those under way count");
    let mut destroyed = Vec::new();
    while lab.destroys() != 0 {
        destroyed.push(lab.destroyed(Ok(())));
    }
    let left: Vec<_> = strays.iter().filter(|node| !destroyed.contains(&node.id)).cloned().collect();
    lab.list(&left);
    assert_eq!(lab.destroys(), 10);
    while lab.destroys() != 0 {
        destroyed.push(lab.destroyed(Ok(())));
    }
    let young = &strays[..5];
    assert!(young.iter().all(|node| !destroyed.contains(&node.id)), "they were found last: {destroyed:?}");
}

#[test]
fn f6_no_orphan_is_destroyed_while_too_many_known_nodes_are_missing() {
    let mut pool = config(5);
    pool.max_starting = 5;
    let mut lab = Lab::new(pool);
    let nodes = lab.boot_all();
    lab.list(&nodes);
    lab.list(&nodes);
    // As if the records were of another time: none of their nodes is there, and no record knows those that are.
    let strays = farm_of_strays(3);
    for _ in 0..30 {
        lab.list(&strays);
    }
    assert_eq!((lab.happened(EventKind::OrphanFound), lab.destroys()), (3, 0));
    lab.list(&[nodes, strays].concat());
    assert_eq!(lab.destroys(), 3);
}
