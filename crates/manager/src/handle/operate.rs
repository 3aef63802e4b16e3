//! What operators say to the manager.

use std::{collections::BTreeMap, time::Duration};

use vmpool_engine::{Input, Refusal};
use vmpool_model::{
    EventKind, Owner, PoolName, ProviderName, RecordState, VmName,
    config::{LimitsConfig, PoolConfig},
};

use crate::{Drivers, ManagerError, ManagerHandle, setup::Setup, wake::Wake};

impl ManagerHandle {
    /// Destroys a VM, leased or not; the record stays until the node is proven gone.
    ///
    /// # Errors
    ///
    /// [`ManagerError::Refused`] if there is no such VM.
    pub async fn terminate(&self, vm: VmName, reason: impl Into<String>) -> Result<(), ManagerError> {
        self.terminate_if(vm, None, reason).await
    }

    /// Destroys a VM as [`terminate`](Self::terminate) does, but only if it is in a given state.
    ///
    /// A VM that is being destroyed already is asked for again if `only_if` is `terminating`.
    ///
    /// # Errors
    ///
    /// [`ManagerError::Refused`] if there is no such VM, or it is in another state.
    pub async fn terminate_if(
        &self,
        vm: VmName,
        only_if: Option<RecordState>,
        reason: impl Into<String>,
    ) -> Result<(), ManagerError> {
        let reason = reason.into();
        self.wish(Input::Terminate { vm, only_if, reason }).await
    }

    /// Keeps a VM for debugging: at once, or when its lease ends.
    ///
    /// It is destroyed after `time`, a day if `None`, unless it is given up before. One that is held already is held for this
    /// time from now, with the reason there is if this one is empty.
    ///
    /// # Errors
    ///
    /// [`ManagerError::Refused`] if there is no such VM, its state forbids it, or too many are held already.
    pub async fn hold(
        &self,
        vm: VmName,
        reason: impl Into<String>,
        by: Option<Owner>,
        time: Option<Duration>,
    ) -> Result<(), ManagerError> {
        let reason = reason.into();
        self.wish(Input::Hold { vm, reason, by, time }).await
    }

    /// Ends the holding of a VM, which is checked and used again.
    ///
    /// # Errors
    ///
    /// [`ManagerError::Refused`] if there is no such VM, or it is not held.
    pub async fn unhold(&self, vm: VmName) -> Result<(), ManagerError> {
        self.wish(Input::Unhold(vm)).await
    }

    /// Removes the record of a VM without proof that its node is gone; a lease of it ends.
    ///
    /// If the node is there after all, it is found and destroyed as any node of ours that belongs to no record.
    ///
    /// # Errors
    ///
    /// [`ManagerError::Refused`] if there is no such VM.
    pub async fn forget(&self, vm: VmName, reason: impl Into<String>) -> Result<(), ManagerError> {
        let reason = reason.into();
        self.wish(Input::Forget { vm, reason }).await
    }

    /// Brings a pool to its end: nothing is made or leased any more, and what is not in use is destroyed.
    ///
    /// It stays so across restarts until [`undrain`](Self::undrain). Draining a pool again changes the reason, unless the new
    /// one is empty.
    ///
    /// # Errors
    ///
    /// [`ManagerError::Refused`] if there is no such pool.
    pub async fn drain(&self, pool: PoolName, reason: impl Into<String>) -> Result<(), ManagerError> {
        let reason = reason.into();
        self.wish(Input::Drain { pool, reason }).await
    }

    /// Lets a drained pool work again.
    ///
    /// # Errors
    ///
    /// [`ManagerError::Refused`] if there is no such pool.
    pub async fn undrain(&self, pool: PoolName) -> Result<(), ManagerError> {
        self.wish(Input::Undrain(pool)).await
    }

    /// Says that the nodes that are missing all at once at a provider are lost indeed.
    ///
    /// # Errors
    ///
    /// [`ManagerError::Refused`] if there is no such provider, or nothing is missing.
    pub async fn accept_loss(&self, provider: ProviderName) -> Result<(), ManagerError> {
        self.wish(Input::AcceptLoss(provider)).await
    }

    /// Tells the event log of something that no pool is about.
    ///
    /// # Errors
    ///
    /// [`ManagerError::Store`], [`ManagerError::Stopped`].
    pub async fn note(&self, kind: EventKind, detail: impl Into<String>) -> Result<(), ManagerError> {
        let detail = detail.into();
        self.wish(Input::Note { kind, detail }).await
    }

    /// Lets another configuration take the place of the one there is: all of it, or nothing if something does not fit.
    ///
    /// Pools and providers that are no longer there are drained: what nobody uses is destroyed, leases end as they do, and
    /// a provider is asked by the driver that it had until its last VM is proven gone. One that comes back before that goes
    /// on with what is there: under one name, another driver must speak to the same account. Calls that are under way to
    /// a provider whose driver is another one now end in their time. Take the drivers that need not change from
    /// [`known_drivers`](Self::known_drivers).
    ///
    /// # Errors
    ///
    /// [`ManagerError::Refused`] with [`Refusal::InvalidConfig`] if something does not fit; the configuration there is
    /// stays after every error.
    pub async fn reconfigure(
        &self,
        pools: BTreeMap<PoolName, PoolConfig>,
        providers: Drivers,
        limits: LimitsConfig,
    ) -> Result<(), ManagerError> {
        let setup = Setup { pools, providers, limits };
        setup.check(&self.tools).map_err(|misfit| ManagerError::Refused(Refusal::InvalidConfig(misfit)))?;
        self.ask(|reply| Wake::Reconfigure(Box::new(setup), self.by.clone(), reply)).await
    }

    /// Returns the providers as they are configured, with their drivers.
    ///
    /// # Errors
    ///
    /// [`ManagerError::Store`] while the records cannot be read, [`ManagerError::Stopped`].
    pub async fn drivers(&self) -> Result<Drivers, ManagerError> {
        self.read(|seen| seen.domain.setup.providers.clone()).await
    }

    /// Returns all providers that can be asked, with their drivers: those that are configured, and those that were taken out
    /// of the configuration and still have VMs.
    ///
    /// # Errors
    ///
    /// [`ManagerError::Store`] while the records cannot be read, [`ManagerError::Stopped`].
    pub async fn known_drivers(&self) -> Result<Drivers, ManagerError> {
        self.read(|seen| seen.domain.drivers()).await
    }
}
