//! A provider that counts what it is asked, and answers as it is told.

use std::sync::{Mutex, MutexGuard};

use async_trait::async_trait;
use vmpool_driver::{Capabilities, CreateRequest, Driver, DriverError, DriverInfo, Listing, Operation};
use vmpool_model::{FailureKind, Node, NodeId};

use super::vm;

#[derive(Debug)]
pub(super) struct Fake {
    info: DriverInfo,
    state: Mutex<State>,
}

#[derive(Default)]
pub(super) struct State {
    /// How often a VM was asked for.
    pub(super) calls: usize,
    /// Why every request fails, if it does.
    pub(super) fails: Option<FailureKind>,
    /// What is answered instead of the VM that was asked for.
    pub(super) answer: Option<Node>,
    /// What happens elsewhere while the first request is on its way.
    pub(super) meanwhile: Option<Box<dyn FnOnce() + Send>>,
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("State").field("calls", &self.calls).finish_non_exhaustive()
    }
}

impl Fake {
    pub(super) fn new() -> Self {
        Self { info: DriverInfo::new("fake", "Fake"), state: Mutex::default() }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
}

#[async_trait]
impl Driver for Fake {
    fn info(&self) -> &DriverInfo {
        &self.info
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::none()
    }

    async fn list(&self) -> Result<Listing, DriverError> {
        Err(DriverError::unsupported(Operation::List))
    }

    async fn get(&self, id: &NodeId) -> Result<Node, DriverError> {
        let meanwhile = self.state().meanwhile.take();
        meanwhile.into_iter().for_each(|run| run());
        let mut state = self.state();
        state.calls += 1;
        if let Some(kind) = state.fails {
            return Err(DriverError::new(Operation::Get, kind));
        }
        match (&state.answer, id.as_str().len()) {
            (Some(node), _) => Ok(node.clone()),
            (None, 3) => Ok(vm(id.as_str())),
            (None, _) => Err(DriverError::new(Operation::Get, FailureKind::NotFound)),
        }
    }

    async fn create(&self, _request: &CreateRequest) -> Result<Node, DriverError> {
        Err(DriverError::unsupported(Operation::Create))
    }

    async fn destroy(&self, _id: &NodeId) -> Result<(), DriverError> {
        Err(DriverError::unsupported(Operation::Destroy))
    }
}
