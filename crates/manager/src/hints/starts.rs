//! VMs that start: looked at by themselves, soon at first and then ever more rarely, until listings are as frequent.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use vmpool_engine::{Engine, Input};
use vmpool_model::{NodeId, ProviderName, RecordState, Timestamp, VmName, VmRecord, config::ProviderConfig};

use super::{MOST_NODES, budget::Budget};

/// After what time a node is looked at first, and the least time between two looks.
const FIRST: Duration = Duration::from_millis(500);

/// What part of its age passes before a node is looked at again: a start is seen late by at most that part of its time.
const PART_OF_AGE: u32 = 2;

/// A provider with more nodes is not listed for the sake of those that start: that costs too much.
const SMALL: usize = 250;

/// The VMs of one provider that start, and what looking at them may cost.
#[derive(Debug)]
pub(super) struct Starts {
    vms: BTreeMap<VmName, Young>,
    due: BTreeSet<(Timestamp, VmName)>,
    budget: Budget,
    /// A pause as long as this is left to the listings.
    list_interval: Duration,
}

#[derive(Debug)]
struct Young {
    node: NodeId,
    since: Timestamp,
}

impl Starts {
    pub(super) fn new(config: &ProviderConfig) -> Self {
        let (vms, due) = (BTreeMap::new(), BTreeSet::new());
        Self { vms, due, budget: Budget::new(config), list_interval: config.list_interval }
    }

    /// Goes by another configuration from now on.
    pub(super) fn set(&mut self, config: &ProviderConfig) {
        self.budget.set(config);
        self.list_interval = config.list_interval;
    }

    /// Looks at a VM's node from now on.
    pub(super) fn add(&mut self, vm: &VmName, node: &NodeId, now: Timestamp) {
        if self.list_interval <= FIRST || self.vms.get(vm).is_some_and(|young| young.node == *node) {
            return;
        }
        self.due.retain(|(_, other)| other != vm || !self.vms.contains_key(vm));
        self.vms.insert(vm.clone(), Young { node: node.clone(), since: now });
        self.due.insert((now + FIRST, vm.clone()));
    }

    /// Returns when a look is due that the budget allows.
    pub(super) fn due_at(&self) -> Option<Timestamp> {
        let (first, _) = self.due.first()?;
        Some(self.budget.due_at().max(*first))
    }

    /// Takes what is to be looked at now, as far as the budget allows; `nodes` is how many the provider has.
    pub(super) fn due(
        &mut self,
        provider: &ProviderName,
        engine: &Engine,
        nodes: usize,
        now: Timestamp,
    ) -> Option<Input> {
        let room = self.budget.room(now);
        if room == 0 {
            return None;
        }
        let mut due = Vec::new();
        let is_listed = |due: &Vec<NodeId>| room.min(MOST_NODES) < due.len() && nodes <= SMALL;
        while (due.len() < room || nodes <= SMALL)
            && let Some(vm) = self.take_due(now)
        {
            due.extend(self.again(vm, engine, now));
        }
        if due.is_empty() {
            return None;
        }
        // One listing is a look at all of them, and costs as much as some looks.
        if is_listed(&due) {
            due.clear();
        }
        self.budget.spend(now, if due.is_empty() { MOST_NODES } else { due.len() });
        Some(Input::Hint { provider: provider.clone(), nodes: due })
    }

    fn take_due(&mut self, now: Timestamp) -> Option<VmName> {
        let (at, _) = self.due.first()?;
        if now < *at {
            return None;
        }
        self.due.pop_first().map(|(_, vm)| vm)
    }

    /// Returns the node of a VM if it still starts, and says when it is looked at next, unless the listings are as good.
    fn again(&mut self, vm: VmName, engine: &Engine, now: Timestamp) -> Option<NodeId> {
        let young = self.vms.get(&vm)?;
        let (node, since) = (young.node.clone(), young.since);
        let record = engine.vm(&vm).filter(|record| node_of_start(record) == Some(&node));
        let pause = (now.since(since) / PART_OF_AGE).max(FIRST);
        if record.is_none() || self.list_interval <= pause {
            self.vms.remove(&vm);
        } else {
            self.due.insert((now + pause, vm));
        }
        record.map(|_| node)
    }
}

/// Returns the node of a VM that starts and has one.
pub(crate) fn node_of_start(record: &VmRecord) -> Option<&NodeId> {
    let node = record.node.as_ref().filter(|_| record.state == RecordState::Spawning)?;
    Some(&node.id)
}

#[cfg(test)]
mod tests {
    use vmpool_engine::{Records, Spec};
    use vmpool_model::{InstallationId, Node, NodeView, PoolName, config::PoolConfig, states::NodeState};

    use super::*;

    fn lab() -> ProviderName {
        ProviderName::new("lab").unwrap()
    }

    fn vm(number: usize) -> VmName {
        VmName::new(format!("small-{number}")).unwrap()
    }

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(1_000_000 + millis)
    }

    /// An engine with so many VMs that start, and what looks at them.
    fn world(count: usize) -> (Engine, Starts) {
        let config = ProviderConfig::new("dummy");
        let mut spec = Spec::new(InstallationId::new("test").unwrap(), 1, 7);
        let pool = PoolName::new("small").unwrap();
        spec.pools.insert(pool.clone(), PoolConfig::new(lab(), "template", 1));
        spec.providers.insert(lab(), config.clone());
        let mut starts = Starts::new(&config);
        let vms = (0..count).map(|number| {
            let mut record = VmRecord::intended(vm(number), pool.clone(), lab(), at(0));
            let node = Node::new(NodeId::new(number.to_string()).unwrap(), "node", NodeState::Starting);
            record.node = Some(NodeView::from(&node));
            starts.add(&record.name, &node.id, at(0));
            record
        });
        let vms = vms.collect();
        (Engine::recover(spec, Records { vms, ..Records::default() }, at(0)), starts)
    }

    /// How many nodes were looked at when, up to a time; 0 is a listing of all.
    fn looks(starts: &mut Starts, engine: &Engine, nodes: usize, until: i64) -> Vec<(i64, usize)> {
        let mut looks = Vec::new();
        while let Some(due) = starts.due_at().filter(|due| *due <= at(until)) {
            match starts.due(&lab(), engine, nodes, due) {
                Some(Input::Hint { nodes, .. }) => looks.push((due.as_millis() - 1_000_000, nodes.len())),
                other => assert!(other.is_none()),
            }
        }
        looks
    }

    #[test]
    fn a_vm_that_starts_is_looked_at_ever_more_rarely_until_listings_are_as_frequent() {
        let (engine, mut starts) = world(1);
        let looks = looks(&mut starts, &engine, 1, 3_600_000);
        let times: Vec<_> = looks.iter().map(|(at, _)| *at).collect();
        assert_eq!(times, [500, 1000, 1500, 2250, 3375, 5062, 7593, 11389, 17083, 25624]);
        assert!(looks.iter().all(|(_, nodes)| *nodes == 1) && starts.vms.is_empty());
    }

    #[test]
    fn many_vms_that_start_are_listed_and_no_oftener_than_the_budget_allows() {
        let (engine, mut starts) = world(200);
        let looks = looks(&mut starts, &engine, 200, 60_000);
        assert!(looks.iter().all(|(_, nodes)| *nodes == 0), "{looks:?}");
        assert!(looks.len() <= 10, "{looks:?}");
    }

    #[test]
    fn a_large_provider_is_not_listed_for_the_sake_of_those_that_start() {
        let (engine, mut starts) = world(1000);
        let looks = looks(&mut starts, &engine, 5_000, 30_000);
        assert!(looks.iter().all(|(_, nodes)| 0 < *nodes), "{looks:?}");
        let cost: usize = looks.iter().map(|(_, nodes)| nodes).sum();
        assert!((30..=42).contains(&cost), "ten at once, and one a second: {cost}");
    }

    #[test]
    fn who_has_started_or_gone_is_looked_at_no_more() {
        let (_, mut starts) = world(3);
        let (empty, _) = world(0);
        assert_eq!(looks(&mut starts, &empty, 3, 60_000), []);
        assert!(starts.vms.is_empty() && starts.due.is_empty());
    }

    #[test]
    fn a_vm_whose_node_is_another_one_begins_anew_and_is_due_once() {
        let (_, mut starts) = world(1);
        starts.add(&vm(0), &NodeId::new("0").unwrap(), at(100));
        assert_eq!(starts.due.first().unwrap().0, at(500), "it is known");
        starts.add(&vm(0), &NodeId::new("other").unwrap(), at(100));
        assert_eq!(starts.due.iter().map(|(at, _)| *at).collect::<Vec<_>>(), [at(600)]);
    }
}
