//! The driver of CloudAPI, for pools.

mod catalog;
mod create;
mod factory;
#[cfg(feature = "events")]
mod hints;
mod listing;
mod node;
mod options;

use std::{collections::BTreeMap, fmt};

use async_trait::async_trait;
use vmpool_driver::{
    Capabilities, Catalog, CreateRequest, Driver, DriverError, DriverInfo, HintStream, Listing, Operation,
    PowerAction,
};
use vmpool_model::{FailureKind, Node, NodeId, states::NodeState};

pub use self::{
    factory::factory,
    options::{CloudApiOptions, Template},
};
use crate::{CloudApiError, DataCenter, Machine};

/// Speaks to one account on one data center, as pools need it.
///
/// The token is a tag of the machine, set by the very request that makes it. A template is one of those that the driver was made
/// with: a package and an image, and what else a machine of it gets.
#[derive(Clone)]
pub struct CloudApiDriver {
    info: DriverInfo,
    datacenter: DataCenter,
    templates: BTreeMap<String, Template>,
    listens: bool,
}

impl CloudApiDriver {
    /// Makes a driver of a data center; no request is made.
    #[must_use]
    pub fn new(datacenter: DataCenter, templates: BTreeMap<String, Template>) -> Self {
        let endpoint = format!("{}/{}", datacenter.config().url.trim_end_matches('/'), datacenter.account());
        let info = DriverInfo::new("cloudapi", "Triton CloudAPI")
            .with_libcloud_provider("joyent")
            .with_website("https://apidocs.tritondatacenter.com/cloudapi/")
            .with_endpoint(endpoint);
        Self { info, datacenter, templates, listens: false }
    }

    /// Has the driver listen to the changefeed, if the data center has one; needs the feature `events`.
    #[cfg(feature = "events")]
    #[must_use]
    pub fn with_events(self, listens: bool) -> Self {
        Self { listens, ..self }
    }

    /// Returns the data center.
    #[must_use]
    pub fn datacenter(&self) -> &DataCenter {
        &self.datacenter
    }
}

/// Returns an id as the server writes it, or the error that there is no such machine.
///
/// The server refuses all else as a bad request, which says nothing; asked with a path in it, it might do something else.
fn checked(operation: Operation, id: &NodeId) -> Result<&str, DriverError> {
    let text = id.as_str();
    let fits = |(index, byte): (usize, u8)| match index {
        8 | 13 | 18 | 23 => byte == b'-',
        _ => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
    };
    match text.len() == 36 && text.bytes().enumerate().all(fits) {
        true => Ok(text),
        false => Err(DriverError::new(operation, FailureKind::NotFound)
            .with_context(format!("{text:?} is no id of a machine: those are UUIDs in lower case"))),
    }
}

fn failed(operation: Operation) -> impl Fn(CloudApiError) -> DriverError {
    move |err| err.into_driver_error(operation)
}

#[async_trait]
impl Driver for CloudApiDriver {
    fn info(&self) -> &DriverInfo {
        &self.info
    }

    fn capabilities(&self) -> Capabilities {
        let mut capabilities = Capabilities::none();
        capabilities.start = true;
        capabilities.stop = true;
        capabilities.reboot = true;
        capabilities.catalog = true;
        capabilities.create_with_token = true;
        capabilities.create_with_labels = true;
        capabilities.hints = self.listens;
        capabilities
    }

    async fn list(&self) -> Result<Listing, DriverError> {
        listing::list(&self.datacenter).await
    }

    async fn get(&self, id: &NodeId) -> Result<Node, DriverError> {
        let id = checked(Operation::Get, id)?;
        let machine = self.datacenter.machine_data(id, false).await.map_err(failed(Operation::Get))?;
        node::node(Operation::Get, machine)
    }

    async fn create(&self, request: &CreateRequest) -> Result<Node, DriverError> {
        let wanted = create::machine(request, &self.templates, self.datacenter.now())?;
        let machine = self.datacenter.create_machine(&wanted).await.map_err(failed(Operation::Create))?;
        node::node(Operation::Create, machine.into_data())
    }

    async fn destroy(&self, id: &NodeId) -> Result<(), DriverError> {
        let id = checked(Operation::Destroy, id)?;
        self.datacenter.delete_machine(id).await.map_err(failed(Operation::Destroy))
    }

    /// Looks at the machine first: the server accepts any action in any state, and an action on a destroyed machine can bring
    /// the server down.
    async fn power(&self, id: &NodeId, action: PowerAction) -> Result<(), DriverError> {
        let operation = action.operation();
        let id = checked(operation, id)?;
        let failed = failed(operation);
        // Nothing was ordered yet, so whatever happens to the look changes nothing.
        let looked = self.datacenter.machine_data(id, false).await;
        let certain = |err: DriverError| err.with_certainty(vmpool_model::Certainty::NotApplied);
        let machine = Machine::new(self.datacenter.clone(), looked.map_err(|err| certain(failed(err)))?);
        let state = machine.state.node_state();
        let refuse = |kind| {
            DriverError::new(operation, kind).with_context(format!("machine {id} is {}", machine.state))
        };
        let allowed = match action {
            PowerAction::Start => state.can_start(),
            PowerAction::Stop => state == NodeState::Running,
            PowerAction::Reboot => state.can_reboot(),
        };
        match (state, allowed) {
            (NodeState::Terminated, _) => return Err(refuse(FailureKind::NotFound)),
            (_, false) => return Err(refuse(FailureKind::InvalidState)),
            (_, true) => {}
        }
        match action {
            PowerAction::Start => machine.start().await,
            PowerAction::Stop => machine.stop().await,
            PowerAction::Reboot => machine.reboot().await,
        }
        .map_err(failed)
    }

    async fn catalog(&self) -> Result<Catalog, DriverError> {
        let failed = failed(Operation::Catalog);
        let packages = self.datacenter.packages(&[]).await.map_err(&failed)?;
        let images = self.datacenter.images(&[]).await.map_err(&failed)?;
        let mut catalog = catalog::catalog(packages, images, &self.templates);
        // Not every server tells these, and nothing depends on them.
        if let Ok(ping) = self.datacenter.ping().await {
            catalog.version = ping.api_version;
        }
        if let Ok(limits) = self.datacenter.limits().await {
            catalog.quotas = catalog::quotas(&limits);
        }
        Ok(catalog)
    }

    async fn hints(&self) -> Result<Box<dyn HintStream>, DriverError> {
        #[cfg(feature = "events")]
        if self.listens {
            return hints::open(&self.datacenter).await;
        }
        Err(DriverError::unsupported(Operation::Hints))
    }
}

impl fmt::Debug for CloudApiDriver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CloudApiDriver").field("datacenter", &self.datacenter).finish_non_exhaustive()
    }
}
