//! A machine with its data center: everything that can be done with one.

mod actions;
mod devices;
mod metadata;
mod snapshots;
mod tags;
mod wait;

use std::{fmt, net::IpAddr, ops::Deref};

use vmpool_http::Method;
use vmpool_model::states::cloudapi::MachineState;

pub use self::{
    snapshots::Snapshot,
    wait::{WaitError, WaitOptions},
};
use crate::{
    client::{Call, CloudApiError, DataCenter},
    types::{CreateMachine, Credentials, MachineData},
};

/// A machine with its data center.
///
/// It shows the machine as last seen: [`refresh`](Self::refresh) asks the server, and so do the methods that say so.
/// That a call succeeds means that the server has accepted it; what becomes of it shows in the state, or in
/// [`audit`](Self::audit).
/// Source: smartdc's `Machine`.
#[derive(Clone)]
pub struct Machine {
    datacenter: DataCenter,
    data: MachineData,
}

impl Machine {
    /// Ties a machine to its data center.
    #[must_use]
    pub fn new(datacenter: DataCenter, data: MachineData) -> Self {
        Self { datacenter, data }
    }

    /// Makes a machine; the same as [`DataCenter::create_machine`].
    ///
    /// # Errors
    ///
    /// Those of [`DataCenter::create_machine`].
    pub async fn create(datacenter: &DataCenter, request: &CreateMachine) -> Result<Self, CloudApiError> {
        datacenter.create_machine(request).await
    }

    /// Returns the data center that holds the machine.
    #[must_use]
    pub fn datacenter(&self) -> &DataCenter {
        &self.datacenter
    }

    /// Returns the machine as last seen.
    #[must_use]
    pub fn data(&self) -> &MachineData {
        &self.data
    }

    /// Gives up the handle for the machine.
    #[must_use]
    pub fn into_data(self) -> MachineData {
        self.data
    }

    /// Returns the path of the machine below the account.
    #[must_use]
    pub fn path(&self) -> String {
        format!("machines/{}", self.data.id)
    }

    /// Asks the server for the machine and shows what it says; a destroyed one is shown in the state `deleted`.
    ///
    /// # Errors
    ///
    /// [`CloudApiError`].
    pub async fn refresh(&mut self) -> Result<&MachineData, CloudApiError> {
        self.data = self.datacenter.machine_data(&self.data.id, false).await?;
        Ok(&self.data)
    }

    /// Asks the server for the machine together with its passwords and returns these.
    ///
    /// # Errors
    ///
    /// [`CloudApiError`].
    pub async fn credentials(&mut self) -> Result<Credentials, CloudApiError> {
        self.data = self.datacenter.machine_data(&self.data.id, true).await?;
        Ok(self.data.metadata.credentials())
    }

    /// Asks the server for the machine and returns its state.
    ///
    /// # Errors
    ///
    /// [`CloudApiError`].
    pub async fn status(&mut self) -> Result<MachineState, CloudApiError> {
        Ok(self.refresh().await?.state.clone())
    }

    /// Returns the addresses that are reachable from outside; the server is asked if no address is known yet.
    ///
    /// # Errors
    ///
    /// [`CloudApiError`].
    pub async fn public_ips(&mut self) -> Result<Vec<IpAddr>, CloudApiError> {
        self.refresh_without_address().await?;
        Ok(self.data.public_ips())
    }

    /// Returns the addresses that are reachable from inside the cloud only; the server is asked if no address is known yet.
    ///
    /// # Errors
    ///
    /// [`CloudApiError`].
    pub async fn private_ips(&mut self) -> Result<Vec<IpAddr>, CloudApiError> {
        self.refresh_without_address().await?;
        Ok(self.data.private_ips())
    }

    async fn refresh_without_address(&mut self) -> Result<(), CloudApiError> {
        if self.data.ips.is_empty() {
            self.refresh().await?;
        }
        Ok(())
    }

    /// Makes a call below the machine.
    fn call(&self, method: Method, below: &[&str]) -> Call {
        let segments: Vec<&str> =
            ["machines", self.data.id.as_str()].into_iter().chain(below.iter().copied()).collect();
        Call::new(method, &segments)
    }
}

impl Deref for Machine {
    type Target = MachineData;

    fn deref(&self) -> &MachineData {
        &self.data
    }
}

impl fmt::Debug for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Machine").field("data", &self.data).finish_non_exhaustive()
    }
}
