//! What runs the machines of a simulated cloud: each of them is a node of the dummy's cloud while it is on a host.

use futures_util::FutureExt as _;
use vmpool_driver::{CreateRequest, Driver as _, DriverError, PowerAction};
use vmpool_dummy::{DummyCloud, DummyDriver};
use vmpool_model::{NodeId, states::NodeState};

/// What runs the machines.
#[derive(Debug)]
pub(crate) struct Hypervisor {
    cloud: DummyCloud,
    driver: DummyDriver,
    /// What its nodes are made from, for whoever looks at the calls.
    template: &'static str,
}

/// How an operation ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    Done,
    Failed(String),
    /// There is no answer, and none will come.
    Never,
}

impl Hypervisor {
    pub(crate) fn new(cloud: DummyCloud, template: &'static str) -> Self {
        Self { driver: DummyDriver::new(cloud.clone()), cloud, template }
    }

    /// Lets a node run, whatever it did before; one that is not there is made with a name.
    pub(crate) fn boot(&self, node: &mut Option<NodeId>, name: &str) -> Outcome {
        match self.state(node.as_ref()) {
            Some(NodeState::Running) => Outcome::Done,
            Some(NodeState::Stopped) => self.power(node.as_ref(), PowerAction::Start),
            Some(_) => match self.destroy(node) {
                Outcome::Done => self.create(node, name),
                other => other,
            },
            None => self.create(node, name),
        }
    }

    fn create(&self, node: &mut Option<NodeId>, name: &str) -> Outcome {
        let request = CreateRequest::new(self.template).with_name(name);
        match self.driver.create(&request).now_or_never() {
            None => Outcome::Never,
            Some(Err(err)) => failed(&err),
            Some(Ok(made)) => {
                let state = made.state;
                *node = Some(made.id);
                match self.state(node.as_ref()).unwrap_or(state) {
                    NodeState::Error => Outcome::Failed("the hypervisor could not start it".to_owned()),
                    _ => Outcome::Done,
                }
            }
        }
    }

    pub(crate) fn stop(&self, node: Option<&NodeId>) -> Outcome {
        match self.state(node) {
            Some(NodeState::Running) => self.power(node, PowerAction::Stop),
            _ => Outcome::Done,
        }
    }

    pub(crate) fn reboot(&self, node: Option<&NodeId>) -> Outcome {
        self.power(node, PowerAction::Reboot)
    }

    /// Ends a node; one that is gone already is no failure.
    pub(crate) fn destroy(&self, node: &mut Option<NodeId>) -> Outcome {
        let Some(id) = node.clone().filter(|id| self.state(Some(id)).is_some()) else {
            *node = None;
            return Outcome::Done;
        };
        let outcome = outcome(self.driver.destroy(&id).now_or_never());
        if outcome == Outcome::Done {
            *node = None;
        }
        outcome
    }

    fn power(&self, node: Option<&NodeId>, action: PowerAction) -> Outcome {
        let Some(id) = node else { return Outcome::Done };
        outcome(self.driver.power(id, action).now_or_never())
    }

    /// Returns the state of a node, if there is one.
    pub(crate) fn state(&self, node: Option<&NodeId>) -> Option<NodeState> {
        self.cloud.node(node?).map(|node| node.state)
    }
}

fn outcome(answer: Option<Result<(), DriverError>>) -> Outcome {
    match answer {
        None => Outcome::Never,
        Some(Ok(())) => Outcome::Done,
        Some(Err(err)) => failed(&err),
    }
}

fn failed(err: &DriverError) -> Outcome {
    Outcome::Failed(err.to_string())
}
