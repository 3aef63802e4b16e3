//! What the engine keeps of one provider: what it lets through, its listing, and nodes that belong to nobody.

use std::collections::{BTreeMap, BTreeSet};

use vmpool_model::{NodeId, Timestamp, VmName, config::ProviderConfig};

use crate::{EffectId, brake::Brake, gate::Gate, stranger::Strangers, table::Table};

/// One provider.
#[derive(Debug)]
pub(crate) struct Provider {
    pub(crate) config: ProviderConfig,
    /// What it lets through.
    pub(crate) gate: Gate,
    /// The listing under way, and when it was asked for.
    pub(crate) listing: Option<(EffectId, Timestamp)>,
    /// Nodes with our token that belong to no record.
    pub(crate) orphans: BTreeMap<NodeId, Orphan>,
    /// The VM that each known node belongs to.
    pub(crate) by_node: Table<NodeId, VmName>,
    /// When a complete listing was answered last.
    pub(crate) listed_at: Option<Timestamp>,
    /// That too many nodes are missing at once.
    pub(crate) brake: Option<Brake>,
    /// Nodes that are not ours to touch.
    pub(crate) strangers: Strangers,
    /// Those of them that were told of.
    pub(crate) announced: BTreeSet<NodeId>,
    /// It said that it cannot end nodes by itself.
    pub(crate) lacks_expiry: bool,
    /// Whether the last listing failed.
    pub(crate) failing: bool,
    pub(crate) failures: u32,
}

/// A node with our token that belongs to no record.
#[derive(Debug)]
pub(crate) struct Orphan {
    pub(crate) since: Timestamp,
    /// In how many complete listings it was seen.
    pub(crate) seen: u32,
    /// Its destruction, while that is under way.
    pub(crate) destroying: Option<EffectId>,
}

impl Provider {
    pub(crate) fn new(config: ProviderConfig, seed: u64) -> Self {
        Self {
            gate: Gate::new(&config),
            config,
            listing: None,
            orphans: BTreeMap::new(),
            by_node: Table::new(seed),
            listed_at: None,
            brake: None,
            strangers: Strangers::default(),
            announced: BTreeSet::new(),
            lacks_expiry: false,
            failing: false,
            failures: 0,
        }
    }

    /// Forgets which VM a node belongs to, unless it belongs to another one by now: ids can come back.
    pub(crate) fn unbind(&mut self, node: &NodeId, vm: &VmName) {
        if self.by_node.get(node) == Some(vm) {
            self.by_node.remove(node);
        }
    }
}
