//! A driver that answers from a script.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use vmpool_driver::{
    Capabilities, Catalog, CreateRequest, Driver, DriverError, DriverInfo, Hint, HintStream, Listing,
    Operation, PowerAction,
};
use vmpool_model::{FailureKind, Node, NodeId, Timestamp, states::NodeState};

/// What happens to one call.
#[derive(Debug)]
pub(crate) enum Act {
    /// It works.
    Work,
    /// It fails in this way.
    Fail(FailureKind),
    /// It fails, and the provider asks to wait that long.
    AskToWait(Duration),
    /// It works, but only after that long.
    WorkAfter(Duration),
}

/// Answers each call with the next act, and with [`Act::Work`] once there is none; remembers the calls.
#[derive(Debug)]
pub(crate) struct Script {
    info: DriverInfo,
    acts: Mutex<VecDeque<Act>>,
    calls: Mutex<Vec<Operation>>,
}

impl Script {
    pub(crate) fn new(acts: impl IntoIterator<Item = Act>) -> Arc<Self> {
        Arc::new(Self {
            info: DriverInfo::new("script", "Script"),
            acts: Mutex::new(acts.into_iter().collect()),
            calls: Mutex::default(),
        })
    }

    pub(crate) fn calls(&self) -> Vec<Operation> {
        self.calls.lock().unwrap().clone()
    }

    async fn act(&self, operation: Operation) -> Result<(), DriverError> {
        self.calls.lock().unwrap().push(operation);
        let act = self.acts.lock().unwrap().pop_front().unwrap_or(Act::Work);
        match act {
            Act::Work => Ok(()),
            Act::Fail(kind) => Err(DriverError::new(operation, kind)),
            Act::AskToWait(time) => {
                Err(DriverError::new(operation, FailureKind::RateLimited).with_retry_after(Some(time)))
            }
            Act::WorkAfter(time) => {
                pass(time).await;
                Ok(())
            }
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the clock of these tests is paused and jumps to the next timer"
)]
async fn pass(time: Duration) {
    tokio::time::sleep(time).await;
}

pub(crate) fn id() -> NodeId {
    NodeId::new("0").unwrap()
}

fn node() -> Node {
    Node::new(id(), "web-1", NodeState::Running)
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl Driver for Script {
    fn info(&self) -> &DriverInfo {
        &self.info
    }

    fn capabilities(&self) -> Capabilities {
        let mut capabilities = Capabilities::none();
        capabilities.set_expiry = true;
        capabilities
    }

    async fn list(&self) -> Result<Listing, DriverError> {
        self.act(Operation::List).await.map(|()| Listing::partial(vec![node()], "one of two pages"))
    }

    async fn get(&self, _: &NodeId) -> Result<Node, DriverError> {
        self.act(Operation::Get).await.map(|()| node())
    }

    async fn create(&self, _: &CreateRequest) -> Result<Node, DriverError> {
        self.act(Operation::Create).await.map(|()| node())
    }

    async fn destroy(&self, _: &NodeId) -> Result<(), DriverError> {
        self.act(Operation::Destroy).await
    }

    async fn power(&self, _: &NodeId, action: PowerAction) -> Result<(), DriverError> {
        self.act(action.operation()).await
    }

    async fn catalog(&self) -> Result<Catalog, DriverError> {
        self.act(Operation::Catalog).await.map(|()| Catalog::default())
    }

    async fn set_expiry(&self, _: &NodeId, _: Timestamp) -> Result<(), DriverError> {
        self.act(Operation::SetExpiry).await
    }

    async fn hints(&self) -> Result<Box<dyn HintStream>, DriverError> {
        self.act(Operation::Hints).await.map(|()| Box::new(OneHint) as Box<dyn HintStream>)
    }
}

/// Brings the same hint whenever it is asked.
#[derive(Debug)]
struct OneHint;

#[async_trait]
impl HintStream for OneHint {
    async fn next(&mut self) -> Result<Hint, DriverError> {
        Ok(Hint::Node(id()))
    }
}
