//! The call that creates a node.

use std::time::Duration;

use vmpool_driver::{Auth, CreateRequest, DriverError, Operation};
use vmpool_model::{Certainty, FailureKind, InvalidName, Node, states::NodeState};

use crate::{
    DummyCloud, Fault, Feature,
    call::{Answer, Context},
    cloud::Inner,
    libcloud,
    machine::{Machine, Next},
    state::Change,
};

impl DummyCloud {
    pub(crate) fn create(&self, request: &CreateRequest) -> Answer<Node> {
        self.call(Operation::Create, None, request.token.as_ref(), |inner, context| {
            inner.create(request, context)
        })
    }
}

impl Inner {
    fn create(&mut self, request: &CreateRequest, context: &mut Context) -> Result<Node, DriverError> {
        self.check_auth(request.auth.as_ref(), context)?;
        let ended = self.state.ended(context.now);
        self.keep(ended, context)?;
        if let Some(quota) = self.config.quota
            && quota <= self.state.len()
        {
            let what = format!("the quota of {quota} nodes is used up");
            return Err(context.refuse(FailureKind::Quota, what));
        }
        let mut machine = self.machine(request, context)?;
        machine.token.clone_from(&request.token);
        machine.visible_at = context.now + self.config.visibility_delay;
        machine.dies_at = self.lifetime().map(|lifetime| context.now + lifetime);
        self.boot(&mut machine, context);
        let password = self.password(request);
        let mut node = machine.show(context.now);
        context.node = Some(node.id.clone());
        self.keep(vec![Change::Upsert(Box::new(machine))], context)?;
        if let Some(password) = password {
            node.extra.insert("password".to_owned(), password);
        }
        match context.fault {
            Some(Fault::HalfDone) => Err(context
                .refuse(FailureKind::Other, "the dummy cloud stopped halfway")
                .with_certainty(Certainty::Unknown)),
            _ => Ok(node),
        }
    }

    fn machine(&self, request: &CreateRequest, context: &Context) -> Result<Machine, DriverError> {
        let number = match self.config.reuse_ids {
            true => self.state.free_number(),
            false => self.state.counts().next_number,
        };
        let invalid = |err: InvalidName| context.refuse(FailureKind::Other, err.to_string());
        if self.config.libcloud.is_some() {
            return libcloud::machine(number, context.now).map_err(invalid);
        }
        let name = request.name.clone().unwrap_or_else(|| format!("dummy-{number}"));
        let mut machine = Machine::new(number, name, context.now).map_err(invalid)?;
        if self.config.reuse_addresses {
            machine.address = Some(self.state.free_address());
        }
        let catalog = libcloud::catalog();
        machine.size = choose("size", request.size.as_ref(), catalog.sizes, |size| &size.id, context)?;
        machine.image = choose("image", request.image.as_ref(), catalog.images, |image| &image.id, context)?;
        let wanted = request.location.as_ref();
        let location = choose("location", wanted, catalog.locations, |location| &location.id, context)?;
        machine.extra.insert("template".to_owned(), request.template.clone());
        if let Some(location) = location {
            machine.extra.insert("location".to_owned(), location.id);
        }
        if let Some(Auth::SshKey(key)) = &request.auth {
            machine.extra.insert("ssh_key".to_owned(), key.clone());
        }
        machine.extra.extend(request.labels.clone());
        Ok(machine)
    }

    /// Sets what becomes of a new node.
    fn boot(&self, machine: &mut Machine, context: &Context) {
        let at = context.now + self.config.boot_latency;
        match context.fault {
            Some(Fault::HalfDone) => {
                machine.address = None;
                machine.turn(NodeState::Error, None);
            }
            Some(Fault::BootFailure) => {
                machine.address = None;
                machine.turn(NodeState::Pending, Some(Next { at, state: NodeState::Error }));
            }
            Some(Fault::NoAddress) => {
                machine.address = None;
                machine.turn(NodeState::Pending, Some(Next { at, state: NodeState::Running }));
            }
            _ => machine.turn(NodeState::Pending, Some(Next { at, state: NodeState::Running })),
        }
    }

    fn check_auth(&self, auth: Option<&Auth>, context: &Context) -> Result<(), DriverError> {
        let (feature, what) = match auth {
            None => return Ok(()),
            Some(Auth::SshKey(_)) => (Feature::SshKey, "an SSH key"),
            Some(Auth::Password(_)) => (Feature::Password, "a password"),
            Some(_) => return Err(context.refuse(FailureKind::Unsupported, "this way to log in is unknown")),
        };
        match self.config.features.contains(&feature) {
            true => Ok(()),
            false => {
                let what = format!("this dummy cloud takes no nodes with {what}");
                Err(context.refuse(FailureKind::Unsupported, what))
            }
        }
    }

    fn password(&mut self, request: &CreateRequest) -> Option<String> {
        let wanted = request.auth.is_none() && self.config.features.contains(&Feature::GeneratesPassword);
        wanted.then(|| (0..16).map(|_| self.rng.alphanumeric()).collect())
    }

    /// Draws how long a node lives, if nodes die.
    fn lifetime(&mut self) -> Option<Duration> {
        let rate = self.config.faults.death_rate;
        if rate <= 0.0 {
            return None;
        }
        let hours = -(1.0 - self.rng.f64()).ln() / rate;
        Some(Duration::try_from_secs_f64(hours * 3600.0).unwrap_or(Duration::MAX))
    }
}

/// Finds what a request asks for in the catalog.
fn choose<T>(
    what: &str,
    wanted: Option<&String>,
    offered: Vec<T>,
    id: impl Fn(&T) -> &String,
    context: &Context,
) -> Result<Option<T>, DriverError> {
    let Some(wanted) = wanted else { return Ok(None) };
    let known: Vec<String> = offered.iter().map(|item| id(item).clone()).collect();
    match offered.into_iter().find(|item| id(item) == wanted) {
        Some(item) => Ok(Some(item)),
        None => {
            let what = format!("there is no {what} {wanted:?}; there are {}", known.join(", "));
            Err(context.refuse(FailureKind::InvalidRequest, what))
        }
    }
}
