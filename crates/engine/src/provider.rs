//! What the engine keeps of one provider: what it lets through, its listing, and nodes that belong to nobody.

use std::collections::{BTreeMap, BTreeSet};

use vmpool_model::{NodeId, PoolName, Timestamp, VmName, config::ProviderConfig};

use crate::{
    EffectId, brake::Brake, first_listing::Unlisted, gate::Gate, hint::Glance, look::Look,
    sequence::Sequence, stranger::Strangers, table::Table,
};

/// One provider.
#[derive(Debug)]
pub(crate) struct Provider {
    pub(crate) config: ProviderConfig,
    /// Since when it is not in the configuration any more: nothing is made there, and it goes with its last VM.
    pub(crate) retired_at: Option<Timestamp>,
    /// What it lets through.
    pub(crate) gate: Gate,
    /// The listing under way, and when it was asked for.
    pub(crate) listing: Option<(EffectId, Timestamp)>,
    /// A hint came while a listing was under way: it is listed again after that.
    pub(crate) list_again: bool,
    /// The looks at single nodes that hints called for.
    pub(crate) glances: BTreeMap<NodeId, Glance>,
    /// Nodes with our token that belong to no record.
    pub(crate) orphans: BTreeMap<NodeId, Orphan>,
    /// The pools of which there may be nodes here that belong to no VM: since when the last one was forgotten, or its end
    /// accepted.
    pub(crate) forgotten: BTreeMap<PoolName, Timestamp>,
    /// The VM that each known node belongs to.
    pub(crate) by_node: Table<NodeId, Bound>,
    /// The order in which it lists its nodes.
    pub(crate) sequence: Sequence,
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

/// The VM that a node belongs to.
#[derive(Debug)]
pub(crate) struct Bound {
    pub(crate) vm: VmName,
    /// What a listed node looks like with which there is nothing to do; `None` if that is not known, or something is to do
    /// whatever it looks like.
    pub(crate) look: Option<Look>,
    /// The last listing in which it looked so.
    pub(crate) seen_in: Option<EffectId>,
}

/// A node with our token that belongs to no record.
#[derive(Debug)]
pub(crate) struct Orphan {
    /// The pool that its token names.
    pub(crate) pool: Option<PoolName>,
    pub(crate) since: Timestamp,
    /// In how many complete listings it was seen.
    pub(crate) seen: u32,
    /// Its destruction, while that is under way.
    pub(crate) destroying: Option<EffectId>,
}

impl Provider {
    pub(crate) fn new(config: ProviderConfig, seed: u64, now: Timestamp) -> Self {
        let mut gate = Gate::new(&config);
        gate.unlisted = Some(Unlisted::new(now));
        Self {
            gate,
            config,
            retired_at: None,
            listing: None,
            list_again: false,
            glances: BTreeMap::new(),
            orphans: BTreeMap::new(),
            forgotten: BTreeMap::new(),
            by_node: Table::new(seed),
            sequence: Sequence::default(),
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
        if self.holder(node) == Some(vm) {
            self.by_node.remove(node);
        }
    }

    /// Notes which VM a node belongs to; returns which one it did before.
    pub(crate) fn bind(&mut self, node: &NodeId, vm: &VmName) -> Option<VmName> {
        let bound = Bound { vm: vm.clone(), look: None, seen_in: None };
        self.by_node.insert(node.clone(), bound).map(|before| before.vm)
    }

    /// Returns the VM that a node belongs to.
    pub(crate) fn holder(&self, node: &NodeId) -> Option<&VmName> {
        self.by_node.get(node).map(|bound| &bound.vm)
    }

    /// Notes that a listing shows a node with which there is nothing to do, if it is the one that is next in the order of the
    /// listing before and looks the same; returns whether it is.
    pub(crate) fn is_next(&mut self, listing: EffectId, look: Look) -> bool {
        let Some(place) = self.sequence.next() else { return false };
        let Some(bound) = self.by_node.at_mut(place).filter(|bound| bound.look == Some(look)) else {
            return false;
        };
        bound.seen_in = Some(listing);
        self.sequence.push(place);
        true
    }

    /// Has the node's VM looked at when it is listed next, whatever the node looks like.
    pub(crate) fn look_again(&mut self, node: &NodeId) {
        if let Some(bound) = self.by_node.get_mut(node) {
            bound.look = None;
        }
    }
}
