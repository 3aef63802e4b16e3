//! Hints that came together: each node once.

use std::collections::BTreeSet;

use vmpool_model::NodeId;

/// How many nodes are remembered one by one.
const NODES: usize = 1024;

/// The nodes that may have changed, or that any may have.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Batch {
    nodes: BTreeSet<NodeId>,
    all: bool,
}

impl Batch {
    /// Says that any node may have changed.
    pub(crate) fn all() -> Self {
        Self { nodes: BTreeSet::new(), all: true }
    }

    /// Adds a node, or all of them; too many are all.
    pub(crate) fn push(&mut self, node: Option<NodeId>) {
        match node {
            Some(node) if !self.all => drop(self.nodes.insert(node)),
            Some(_) => {}
            None => self.all = true,
        }
        self.all |= NODES < self.nodes.len();
        if self.all {
            self.nodes.clear();
        }
    }

    /// Adds all of another one.
    pub(crate) fn add(&mut self, other: Self) {
        other.into_iter().for_each(|node| self.push(node));
    }

    pub(crate) fn is_empty(&self) -> bool {
        !self.all && self.nodes.is_empty()
    }

    /// Returns the nodes, or none if any may have changed or there are more than `most`.
    pub(crate) fn into_nodes(self, most: usize) -> Vec<NodeId> {
        match self.all || most < self.nodes.len() {
            true => Vec::new(),
            false => self.nodes.into_iter().collect(),
        }
    }
}

impl IntoIterator for Batch {
    type Item = Option<NodeId>;
    type IntoIter = Box<dyn Iterator<Item = Option<NodeId>>>;

    /// Returns each node, or `None` if any may have changed.
    fn into_iter(self) -> Self::IntoIter {
        match self.all {
            true => Box::new(std::iter::once(None)),
            false => Box::new(self.nodes.into_iter().map(Some)),
        }
    }
}
