//! Strangers: nodes that are not ours to touch, counted and shown.

use std::collections::BTreeSet;

use vmpool_model::{EventKind, Node, NodeId, ProviderName, Token, states::NodeState};

use crate::Engine;

/// How many strangers of a provider are shown.
const SHOWN: usize = 100;

/// A node that is not ours to touch: it has no token, that of another installation, or ours and no place with us.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stranger {
    /// The provider's id of the node.
    pub node: NodeId,
    /// The node's name at the provider.
    pub name: String,
    /// Its state.
    pub state: NodeState,
    /// Whose it is, if it says so.
    pub token: Option<Token>,
}

/// The strangers that the last complete listing showed.
#[derive(Debug, Default)]
pub(crate) struct Strangers {
    pub(crate) count: usize,
    pub(crate) first: Vec<Stranger>,
}

impl Strangers {
    pub(crate) fn add(&mut self, node: &Node) {
        self.count += 1;
        if self.first.len() < SHOWN {
            let Node { id, name, state, token, .. } = node;
            let stranger =
                Stranger { node: id.clone(), name: name.clone(), state: *state, token: token.clone() };
            self.first.push(stranger);
        }
    }
}

/// What a listed node that belongs to no record is to us.
pub(crate) enum Kin {
    /// It is ours, and no record needs it.
    Stray,
    /// It is not ours.
    Stranger,
    /// It is ours, and of a pool that there is not; this is what becomes of it.
    OfNoPool(&'static str),
    /// It is ours, and this is why it cannot be placed.
    Unplaced(&'static str),
    /// It is nothing to speak of, or waits for what becomes of a record.
    Other,
}

impl Engine {
    /// Tells what a node that belongs to no record is to us.
    ///
    /// A pool that is not known may be another domain's, and the record of a VM at another provider may mean this
    /// very node, if both are the same account and the id does not speak against it; so these are left alone. One
    /// whose id a VM still counts with waits until that VM is gone.
    pub(crate) fn kin(&self, provider: &ProviderName, node: &Node) -> Kin {
        let Some(token) = node.token.as_ref().filter(|_| self.is_ours(node)) else {
            return match node.state {
                NodeState::Terminated => Kin::Other,
                _ => Kin::Stranger,
            };
        };
        if self.unreadable.contains(&token.vm) {
            return Kin::Unplaced("the record of its VM cannot be read");
        }
        if !self.pools.contains_key(&token.pool) {
            return Kin::OfNoPool(
                "there is no such pool; if it left the configuration and its VM was forgotten, destroy the node by hand",
            );
        }
        let record = self.vms.get(&token.vm).map(|vm| &vm.record);
        let may_be_its = record.is_some_and(|record| {
            record.provider != *provider && record.node.as_ref().is_none_or(|known| known.id == node.id)
        });
        if may_be_its {
            return Kin::Unplaced("its VM is at another provider");
        }
        match self.providers.get(provider).is_none_or(|known| known.by_node.contains_key(&node.id)) {
            true => Kin::Other,
            false => Kin::Stray,
        }
    }

    /// Tells once of a node that is ours and cannot be placed.
    pub(crate) fn announce(&mut self, name: &ProviderName, node: &Node, why: &str) {
        let Some(provider) = self.providers.get_mut(name) else { return };
        if !provider.announced.insert(node.id.clone()) {
            return;
        }
        let token = node.token.clone();
        self.event(EventKind::StrangerSeen, |event| {
            event.provider = Some(name.clone());
            event.pool = token.as_ref().map(|token| token.pool.clone());
            event.vm = token.map(|token| token.vm);
            event.detail = format!("node {} is {} and left alone: {why}", node.id, node.state);
        });
    }

    /// Takes in which strangers a complete listing shows.
    pub(crate) fn meet(&mut self, name: &ProviderName, strangers: Strangers, listed: &[Node]) {
        let Some(provider) = self.providers.get_mut(name) else { return };
        provider.strangers = strangers;
        if provider.announced.is_empty() {
            return;
        }
        let listed: BTreeSet<_> = listed.iter().map(|node| &node.id).collect();
        provider.announced.retain(|node| listed.contains(node));
    }
}
