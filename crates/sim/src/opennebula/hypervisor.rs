//! What runs the VMs: each of them is a node of the dummy's cloud while it is on a host.

use futures_util::FutureExt as _;
use vmpool_driver::{CreateRequest, Driver as _, DriverError, PowerAction};
use vmpool_dummy::{DummyCloud, DummyDriver};
use vmpool_model::states::NodeState;

use super::vm::Vm;

/// What runs the VMs.
#[derive(Debug)]
pub(crate) struct Hypervisor {
    cloud: DummyCloud,
    driver: DummyDriver,
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
    pub(crate) fn new(cloud: DummyCloud) -> Self {
        Self { driver: DummyDriver::new(cloud.clone()), cloud }
    }

    /// Lets a VM run, whatever it did before.
    pub(crate) fn boot(&self, vm: &mut Vm) -> Outcome {
        match self.state(vm) {
            Some(NodeState::Running) => Outcome::Done,
            Some(NodeState::Stopped) => self.power(vm, PowerAction::Start),
            Some(_) => match self.destroy(vm) {
                Outcome::Done => self.create(vm),
                other => other,
            },
            None => self.create(vm),
        }
    }

    fn create(&self, vm: &mut Vm) -> Outcome {
        let request = CreateRequest::new("opennebula").with_name(format!("one-{}", vm.id));
        match self.driver.create(&request).now_or_never() {
            None => Outcome::Never,
            Some(Err(err)) => failed(&err),
            Some(Ok(node)) => {
                let state = node.state;
                vm.node = Some(node.id);
                match self.state(vm).unwrap_or(state) {
                    NodeState::Error => Outcome::Failed("the hypervisor could not start it".to_owned()),
                    _ => Outcome::Done,
                }
            }
        }
    }

    pub(crate) fn stop(&self, vm: &Vm) -> Outcome {
        match self.state(vm) {
            Some(NodeState::Running) => self.power(vm, PowerAction::Stop),
            _ => Outcome::Done,
        }
    }

    pub(crate) fn reboot(&self, vm: &Vm) -> Outcome {
        self.power(vm, PowerAction::Reboot)
    }

    /// Ends the node of a VM; one that is gone already is no failure.
    pub(crate) fn destroy(&self, vm: &mut Vm) -> Outcome {
        if self.state(vm).is_none() {
            vm.node = None;
            return Outcome::Done;
        }
        let Some(id) = vm.node.clone() else { return Outcome::Done };
        let outcome = outcome(self.driver.destroy(&id).now_or_never());
        if outcome == Outcome::Done {
            vm.node = None;
        }
        outcome
    }

    fn power(&self, vm: &Vm, action: PowerAction) -> Outcome {
        let Some(id) = &vm.node else { return Outcome::Done };
        outcome(self.driver.power(id, action).now_or_never())
    }

    /// Returns the state of the node of a VM, if there is one.
    pub(crate) fn state(&self, vm: &Vm) -> Option<NodeState> {
        self.cloud.node(vm.node.as_ref()?).map(|node| node.state)
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
