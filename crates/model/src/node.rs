//! A VM as its provider reports it, in the uniform form.

use std::{collections::BTreeMap, net::IpAddr};

use serde::{Deserialize, Serialize};

use crate::{
    NodeId, Timestamp, Token,
    states::{NodeState, RawState},
};

/// A VM as its provider reports it.
///
/// The uniform [`state`](Self::state) always comes with the provider's own
/// [`raw_state`](Self::raw_state), which is never lost.
/// Source of the fields: libcloud's `Node`; unlike there, an id is never dropped because it looks
/// empty (OpenNebula's first VM has the id `0`), and addresses are lists of addresses.
///
/// ```
/// use vmpool_model::{Node, NodeId, states::NodeState};
/// let node = Node::new(NodeId::new("0")?, "web-1", NodeState::Running);
/// assert!(node.public_ips.is_empty() && node.extra.is_empty());
/// # Ok::<(), vmpool_model::InvalidName>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Node {
    /// The provider's id of the node.
    pub id: NodeId,
    /// The node's name at the provider; it need not be unique there.
    pub name: String,
    /// The uniform state.
    pub state: NodeState,
    /// The provider's own state.
    pub raw_state: RawState,
    /// Addresses that are reachable from outside, in the provider's order.
    #[serde(default)]
    pub public_ips: Vec<IpAddr>,
    /// Addresses that are reachable from inside the cloud only, in the provider's order.
    #[serde(default)]
    pub private_ips: Vec<IpAddr>,
    /// The size the node was made with, if the provider tells.
    pub size: Option<NodeSize>,
    /// The image the node was made from, if the provider tells.
    pub image: Option<NodeImage>,
    /// The token in the node's marks, if there is one that can be read.
    pub token: Option<Token>,
    /// When the provider made the node, if it tells.
    pub created_at: Option<Timestamp>,
    /// What only this provider knows, as text.
    #[serde(default)]
    pub extra: BTreeMap<String, String>,
}

impl Node {
    /// Makes a node of its id, name and state; everything else is empty or unknown.
    #[must_use]
    pub fn new(id: NodeId, name: impl Into<String>, state: NodeState) -> Self {
        Self {
            id,
            name: name.into(),
            state,
            raw_state: RawState::Text(state.to_string()),
            public_ips: Vec::new(),
            private_ips: Vec::new(),
            size: None,
            image: None,
            token: None,
            created_at: None,
            extra: BTreeMap::new(),
        }
    }

    /// Returns all addresses, public ones first.
    pub fn addresses(&self) -> impl Iterator<Item = IpAddr> + '_ {
        self.public_ips.iter().chain(&self.private_ips).copied()
    }
}

/// A size that nodes can have.
///
/// Source: libcloud's `NodeSize`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NodeSize {
    /// The provider's id of the size.
    pub id: String,
    /// The size's name.
    pub name: String,
    /// Memory in MiB.
    pub ram: u64,
    /// Disk in GB.
    pub disk: u64,
    /// Traffic in GB; `None` is unknown, `Some(0)` unlimited.
    pub bandwidth: Option<u64>,
    /// Price of an hour in US dollars, if there is one.
    pub price: Option<f64>,
}

/// An image that nodes can be made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeImage {
    /// The provider's id of the image.
    pub id: String,
    /// The image's name.
    pub name: String,
}

/// A place where nodes can be made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeLocation {
    /// The provider's id of the location.
    pub id: String,
    /// The location's name.
    pub name: String,
    /// The country, as the provider writes it.
    pub country: String,
}
