//! Hints: a provider says by itself that something may have changed, and is looked at before its time.

use vmpool_model::{Failure, Node, NodeId, ProviderName, RecordState};

use crate::{Effect, EffectId, Engine};

/// What a hint calls for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Worth {
    /// Nothing: it is about what is not ours, or the provider does not answer and is asked again when it is time.
    Nothing,
    /// One request, for the node.
    Node,
    /// A listing: that a node is gone, only a listing shows.
    Listing,
}

impl Engine {
    /// Returns what a hint calls for about a node of a provider, or about any node of it.
    #[must_use]
    pub fn hint_worth(&self, provider: &ProviderName, node: Option<&NodeId>) -> Worth {
        let Some(provider) = self.providers.get(provider).filter(|provider| !provider.failing) else {
            return Worth::Nothing;
        };
        let Some(node) = node else { return Worth::Listing };
        match provider.holder(node).and_then(|vm| self.vms.get(vm)) {
            Some(vm) if vm.record.state == RecordState::Terminating => Worth::Listing,
            Some(_) => Worth::Node,
            // It may be the node of a VM whose create is not answered.
            None if provider.gate.has_nodeless() => Worth::Node,
            None => Worth::Nothing,
        }
    }

    /// Asks for what hints call for, one request for each node, or a listing for all.
    ///
    /// Nothing follows from a hint but a look, and that look is judged as a listing is.
    pub(crate) fn hinted(&mut self, name: &ProviderName, nodes: &[NodeId]) {
        let worth = |node: &NodeId| self.hint_worth(name, Some(node));
        let is_for_listing = nodes.iter().any(|node| worth(node) == Worth::Listing);
        if is_for_listing || (nodes.is_empty() && self.hint_worth(name, None) == Worth::Listing) {
            return self.list_soon(name);
        }
        let nodes: Vec<_> = nodes.iter().filter(|node| worth(node) == Worth::Node).cloned().collect();
        nodes.iter().for_each(|node| self.glance(name, node));
    }

    /// Lists a provider now, or once the listing under way has ended, which may have begun too early.
    fn list_soon(&mut self, name: &ProviderName) {
        let Some(provider) = self.providers.get_mut(name) else { return };
        provider.list_again = provider.listing.is_some();
        self.list(name);
    }

    /// Asks for a node, or once again if it was asked for already, which may have been too early.
    fn glance(&mut self, name: &ProviderName, node: &NodeId) {
        let Some(provider) = self.providers.get_mut(name) else { return };
        if let Some(glance) = provider.glances.get_mut(node) {
            glance.again = true;
            return;
        }
        let id = self.effect(Effect::Glance { provider: name.clone(), node: node.clone() });
        if let Some(provider) = self.providers.get_mut(name) {
            provider.glances.insert(node.clone(), Glance { id, again: false });
        }
    }

    /// A look at a node was answered. Only what it shows counts: that it shows no node proves nothing, as with a listing that
    /// is not complete.
    pub(crate) fn glanced(
        &mut self,
        id: EffectId,
        name: &ProviderName,
        node: &NodeId,
        result: Result<Option<Box<Node>>, Failure>,
    ) {
        let Some(provider) = self.providers.get_mut(name) else { return };
        let Some(glance) = provider.glances.get(node).filter(|glance| glance.id == id) else { return };
        let again = glance.again;
        provider.glances.remove(node);
        if let Ok(Some(shown)) = result
            && shown.id == *node
            && let Some(vm) = self.vm_of(name, &shown)
        {
            self.see(id, &vm, &shown);
        }
        if again {
            self.hinted(name, std::slice::from_ref(node));
        }
    }
}

/// A look at a node that is under way.
#[derive(Debug)]
pub(crate) struct Glance {
    id: EffectId,
    /// There was another hint meanwhile.
    again: bool,
}
