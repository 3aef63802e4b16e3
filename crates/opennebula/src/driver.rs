//! The driver: OpenNebula as vmpool uses a cloud.

mod create;
mod destroy;
mod expiry;
mod factory;
mod held;
#[cfg(feature = "events")]
mod hints;
mod list;
mod marks;
mod node;
mod options;
mod quota;
mod seen;
mod windows;

use std::sync::{Arc, atomic::AtomicUsize};

use async_trait::async_trait;
use vmpool_driver::{
    Capabilities, Catalog, CreateRequest, Driver, DriverError, DriverInfo, HintStream, Listing, Operation,
    PowerAction,
};
use vmpool_model::{Node, NodeId, NodeImage, Timestamp};

pub use self::{factory::factory, options::OpenNebulaOptions};
use self::{held::Held, seen::Seen};
use crate::{
    api::{Action, Filter, VirtualMachine, VirtualMachinePool, cloud},
    client::{CallError, Client, RefusalKind, Version},
};

/// Speaks to one account on one OpenNebula.
///
/// * A node is a VM that the account owns; its id is the number of the VM, and a VM that is done counts as gone.
/// * [`CreateRequest::template`] is the number or the name of a template of the server, or the name of one of
///   [`OpenNebulaOptions::templates`]. The VM is made on hold and let go as soon as its number is known, so a VM whose number
///   never arrived does not boot.
/// * Such a VM is let go when listings show it on hold for longer than [`OpenNebulaOptions::release_after`]: whoever made
///   it ended before that, and by now it was found by its token, or is ended. One that somebody put on hold while it waited
///   for a host stays there.
/// * All VMs are listed by one call. If the answer is too large or does not come in time, they are listed in windows of ids;
///   such a listing is as complete, since ids stay the same while VMs come and go.
/// * The token and the labels are in the user template from the request that makes the VM.
/// * Destroying ends the VM at once. In states where that is refused it takes the right to administer the VM; an account
///   without it has the server end the VM as soon as its state allows. A VM that is on its way to its end and does not get
///   there is deleted, too.
/// * Times to end are kept by the server, which ends the VM by itself; since OpenNebula 6.2.
///
/// # Examples
///
/// ```
/// use vmpool_driver::{CreateRequest, Driver};
/// use vmpool_opennebula::{client::{Client, ClientConfig}, driver::OpenNebulaDriver};
///
/// /// Makes a VM of the template `small`.
/// async fn make() -> Result<(), Box<dyn std::error::Error>> {
///     let driver = OpenNebulaDriver::connect(Client::new(ClientConfig::from_env()?)?).await?;
///     let node = driver.create(&CreateRequest::new("small").with_name("web-1")).await?;
///     println!("VM {} is {}", node.id, node.raw_state);
///     Ok(())
/// }
/// ```
#[derive(Debug, Clone)]
pub struct OpenNebulaDriver {
    info: DriverInfo,
    client: Client,
    version: Version,
    options: OpenNebulaOptions,
    /// VMs on their way to their end: the server can lose what it waits for, such as when it is stopped meanwhile, and then
    /// they are on their way for ever.
    going: Arc<Seen>,
    held: Arc<Held>,
    /// How many VMs were too many for one answer; 0 if there never were.
    too_many: Arc<AtomicUsize>,
}

impl OpenNebulaDriver {
    /// Asks the server for its version, and makes a driver for it.
    ///
    /// # Errors
    ///
    /// If the server cannot be asked, or does not know the account.
    pub async fn connect(client: Client) -> Result<Self, DriverError> {
        Self::connect_with(client, OpenNebulaOptions::default()).await
    }

    /// Makes a driver with options; those that say where the server is and who calls do not count, since the client does.
    ///
    /// # Errors
    ///
    /// If the server cannot be asked, or does not know the account.
    pub async fn connect_with(client: Client, options: OpenNebulaOptions) -> Result<Self, DriverError> {
        options.check_events().map_err(options::no_events)?;
        let version = client.version().await;
        let version = version.map_err(|err| {
            let what = match err.refusal() {
                Some(RefusalKind::Authentication) => {
                    "the server takes no such account: look at auth, auth_file, or what ONE_AUTH names"
                }
                _ => "asking for the version",
            };
            err.into_driver_error(Operation::Open, what)
        })?;
        let info = DriverInfo::new("opennebula", "OpenNebula")
            .with_website("https://opennebula.io")
            .with_endpoint(client.endpoint());
        Ok(Self {
            info,
            client,
            version,
            options,
            going: Arc::default(),
            held: Arc::default(),
            too_many: Arc::default(),
        })
    }

    /// Returns the client, for all that only OpenNebula has.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Returns the version of the server.
    #[must_use]
    pub fn version(&self) -> Version {
        self.version
    }

    /// Returns the VM that an id stands for.
    fn vm(&self, operation: Operation, id: &NodeId) -> Result<VirtualMachine, DriverError> {
        match number(id) {
            Some(number) => Ok(VirtualMachine::new(&self.client, number)),
            None => Err(DriverError::new(operation, vmpool_model::FailureKind::NotFound)
                .with_context(format!("node {id}: OpenNebula's ids are numbers"))),
        }
    }

    fn pool(&self) -> VirtualMachinePool {
        VirtualMachinePool::new(&self.client)
    }
}

/// Returns the number that an id stands for, if it is written as OpenNebula writes it: `7`, and not `07` or `+7`.
fn number(id: &NodeId) -> Option<i32> {
    let number: i32 = id.as_str().parse().ok()?;
    (0 <= number && number.to_string() == id.as_str()).then_some(number)
}

/// Says on which node an operation failed.
fn on_node(operation: Operation, id: &NodeId) -> impl Fn(CallError) -> DriverError + use<> {
    let context = format!("node {id}");
    move |err| err.into_driver_error(operation, context.clone())
}

#[async_trait]
impl Driver for OpenNebulaDriver {
    fn info(&self) -> &DriverInfo {
        &self.info
    }

    fn capabilities(&self) -> Capabilities {
        let mut capabilities = Capabilities::none();
        capabilities.start = true;
        capabilities.stop = true;
        capabilities.reboot = true;
        capabilities.catalog = true;
        capabilities.set_expiry = self.version.has_scheduled_actions();
        capabilities.hints = self.options.events.is_some();
        capabilities.create_with_token = true;
        capabilities.create_with_labels = true;
        capabilities
    }

    async fn list(&self) -> Result<Listing, DriverError> {
        list::list(self).await
    }

    async fn get(&self, id: &NodeId) -> Result<Node, DriverError> {
        let operation = Operation::Get;
        let vm = self.vm(operation, id)?.info().await.map_err(on_node(operation, id))?;
        node::of_vm(operation, &vm)
    }

    async fn create(&self, request: &CreateRequest) -> Result<Node, DriverError> {
        create::create(self, request).await
    }

    async fn destroy(&self, id: &NodeId) -> Result<(), DriverError> {
        destroy::destroy(self, id).await
    }

    async fn power(&self, id: &NodeId, action: PowerAction) -> Result<(), DriverError> {
        let operation = action.operation();
        let action = match action {
            PowerAction::Start => Action::Resume,
            PowerAction::Stop => Action::Poweroff,
            PowerAction::Reboot => Action::Reboot,
        };
        self.vm(operation, id)?.act(action).await.map_err(on_node(operation, id))
    }

    async fn catalog(&self) -> Result<Catalog, DriverError> {
        let templates = cloud::templates(&self.client, Filter::All).await;
        let templates =
            templates.map_err(|err| err.into_driver_error(Operation::Catalog, "listing templates"))?;
        let mut catalog = Catalog::default();
        let image = |template: crate::resource::Resource| NodeImage {
            id: template.id.to_string(),
            name: template.name,
        };
        catalog.images = templates.into_iter().map(image).collect();
        catalog.version = Some(self.version.to_string());
        // Who may not even look at itself still sees the templates.
        if let Ok(user) = cloud::user(&self.client, None).await {
            catalog.quotas = quota::of_user(&user.document);
        }
        Ok(catalog)
    }

    async fn set_expiry(&self, id: &NodeId, at: Timestamp) -> Result<(), DriverError> {
        if !self.version.has_scheduled_actions() {
            return Err(DriverError::unsupported(Operation::SetExpiry));
        }
        expiry::set(&self.vm(Operation::SetExpiry, id)?, id, at).await
    }

    async fn hints(&self) -> Result<Box<dyn HintStream>, DriverError> {
        #[cfg(feature = "events")]
        if let Some(endpoint) = self.options.events_endpoint().map_err(options::no_events)? {
            return hints::open(&endpoint).await;
        }
        Err(DriverError::unsupported(Operation::Hints))
    }
}
