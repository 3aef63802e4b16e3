//! What a listed node looks like: compared at once, without a look at its VM.

use std::hash::{BuildHasher, Hash, Hasher};

use foldhash::fast::FixedState;
use vmpool_model::{Node, NodeView, RecordState, Token, VmName};

use crate::{EffectId, Engine, provider::Provider, vm::Vm};

/// The id of a listed node, and all of it that may change what becomes of its VM, as a number: of two nodes that differ, one in 2^64 has
/// the number of the other one. A VM whose node is as it was is known by this alone, however many there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Look(u64);

impl Look {
    /// Returns what a listed node looks like. The seed keeps others from making two nodes look alike.
    pub(crate) fn of(node: &Node, seed: u64) -> Self {
        let mut hasher = FixedState::with_seed(seed).build_hasher();
        node.id.hash(&mut hasher);
        node.token.as_ref().map(|token| (&token.installation, &token.vm)).hash(&mut hasher);
        (node.state, &node.raw_state).hash(&mut hasher);
        node.addresses().for_each(|address| address.hash(&mut hasher));
        Self(hasher.finish())
    }

    /// Returns what a node looks like that is as it is known, and tells this token or none.
    fn of_known(node: &NodeView, token: Option<&Token>, seed: u64) -> Self {
        let mut hasher = FixedState::with_seed(seed).build_hasher();
        node.id.hash(&mut hasher);
        token.map(|token| (&token.installation, &token.vm)).hash(&mut hasher);
        (node.state, &node.raw_state).hash(&mut hasher);
        node.addresses.iter().for_each(|address| address.hash(&mut hasher));
        Self(hasher.finish())
    }
}

impl Vm {
    /// Returns whether a listing changes nothing that shows the node as it is known.
    pub(crate) fn is_trusted(&self) -> bool {
        self.record.state != RecordState::Terminating
            && self.absent.is_none()
            && self.record.suspect.is_none()
            && !self.usurped
    }
}

impl Engine {
    /// Has a VM looked at when its node is listed next, whatever the node looks like.
    pub(crate) fn look_again(&mut self, name: &VmName) {
        let Some(vm) = self.vms.get(name) else { return };
        if let (Some(provider), Some(node)) = (self.providers.get_mut(&vm.record.provider), &vm.record.node) {
            provider.look_again(&node.id);
        }
    }

    /// Returns whether a listing has shown a VM's node.
    pub(crate) fn is_seen(&self, vm: &Vm, provider: &Provider, listing: EffectId) -> bool {
        let bound = vm.record.node.as_ref().and_then(|node| provider.by_node.get(&node.id));
        let is_its = bound.is_some_and(|bound| bound.vm == vm.record.name && bound.seen_in == Some(listing));
        is_its || vm.seen_in == Some(listing)
    }

    /// Returns whether there is nothing to do with a VM whose node looks so.
    pub(crate) fn may_look(&self, vm: &Vm, look: Option<Look>) -> bool {
        let token = vm.record.token(&self.spec.installation);
        let looks = |node: &NodeView| {
            [Some(&token), None].map(|token| Some(Look::of_known(node, token, self.spec.seed)))
        };
        vm.is_trusted() && vm.record.node.as_ref().is_some_and(|node| looks(node).contains(&look))
    }
}

#[cfg(test)]
mod tests {
    use vmpool_model::{InstallationId, NodeId, PoolName, states::NodeState};

    use super::*;

    fn node() -> Node {
        let mut node = Node::new(NodeId::new("7").unwrap(), "small-a", NodeState::Running);
        let token = |vm| Token::new(InstallationId::new("lab").unwrap(), PoolName::new("small").unwrap(), vm);
        node.token = Some(token(VmName::new("small-a").unwrap()));
        node.public_ips.push([10, 0, 0, 1].into());
        node
    }

    #[test]
    fn whatever_may_change_what_becomes_of_a_vm_changes_the_look_of_its_node() {
        let changes: [fn(&mut Node); 7] = [
            |node| node.id = NodeId::new("8").unwrap(),
            |node| node.state = NodeState::Stopped,
            |node| node.raw_state = vmpool_model::states::RawState::Text("odd".to_owned()),
            |node| node.public_ips.push([10, 0, 0, 2].into()),
            |node| node.public_ips.clear(),
            |node| node.token = None,
            |node| node.token.iter_mut().for_each(|token| token.vm = VmName::new("small-b").unwrap()),
        ];
        for change in changes {
            let mut changed = node();
            change(&mut changed);
            assert_ne!(Look::of(&changed, 7), Look::of(&node(), 7), "{changed:?}");
        }
    }

    #[test]
    fn a_node_that_is_as_it_is_known_looks_as_it_is_known() {
        let node = node();
        let known = Look::of_known(&NodeView::from(&node), node.token.as_ref(), 7);
        assert_eq!(Look::of(&node, 7), known);
    }
}
