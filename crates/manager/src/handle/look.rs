//! Looking at single things without a view of everything.

use std::net::IpAddr;

use tokio::sync::oneshot;
use vmpool_engine::{Explanation, OwnerLimitView};
use vmpool_model::{Owner, PoolName, RecordState, RequestId, TaskId, VmName, VmRecord};

use crate::{
    ManagerError, ManagerHandle, lookup,
    setup::Seen,
    wake::{Look, Wake},
};

/// Each look shows one moment between two commits. VMs and leases are shown as they are recorded, and nobody who looks at them
/// waits for the commit under way; what follows from decisions, as why a request waits, is shown once they are durable.
///
/// Those by state look at every record, though they copy only what they return.
impl ManagerHandle {
    /// Returns the record of a VM.
    ///
    /// # Errors
    ///
    /// [`ManagerError::Store`] while the records cannot be read, [`ManagerError::Stopped`].
    pub async fn vm(&self, name: VmName) -> Result<Option<VmRecord>, ManagerError> {
        self.read(move |seen| seen.engine.durable().vm(&name).cloned()).await
    }

    /// Returns the VMs whose node has an address, by name; several may while an address changes hands.
    ///
    /// # Errors
    ///
    /// [`ManagerError::Store`] while the records cannot be read, [`ManagerError::Stopped`].
    pub async fn vms_with_address(&self, address: IpAddr) -> Result<Vec<VmRecord>, ManagerError> {
        self.read(move |seen| seen.engine.durable().vms_with_address(address).cloned().collect()).await
    }

    /// Returns the VM that is leased for a task; that of the oldest lease if there are several.
    ///
    /// # Errors
    ///
    /// [`ManagerError::Store`] while the records cannot be read, [`ManagerError::Stopped`].
    pub async fn vm_of_task(&self, task: TaskId) -> Result<Option<VmRecord>, ManagerError> {
        self.read(move |seen| seen.engine.durable().vm_of_task(&task).cloned()).await
    }

    /// Returns the VMs of a pool, of all pools if `None`, that are in one of some states, by name.
    ///
    /// # Errors
    ///
    /// [`ManagerError::Store`] while the records cannot be read, [`ManagerError::Stopped`].
    pub async fn vms_in(
        &self,
        pool: Option<PoolName>,
        states: &[RecordState],
    ) -> Result<Vec<VmRecord>, ManagerError> {
        let states = states.to_vec();
        self.read(move |seen| {
            lookup::in_states(seen.engine.durable().vms(), pool.as_ref(), &states).cloned().collect()
        })
        .await
    }

    /// Says why a request waits: the limits that bind, since when, and what is before it.
    ///
    /// # Errors
    ///
    /// [`ManagerError::Refused`] if it is neither waiting nor remembered; [`ManagerError::Store`] while the records cannot
    /// be read, [`ManagerError::Stopped`].
    pub async fn explain(&self, request: RequestId) -> Result<Explanation, ManagerError> {
        Ok(self.look(move |seen| seen.engine.explain(&request)).await??)
    }

    /// Says why each waiting request waits, the one that is served first coming first.
    ///
    /// # Errors
    ///
    /// [`ManagerError::Store`] while the records cannot be read, [`ManagerError::Stopped`].
    pub async fn explain_all(&self) -> Result<Vec<Explanation>, ManagerError> {
        self.look(|seen| seen.engine.explain_all()).await
    }

    /// Returns every limit that a further lease of an owner has to keep, in a pool if one is named.
    ///
    /// # Errors
    ///
    /// [`ManagerError::Store`] while the records cannot be read, [`ManagerError::Stopped`].
    pub async fn owner_limits(
        &self,
        owner: Owner,
        pool: Option<PoolName>,
    ) -> Result<Vec<OwnerLimitView>, ManagerError> {
        self.look(move |seen| seen.engine.owner_limits(&owner, pool.as_ref())).await
    }

    /// Looks at the VMs and leases as they are recorded, and at what there is beside records; a commit under way is not waited for.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        look: impl FnOnce(Seen<'_>) -> T + Send + 'static,
    ) -> Result<T, ManagerError> {
        let (reply, answer) = oneshot::channel();
        // Who went away needs no answer.
        let look = Look(Box::new(move |seen| drop(reply.send(seen.map(look)))));
        self.reads.send(look).await.map_err(|_| ManagerError::Stopped)?;
        answer.await.unwrap_or(Err(ManagerError::Stopped))
    }

    /// Looks at what the loop knows, once what it decided is durable.
    pub(crate) async fn look<T: Send + 'static>(
        &self,
        look: impl FnOnce(Seen<'_>) -> T + Send + 'static,
    ) -> Result<T, ManagerError> {
        self.ask(|reply| {
            // Who went away needs no answer.
            Wake::Look(Look(Box::new(move |seen| drop(reply.send(seen.map(look))))))
        })
        .await
    }
}
