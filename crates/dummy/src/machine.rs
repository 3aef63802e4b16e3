//! One node as the cloud keeps it: its state is a function of the time.

use std::{collections::BTreeMap, net::IpAddr, net::Ipv4Addr};

use serde::{Deserialize, Serialize};
use vmpool_model::{InvalidName, Node, NodeId, NodeImage, NodeSize, Timestamp, Token, states::NodeState};

/// How many addresses 127.0.0.0/8 has for nodes.
pub(crate) const ADDRESSES: u64 = (1 << 24) - 2;

/// One node as the cloud keeps it, and as the journal does.
///
/// Nothing moves it: what it shows is computed from the times in it, so it lives on while no process runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Machine {
    pub(crate) number: u64,
    pub(crate) id: NodeId,
    pub(crate) name: String,
    pub(crate) created_at: Timestamp,
    pub(crate) visible_at: Timestamp,
    /// The state until `next`, or for good.
    pub(crate) state: NodeState,
    pub(crate) next: Option<Next>,
    pub(crate) dies_at: Option<Timestamp>,
    pub(crate) end: Option<End>,
    pub(crate) token: Option<Token>,
    pub(crate) address: Option<IpAddr>,
    pub(crate) size: Option<NodeSize>,
    pub(crate) image: Option<NodeImage>,
    pub(crate) extra: BTreeMap<String, String>,
}

/// The state that comes by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Next {
    pub(crate) at: Timestamp,
    pub(crate) state: NodeState,
}

/// When the node terminates, and when it is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct End {
    pub(crate) begins_at: Timestamp,
    pub(crate) gone_at: Timestamp,
}

impl Machine {
    /// Makes a running node that has an address and nothing else.
    pub(crate) fn new(number: u64, name: String, now: Timestamp) -> Result<Self, InvalidName> {
        Ok(Self {
            number,
            id: NodeId::new(number.to_string())?,
            name,
            created_at: now,
            visible_at: now,
            state: NodeState::Running,
            next: None,
            dies_at: None,
            end: None,
            token: None,
            address: Some(address(number)),
            size: None,
            image: None,
            extra: BTreeMap::new(),
        })
    }

    /// Returns the state at a time; `Terminated` if the node is gone.
    pub(crate) fn state_at(&self, now: Timestamp) -> NodeState {
        match (self.end, self.dies_at, self.next) {
            (Some(end), _, _) if end.gone_at <= now => NodeState::Terminated,
            (Some(end), _, _) if end.begins_at <= now => NodeState::Terminating,
            (_, Some(dies_at), _) if dies_at <= now => NodeState::Error,
            (_, _, Some(next)) if next.at <= now => next.state,
            _ => self.state,
        }
    }

    /// Returns whether the node is gone for good.
    pub(crate) fn is_gone(&self, now: Timestamp) -> bool {
        self.end.is_some_and(|end| end.gone_at <= now)
    }

    /// Returns whether calls can see the node.
    pub(crate) fn is_visible(&self, now: Timestamp) -> bool {
        self.visible_at <= now && !self.is_gone(now)
    }

    /// Puts the node into a state, and after a while into another.
    pub(crate) fn turn(&mut self, state: NodeState, next: Option<Next>) {
        (self.state, self.next) = (state, next);
    }

    /// Shows the node as it is at a time.
    pub(crate) fn show(&self, now: Timestamp) -> Node {
        let state = self.state_at(now);
        let mut node = Node::new(self.id.clone(), self.name.clone(), state);
        if state != NodeState::Pending {
            node.public_ips.extend(self.address);
        }
        node.size.clone_from(&self.size);
        node.image.clone_from(&self.image);
        node.token.clone_from(&self.token);
        node.created_at = Some(self.created_at);
        node.extra.clone_from(&self.extra);
        node
    }
}

/// Returns the number of a node's id; none of our ids is written in two ways.
pub(crate) fn number_of(id: &NodeId) -> Option<u64> {
    let number: u64 = id.as_str().parse().ok()?;
    (number.to_string() == id.as_str()).then_some(number)
}

/// Returns the address of the node of a number: 127.0.0.1 for the first, with carry beyond 255.
pub(crate) fn address(number: u64) -> IpAddr {
    let offset = number.saturating_sub(1) % ADDRESSES + 1;
    let last_three = u32::try_from(offset).unwrap_or(1);
    IpAddr::V4(Ipv4Addr::from_bits(0x7f00_0000 | last_three))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d07_addresses_carry_beyond_255() {
        let text = |number| address(number).to_string();
        assert_eq!(text(1), "127.0.0.1");
        assert_eq!(text(255), "127.0.0.255");
        assert_eq!(text(256), "127.0.1.0");
        assert_eq!(text(257), "127.0.1.1");
        assert_eq!(text(ADDRESSES), "127.255.255.254");
        assert_eq!(text(ADDRESSES + 1), "127.0.0.1");
    }

    #[test]
    fn only_our_own_spelling_of_an_id_is_an_id() {
        let number = |text: &str| number_of(&NodeId::new(text).unwrap());
        assert_eq!(number("7"), Some(7));
        for foreign in ["07", "+7", "7x", "i-7", "-1"] {
            assert_eq!(number(foreign), None, "{foreign}");
        }
    }
}
