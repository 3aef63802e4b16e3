//! Batches and budgets.

use std::time::Duration;

use vmpool_model::{NodeId, Timestamp, config::ProviderConfig};

use super::{batch::Batch, budget::Budget};

fn id(number: u32) -> NodeId {
    NodeId::new(number.to_string()).unwrap()
}

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(1_000_000 + millis)
}

fn batch(nodes: impl IntoIterator<Item = Option<u32>>) -> Batch {
    let mut batch = Batch::default();
    nodes.into_iter().for_each(|node| batch.push(node.map(id)));
    batch
}

#[test]
fn nodes_are_gathered_once_each_and_too_many_are_all() {
    assert!(batch([]).is_empty());
    assert_eq!(batch([Some(2), Some(1), Some(2)]).into_nodes(2), [id(1), id(2)]);
    assert_eq!(batch([Some(2), Some(1)]).into_nodes(1), []);
    let mut all = batch([Some(2), None, Some(1)]);
    assert!(!all.is_empty());
    all.add(batch([Some(3)]));
    assert_eq!((all.clone(), all.into_nodes(9)), (Batch::all(), vec![]));
    assert_eq!(batch((0..2000).map(Some)), Batch::all());
}

#[test]
fn a_few_looks_are_allowed_at_once_and_then_so_many_per_listing() {
    let mut config = ProviderConfig::new("dummy");
    config.list_interval = Duration::from_secs(10);
    let mut budget = Budget::new(&config);
    assert_eq!((budget.room(at(0)), budget.due_at() <= at(0)), (10, true));
    budget.spend(at(0), 10);
    assert_eq!((budget.room(at(0)), budget.room(at(999)), budget.due_at()), (0, 0, at(1000)));
    assert_eq!((budget.room(at(1000)), budget.room(at(9_000)), budget.room(at(999_000))), (1, 9, 10));
    budget.spend(at(1000), 1);
    assert_eq!(budget.due_at(), at(2000));
}

#[test]
fn where_the_account_has_a_rate_hints_take_a_quarter_of_it() {
    let mut config = ProviderConfig::new("dummy");
    (config.rate, config.burst) = (Some(2.0), 5);
    let mut budget = Budget::new(&config);
    assert_eq!(budget.room(at(0)), 2);
    budget.spend(at(0), 2);
    assert_eq!(budget.due_at(), at(2000));
    config.rate = Some(1e-300);
    budget.set(&config);
    budget.spend(at(0), 2);
    assert!(at(86_400_000 - 10_000) < budget.due_at());
}
