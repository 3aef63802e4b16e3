//! A driver that answers each listing with the next scene of a script.

use std::{
    net::IpAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use vmpool_driver::{
    Capabilities, CreateRequest, Driver, DriverError, DriverInfo, Listing, Operation, Pause, WaitOptions,
};
use vmpool_model::{FailureKind, Node, NodeId, states::NodeState};

/// A driver that plays a script; the last scene stays.
#[derive(Debug)]
pub(crate) struct Script {
    info: DriverInfo,
    capabilities: Capabilities,
    scenes: Mutex<Vec<Result<Listing, FailureKind>>>,
    found: Option<Node>,
    /// What was created.
    pub(crate) created: Mutex<Vec<CreateRequest>>,
}

impl Script {
    pub(crate) fn new(scenes: Vec<Result<Listing, FailureKind>>) -> Self {
        Self {
            info: DriverInfo::new("script", "Script"),
            capabilities: Capabilities::none(),
            scenes: Mutex::new(scenes.into_iter().rev().collect()),
            found: None,
            created: Mutex::default(),
        }
    }

    /// Plays complete listings.
    pub(crate) fn of(scenes: Vec<Vec<Node>>) -> Self {
        Self::new(scenes.into_iter().map(|nodes| Ok(Listing::complete(nodes))).collect())
    }

    /// Finds this node when it is asked for one; without it, none.
    pub(crate) fn with_found(self, node: Node) -> Self {
        Self { found: Some(node), ..self }
    }

    pub(crate) fn with_capabilities(self, change: impl FnOnce(&mut Capabilities)) -> Self {
        let mut capabilities = self.capabilities;
        change(&mut capabilities);
        Self { capabilities, ..self }
    }
}

#[async_trait]
impl Driver for Script {
    fn info(&self) -> &DriverInfo {
        &self.info
    }

    fn capabilities(&self) -> Capabilities {
        self.capabilities
    }

    async fn list(&self) -> Result<Listing, DriverError> {
        let mut scenes = self.scenes.lock().unwrap();
        let scene = if scenes.len() == 1 { scenes[0].clone() } else { scenes.pop().unwrap() };
        scene.map_err(|kind| DriverError::new(Operation::List, kind))
    }

    async fn get(&self, _: &NodeId) -> Result<Node, DriverError> {
        self.found.clone().ok_or_else(|| DriverError::new(Operation::Get, FailureKind::NotFound))
    }

    async fn create(&self, request: &CreateRequest) -> Result<Node, DriverError> {
        self.created.lock().unwrap().push(request.clone());
        let mut node = Node::new(id("1"), "new", NodeState::Pending);
        if self.capabilities.create_generates_password && request.auth.is_none() {
            node.extra.insert("password".to_owned(), "from the cloud".to_owned());
        }
        Ok(node)
    }

    async fn destroy(&self, _: &NodeId) -> Result<(), DriverError> {
        Ok(())
    }
}

pub(crate) fn id(text: &str) -> NodeId {
    NodeId::new(text).unwrap()
}

/// Makes a running node with these public addresses.
pub(crate) fn running(id_text: &str, ips: &[&str]) -> Node {
    let mut node = Node::new(id(id_text), format!("n{id_text}"), NodeState::Running);
    node.public_ips = ips.iter().map(|ip| ip.parse::<IpAddr>().unwrap()).collect();
    node
}

pub(crate) fn in_state(id_text: &str, state: NodeState) -> Node {
    Node::new(id(id_text), format!("n{id_text}"), state)
}

/// Counts what is waited instead of waiting.
#[derive(Clone, Default)]
pub(crate) struct Waited(Arc<Mutex<Duration>>);

impl Waited {
    pub(crate) fn total(&self) -> Duration {
        *self.0.lock().unwrap()
    }

    /// Looks every 5 s for up to a minute.
    pub(crate) fn options(&self) -> WaitOptions {
        let waited = self.clone();
        let pause: Pause = Arc::new(move |time| {
            *waited.0.lock().unwrap() += time;
            Box::pin(std::future::ready(()))
        });
        WaitOptions::new(pause).with_timeout(Duration::from_secs(60))
    }
}
