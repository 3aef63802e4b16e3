//! The calls about existing nodes: list, get, destroy, power, expiry.

use std::time::Duration;

use vmpool_driver::{DriverError, Listing, Operation, PowerAction};
use vmpool_model::{FailureKind, Node, NodeId, Timestamp, states::NodeState};

use crate::{
    DummyCloud, Fault,
    call::{Answer, Context},
    cloud::Inner,
    machine::{End, Machine, Next, number_of},
    state::Change,
};

impl DummyCloud {
    pub(crate) fn list(&self) -> Answer<Listing> {
        self.call(Operation::List, None, None, |inner, context| Ok(inner.list(context)))
    }

    pub(crate) fn get(&self, id: &NodeId) -> Answer<Node> {
        self.call(Operation::Get, Some(id), None, |inner, context| {
            inner.find(id, context).map(|machine| machine.show(context.now))
        })
    }

    pub(crate) fn destroy(&self, id: &NodeId) -> Answer<()> {
        self.call(Operation::Destroy, Some(id), None, |inner, context| {
            let machine = inner.find(id, context)?.clone();
            inner.end(machine, context.now, context)
        })
    }

    pub(crate) fn set_expiry(&self, id: &NodeId, at: Timestamp) -> Answer<()> {
        self.call(Operation::SetExpiry, Some(id), None, |inner, context| {
            let machine = inner.find(id, context)?.clone();
            match machine.state_at(context.now) {
                state @ (NodeState::Terminating | NodeState::Terminated) => {
                    Err(context.refuse(FailureKind::InvalidState, format!("node {id} is {state}")))
                }
                _ => inner.end(machine, at.max(context.now), context),
            }
        })
    }

    pub(crate) fn power(&self, id: &NodeId, action: PowerAction) -> Answer<()> {
        self.call(action.operation(), Some(id), None, |inner, context| inner.power(id, action, context))
    }
}

impl Inner {
    fn list(&mut self, context: &Context) -> Listing {
        if let Some(Fault::EmptyListing) = context.fault {
            return Listing::partial(Vec::new(), "the dummy cloud was told to leave out all nodes");
        }
        let stale = self.config.faults.stale_listings;
        if self.chance(stale)
            && let Some(nodes) = &self.last_listing
        {
            return Listing::complete(nodes.clone());
        }
        let visible = self.state.machines().filter(|machine| machine.is_visible(context.now));
        let mut nodes: Vec<Node> = visible.map(|machine| machine.show(context.now)).collect();
        if let Some(Fault::PartialListing) = context.fault {
            let kept = self.rng.f64();
            nodes.retain(|_| self.rng.f64() < kept);
            return Listing::partial(nodes, "the dummy cloud left out some nodes by chance");
        }
        if 0.0 < stale {
            self.last_listing = Some(nodes.clone());
        }
        Listing::complete(nodes)
    }

    fn power(&mut self, id: &NodeId, action: PowerAction, context: &Context) -> Result<(), DriverError> {
        let mut machine = self.find(id, context)?.clone();
        let state = machine.state_at(context.now);
        let as_libcloud = self.config.libcloud.is_some();
        let allowed = match action {
            PowerAction::Start => state.can_start(),
            PowerAction::Stop => state == NodeState::Running,
            // In libcloud nothing ends a reboot, and one can reboot again.
            PowerAction::Reboot => state.can_reboot() || (as_libcloud && state == NodeState::Rebooting),
        };
        if !allowed {
            let what = format!("node {id} is {state}, so it cannot {}", context.operation);
            return Err(context.refuse(FailureKind::InvalidState, what));
        }
        let (on_the_way, then, latency) = match action {
            PowerAction::Start => (NodeState::Starting, NodeState::Running, self.config.boot_latency),
            PowerAction::Stop => (NodeState::Stopping, NodeState::Stopped, self.config.stop_latency),
            PowerAction::Reboot => (NodeState::Rebooting, NodeState::Running, self.config.reboot_latency),
        };
        let forever = as_libcloud && action == PowerAction::Reboot;
        machine.turn(on_the_way, (!forever).then_some(Next { at: context.now + latency, state: then }));
        self.keep(vec![Change::Upsert(Box::new(machine))], context)
    }

    /// Lets a node terminate from a time on; one that is terminating already goes on as it does.
    fn end(
        &mut self,
        mut machine: Machine,
        begins_at: Timestamp,
        context: &Context,
    ) -> Result<(), DriverError> {
        if machine.state_at(context.now) == NodeState::Terminating {
            return Ok(());
        }
        let latency = self.config.destroy_latency;
        let change = if begins_at <= context.now && latency == Duration::ZERO {
            Change::Remove(machine.number)
        } else {
            machine.end = Some(End { begins_at, gone_at: begins_at + latency });
            Change::Upsert(Box::new(machine))
        };
        self.keep(vec![change], context)
    }

    /// Finds a node that calls can see.
    fn find(&self, id: &NodeId, context: &Context) -> Result<&Machine, DriverError> {
        let number = number_of(id);
        let machine = number.and_then(|number| self.state.get(number));
        if let Some(machine) = machine.filter(|machine| machine.is_visible(context.now)) {
            return Ok(machine);
        }
        let existed = number.is_some_and(|number| number < self.state.counts().next_number);
        let is_power = matches!(context.operation, Operation::Start | Operation::Stop | Operation::Reboot);
        match existed && is_power && self.config.libcloud.is_some() {
            true => {
                let what = format!("node {id} is terminated, so it cannot {}", context.operation);
                Err(context.refuse(FailureKind::InvalidState, what))
            }
            false => Err(context.refuse(FailureKind::NotFound, format!("the dummy cloud has no node {id}"))),
        }
    }

    /// Makes changes as part of a call.
    pub(crate) fn keep(&mut self, changes: Vec<Change>, context: &Context) -> Result<(), DriverError> {
        self.commit(changes).map_err(|err| {
            context.refuse(FailureKind::Unavailable, "the dummy cloud cannot write its file").with_source(err)
        })
    }
}
