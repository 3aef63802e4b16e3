//! Everything that can be done with one VM.

mod devices;
mod guest;
mod life;
mod options;
mod records;
mod snapshots;

pub use self::options::{DeployOptions, MigrateKind, MigrateOptions, SaveDiskOptions};

use crate::{
    client::{CallError, Client},
    document::ElementSink,
    rpc::{Call, CodecError},
    vm::Vm,
};

/// A VM of one server, by its id.
///
/// Success of a method that changes something means that the server accepted it, not that it is done; the state that is read
/// right after it may still be the old one.
/// None of the methods repeats anything.
///
/// # Examples
///
/// ```
/// use vmpool_opennebula::{api::VirtualMachine, client::Client};
///
/// /// Makes a VM that waits, and lets it go.
/// async fn start(client: &Client) -> Result<VirtualMachine, Box<dyn std::error::Error>> {
///     let vm = VirtualMachine::allocate(client, "NAME=web CPU=1 MEMORY=512", true).await?;
///     println!("VM {} is {}", vm.id(), vm.info().await?.str_state());
///     vm.release().await?;
///     Ok(vm)
/// }
/// ```
#[derive(Debug, Clone)]
pub struct VirtualMachine {
    client: Client,
    id: i32,
}

impl VirtualMachine {
    /// Names a VM by its id; nothing is asked.
    #[must_use]
    pub fn new(client: &Client, id: i32) -> Self {
        Self { client: client.clone(), id }
    }

    /// Makes a VM of a template, in the server's form or as [`Template::to_xml`](crate::template::Template::to_xml) writes it.
    ///
    /// With `hold` it waits for [`release`](Self::release) before it is placed on a host.
    ///
    /// # Errors
    ///
    /// If the call fails; if it may have been carried out nevertheless, only a listing tells.
    pub async fn allocate(
        client: &Client,
        template: impl Into<String>,
        hold: bool,
    ) -> Result<Self, CallError> {
        let id = number(client, Call::new("one.vm.allocate").with(template.into()).with(hold)).await?;
        Ok(Self::new(client, id))
    }

    /// Returns the id.
    #[must_use]
    pub fn id(&self) -> i32 {
        self.id
    }

    /// Returns the client.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Asks for everything that is known about the VM; it is known for ever, also when the VM is gone.
    ///
    /// # Errors
    ///
    /// If the call fails.
    pub async fn info(&self) -> Result<Vm, CallError> {
        let call = self.call("one.vm.info");
        let element = self.client.document(call, ElementSink::default()).await?;
        let found = element.name.clone();
        match Vm::read(element) {
            Some(vm) => Ok(vm),
            None => Err(self.client.unreadable("one.vm.info", CodecError::unexpected(0, "a VM", &found))),
        }
    }

    /// Begins a call whose first parameter is the VM.
    fn call(&self, method: &str) -> Call {
        Call::new(method).with(self.id)
    }

    /// Makes a call whose value tells nothing: mostly the id of the VM, for some methods -1.
    async fn run(&self, call: Call) -> Result<(), CallError> {
        self.client.call(call).await.map(drop)
    }

    /// Makes a call whose value is the number of something new.
    async fn made(&self, call: Call) -> Result<i32, CallError> {
        number(&self.client, call).await
    }
}

/// Makes a call whose value is a number.
pub(super) async fn number(client: &Client, call: Call) -> Result<i32, CallError> {
    let method = call.method.clone();
    let value = client.call(call).await?;
    match value.as_integer().and_then(|number| i32::try_from(number).ok()) {
        Some(number) => Ok(number),
        None => Err(client.unreadable(&method, CodecError::unexpected(0, "an id", value.kind()))),
    }
}
