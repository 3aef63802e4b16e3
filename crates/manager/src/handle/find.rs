//! Looking at one thing, or at some, found by index and copied alone.

use std::net::IpAddr;

use vmpool_engine::Durable;
use vmpool_model::{
    Lease, LeaseId, Owner, PoolName, ProviderName, RecordState, RequestId, RequestRecord, TaskId, VmName,
    VmRecord,
};

use crate::{ManagerError, ManagerHandle, Notice, PoolStatus, ProviderStatus, notice::notices};

/// Which VMs are looked for: those that everything fits that is given.
///
/// By name, address, task and pool they are found at once; else every record is looked at, though only those found are copied.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct VmQuery {
    /// The VM.
    pub name: Option<VmName>,
    /// An address of its node.
    pub address: Option<IpAddr>,
    /// What it is leased for.
    pub task: Option<TaskId>,
    /// Its pool.
    pub pool: Option<PoolName>,
    /// The states that it may be in; any if empty.
    pub states: Vec<RecordState>,
    /// Who uses it, or used it last.
    pub owner: Option<Owner>,
    /// What its name comes after.
    pub after: Option<String>,
    /// How many are wanted at most; all if `None`.
    pub limit: Option<usize>,
}

impl VmQuery {
    fn find<'a>(&self, shown: Durable<'a>) -> Box<dyn Iterator<Item = &'a VmRecord> + 'a> {
        match self {
            Self { name: Some(name), .. } => Box::new(shown.vm(name).into_iter()),
            Self { task: Some(task), .. } => Box::new(shown.vms_of_task(task)),
            Self { address: Some(address), .. } => Box::new(shown.vms_with_address(*address)),
            Self { pool: Some(pool), .. } => Box::new(shown.vms_of_pool(pool)),
            _ => shown.vms(),
        }
    }

    fn fits(&self, vm: &VmRecord, lease: Option<&Lease>) -> bool {
        let has = |address: &IpAddr| vm.node.as_ref().is_some_and(|node| node.addresses.contains(address));
        let is_for = |task: &TaskId| lease.is_some_and(|lease| lease.task.as_ref() == Some(task));
        self.after.as_ref().is_none_or(|after| after.as_str() < vm.name.as_str())
            && self.pool.as_ref().is_none_or(|pool| vm.pool == *pool)
            && (self.states.is_empty() || self.states.contains(&vm.state))
            && self.owner.as_ref().is_none_or(|owner| vm.owner.as_ref() == Some(owner))
            && self.address.as_ref().is_none_or(has)
            && self.task.as_ref().is_none_or(is_for)
    }
}

/// A VM with what belongs to it.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct VmStatus {
    /// The VM.
    pub vm: VmRecord,
    /// Its lease, while it is leased.
    pub lease: Option<Lease>,
    /// Whether its provider can be asked: one that is not configured cannot.
    pub has_provider: bool,
}

/// Each look shows one moment between two commits, and copies what it returns alone. VMs, leases and health are shown at once,
/// as they are recorded; the others wait until what was decided is durable.
///
/// Each fails with [`ManagerError::Store`] while the records cannot be read, and with [`ManagerError::Stopped`].
impl ManagerHandle {
    /// Returns the VMs that a query fits, by name.
    ///
    /// # Errors
    ///
    /// [`ManagerError::Store`], [`ManagerError::Stopped`].
    pub async fn find_vms(&self, query: VmQuery) -> Result<Vec<VmStatus>, ManagerError> {
        self.read(move |seen| {
            let shown = seen.engine.durable();
            let found = query.find(shown).map(|vm| (vm, lease_of(shown, vm)));
            let fits = found.filter(|(vm, lease)| query.fits(vm, *lease));
            let status = |(vm, lease): (&VmRecord, Option<&Lease>)| VmStatus {
                vm: vm.clone(),
                lease: lease.cloned(),
                has_provider: seen.engine.knows_provider(&vm.provider),
            };
            fits.take(query.limit.unwrap_or(usize::MAX)).map(status).collect()
        })
        .await
    }

    /// Returns a lease with its VM, unless it has ended.
    ///
    /// # Errors
    ///
    /// [`ManagerError::Store`], [`ManagerError::Stopped`].
    pub async fn lease(&self, id: LeaseId) -> Result<Option<(Lease, Option<VmRecord>)>, ManagerError> {
        self.read(move |seen| {
            let shown = seen.engine.durable();
            let lease = shown.lease(&id)?;
            Some((lease.clone(), shown.vm(&lease.vm).cloned()))
        })
        .await
    }

    /// Returns all leases with their VMs, by id.
    ///
    /// # Errors
    ///
    /// [`ManagerError::Store`], [`ManagerError::Stopped`].
    pub async fn leases(&self) -> Result<Vec<(Lease, Option<VmRecord>)>, ManagerError> {
        self.read(|seen| {
            let shown = seen.engine.durable();
            shown.leases().map(|lease| (lease.clone(), shown.vm(&lease.vm).cloned())).collect()
        })
        .await
    }

    /// Returns all requests that wait or are remembered, by id.
    ///
    /// # Errors
    ///
    /// [`ManagerError::Store`], [`ManagerError::Stopped`].
    pub async fn requests(&self) -> Result<Vec<RequestRecord>, ManagerError> {
        self.look(|seen| seen.engine.requests().cloned().collect()).await
    }

    /// Returns a request that waits or is remembered.
    ///
    /// # Errors
    ///
    /// [`ManagerError::Store`], [`ManagerError::Stopped`].
    pub async fn request(&self, id: RequestId) -> Result<Option<RequestRecord>, ManagerError> {
        self.look(move |seen| seen.engine.request(&id).cloned()).await
    }

    /// Returns the pools, by name.
    ///
    /// # Errors
    ///
    /// [`ManagerError::Store`], [`ManagerError::Stopped`].
    pub async fn pools(&self) -> Result<Vec<PoolStatus>, ManagerError> {
        self.look(|seen| seen.pools()).await
    }

    /// Returns one pool.
    ///
    /// # Errors
    ///
    /// [`ManagerError::Store`], [`ManagerError::Stopped`].
    pub async fn pool(&self, name: PoolName) -> Result<Option<PoolStatus>, ManagerError> {
        self.look(move |seen| seen.pool(&name)).await
    }

    /// Returns the providers, by name.
    ///
    /// # Errors
    ///
    /// [`ManagerError::Store`], [`ManagerError::Stopped`].
    pub async fn providers(&self) -> Result<Vec<ProviderStatus>, ManagerError> {
        self.look(|seen| seen.providers()).await
    }

    /// Returns one provider.
    ///
    /// # Errors
    ///
    /// [`ManagerError::Store`], [`ManagerError::Stopped`].
    pub async fn provider(&self, name: ProviderName) -> Result<Option<ProviderStatus>, ManagerError> {
        self.look(move |seen| seen.provider(&name)).await
    }

    /// Returns the names of the pools, and what an operator should know.
    ///
    /// # Errors
    ///
    /// [`ManagerError::Store`], [`ManagerError::Stopped`].
    pub async fn health(&self) -> Result<(Vec<PoolName>, Vec<Notice>), ManagerError> {
        self.read(|seen| {
            let pools = seen.engine.pools().into_iter().map(|pool| pool.name).collect();
            (pools, notices(seen.domain, seen.engine, seen.withheld))
        })
        .await
    }
}

fn lease_of<'a>(shown: Durable<'a>, vm: &VmRecord) -> Option<&'a Lease> {
    shown.lease(vm.lease.as_ref()?)
}
