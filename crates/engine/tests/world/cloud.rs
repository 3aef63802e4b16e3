//! A model of a cloud: nodes with a truth that listings show late, in part, or not at all.

use std::time::Duration;

use vmpool_model::{InstallationId, Node, NodeId, Timestamp, Token, states::NodeState};

use crate::setup::seconds;

#[derive(Debug)]
pub(crate) struct Cloud {
    pub(crate) nodes: Vec<CloudNode>,
    /// Creations that take effect later.
    pub(crate) late: Vec<(Timestamp, Token)>,
    /// How long a new node may stay invisible.
    pub(crate) window: Duration,
    /// Whether what is terminated is still listed.
    pub(crate) lists_dead: bool,
    next_id: u32,
}

#[derive(Debug)]
pub(crate) struct CloudNode {
    pub(crate) node: Node,
    pub(crate) visible_at: Timestamp,
    boots_at: Option<Timestamp>,
    /// When a destruction that was accepted takes effect.
    ends_at: Option<Timestamp>,
    /// When the cloud ends it by itself.
    pub(crate) expires_at: Option<Timestamp>,
    /// It was put there by the history, not asked for by the engine.
    pub(crate) is_stray: bool,
}

impl CloudNode {
    pub(crate) fn is_alive(&self) -> bool {
        self.node.state != NodeState::Terminated
    }

    pub(crate) fn is_of(&self, installation: &InstallationId) -> bool {
        self.node.token.as_ref().is_some_and(|token| token.installation == *installation)
    }
}

impl Cloud {
    pub(crate) fn new(window: Duration, lists_dead: bool) -> Self {
        Self { nodes: Vec::new(), late: Vec::new(), window, lists_dead, next_id: 0 }
    }

    /// Lets everything happen that is due.
    pub(crate) fn pass(&mut self, now: Timestamp) {
        let (due, later) = std::mem::take(&mut self.late).into_iter().partition(|(at, _)| *at <= now);
        self.late = later;
        let due: Vec<_> = due;
        for (at, token) in due {
            self.make(Some(token), at, at, Some(seconds(3)));
        }
        for node in &mut self.nodes {
            if node.node.state == NodeState::Pending && node.boots_at.is_some_and(|at| at <= now) {
                node.node.state = NodeState::Running;
            }
            if [node.ends_at, node.expires_at].into_iter().flatten().any(|at| at <= now) {
                node.node.state = NodeState::Terminated;
            }
        }
    }

    pub(crate) fn make(
        &mut self,
        token: Option<Token>,
        now: Timestamp,
        visible_at: Timestamp,
        boots: Option<Duration>,
    ) -> &mut CloudNode {
        self.next_id += 1;
        let id = NodeId::new(self.next_id.to_string()).unwrap();
        let name = token.as_ref().map_or("anything", |token| token.vm.as_str());
        let state = if boots == Some(Duration::ZERO) { NodeState::Running } else { NodeState::Pending };
        let mut node = Node::new(id, name, state);
        node.token = token;
        node.public_ips.push(std::net::Ipv4Addr::from_bits(0x0a00_0000 + self.next_id).into());
        let boots_at = boots.map(|boots| now + boots);
        self.nodes.push(CloudNode {
            node,
            visible_at,
            boots_at,
            ends_at: None,
            expires_at: None,
            is_stray: false,
        });
        self.nodes.last_mut().unwrap()
    }

    pub(crate) fn get(&self, id: &NodeId) -> Option<&CloudNode> {
        self.nodes.iter().find(|node| node.node.id == *id)
    }

    pub(crate) fn alive(&mut self, id: &NodeId) -> Option<&mut CloudNode> {
        self.nodes.iter_mut().find(|node| node.node.id == *id && node.is_alive())
    }

    /// Ends a node, at once or later.
    pub(crate) fn end(&mut self, id: &NodeId, at: Timestamp, now: Timestamp) {
        let Some(node) = self.alive(id) else { return };
        match now < at {
            true => {
                node.node.state = NodeState::Terminating;
                node.ends_at = Some(at);
            }
            false => node.node.state = NodeState::Terminated,
        }
    }

    /// What a listing shows.
    pub(crate) fn visible(&self, now: Timestamp) -> Vec<Node> {
        let shown = self.nodes.iter().filter(|node| node.visible_at <= now);
        let shown = shown.filter(|node| node.is_alive() || self.lists_dead);
        shown.map(|node| node.node.clone()).collect()
    }

    /// Whether a node with the token exists, visible or not, or will.
    pub(crate) fn will_have(&self, token: &Token) -> bool {
        let mut alive = self.nodes.iter().filter(|node| node.is_alive());
        alive.any(|node| node.node.token.as_ref() == Some(token))
            || self.late.iter().any(|(_, late)| late == token)
    }

    /// Ends what only the history could end: states that nobody knows, and boots that never end.
    pub(crate) fn heal(&mut self, now: Timestamp) {
        for node in &mut self.nodes {
            match node.node.state {
                NodeState::Rebooting | NodeState::Unknown => node.node.state = NodeState::Running,
                NodeState::Pending => drop(node.boots_at.get_or_insert(now)),
                _ => {}
            }
        }
    }
}
