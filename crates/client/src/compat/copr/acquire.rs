//! Acquiring, renewing and releasing.

use std::time::Duration;

use vmpool_api::{AcquireRequest, Lease, code};

use super::{Given, Job, VmDescriptor, VmError, VmManager, descriptor::request_of};
use crate::ClientError;

/// The first groups of a call come first.
impl VmManager {
    /// Acquires a VM of one of several groups, and does not wait for one.
    ///
    /// A VM that the same owner used in the same sandbox comes first, then one that nobody used. A VM that was used by
    /// another owner or in another sandbox is never given. `pid` is only told with the VM: what ends the use of a builder
    /// that died is that nobody [renews](Self::renew_vm) it.
    ///
    /// # Errors
    ///
    /// [`VmError::NoVmAvailable`] if there is none at once, also because the owner has as many as it may;
    /// [`VmError::UnknownGroup`]; [`VmError::Client`].
    pub async fn acquire_vm(
        &self,
        groups: &[u32],
        ownername: &str,
        sandbox: &str,
        pid: u32,
        job: &Job,
    ) -> Result<VmDescriptor, VmError> {
        self.acquire(groups, ownername, Some(sandbox), pid, job).await
    }

    pub(super) async fn acquire(
        &self,
        groups: &[u32],
        owner: &str,
        sandbox: Option<&str>,
        pid: u32,
        job: &Job,
    ) -> Result<VmDescriptor, VmError> {
        let pools =
            groups.iter().map(|group| self.pool(*group).map(str::to_owned)).collect::<Result<Vec<_>, _>>()?;
        if pools.is_empty() {
            return Err(VmError::NoVmAvailable { message: "no group was given".to_owned() });
        }
        let request = AcquireRequest::new(request_of(pid), "", owner)
            .with_pools(pools)
            .with_sandbox(sandbox.map(str::to_owned))
            .with_task(job.task())
            .with_ttl(self.ttl);
        let lease = self.client.acquire(&request).await.map_err(VmError::of_acquire)?;
        self.remember(&lease.vm, Given { lease: lease.id.clone(), fence: lease.fence });
        let vm = self.client.vm(&lease.vm).await?;
        let group = self.group(&lease.pool).ok_or_else(|| not_found(&lease.vm))?;
        Ok(VmDescriptor::new(&vm, group, Some(&lease)))
    }

    /// Extends the use of a VM by its time; returns whether it is still in use by whoever acquired it here.
    ///
    /// Copr has no such call: it looks for the process. Call it at least once per [`with_ttl`](Self::with_ttl).
    ///
    /// # Errors
    ///
    /// [`VmError::VmDescriptorNotFound`] if there is no such VM, [`VmError::Client`].
    pub async fn renew_vm(&self, vm_name: &str) -> Result<bool, VmError> {
        let Some(given) = self.given(vm_name).await? else { return Ok(false) };
        let renewed = self.client.renew_if(&given.lease, Some(given.fence), None).await;
        self.ended(vm_name, renewed.map(|_: Lease| ()))
    }

    /// Ends the use of a VM; returns whether it was in use.
    ///
    /// This works on the VMs of other clients, too, and so after a restart of this one; one that was given here before
    /// and is somebody else's by now is left alone.
    ///
    /// # Errors
    ///
    /// [`VmError::VmDescriptorNotFound`] if there is no such VM, [`VmError::Client`].
    pub async fn release_vm(&self, vm_name: &str) -> Result<bool, VmError> {
        let Some(given) = self.given(vm_name).await? else { return Ok(false) };
        let released = self.client.release_if(&given.lease, given.fence).await;
        let was_in_use = self.ended(vm_name, released)?;
        self.forget(vm_name);
        Ok(was_in_use)
    }

    /// Returns for how long a VM is given at a time, if that was set.
    #[must_use]
    pub fn ttl(&self) -> Option<Duration> {
        self.ttl
    }

    /// Finds the lease of a VM: the one that was given here, or else the one that it has.
    async fn given(&self, vm_name: &str) -> Result<Option<Given>, VmError> {
        if let Some(given) = self.remembered(vm_name) {
            return Ok(Some(given));
        }
        let vm = self.vm(vm_name).await?;
        let Some(lease) = vm.lease else { return Ok(None) };
        match self.client.lease(&lease).await {
            Ok(lease) => Ok(Some(Given { lease: lease.id, fence: lease.fence })),
            Err(err) if is_gone(&err) => Ok(None),
            Err(err) => Err(err.into()),
        }
    }

    /// Says whether a lease was there; one that is gone is forgotten.
    fn ended(&self, vm_name: &str, result: Result<(), ClientError>) -> Result<bool, VmError> {
        match result {
            Ok(()) => Ok(true),
            Err(err) if is_gone(&err) => {
                self.forget(vm_name);
                Ok(false)
            }
            Err(err) => Err(err.into()),
        }
    }
}

pub(super) fn not_found(vm_name: &str) -> VmError {
    VmError::VmDescriptorNotFound { vm_name: vm_name.to_owned() }
}

fn is_gone(err: &ClientError) -> bool {
    err.problem().is_some_and(|problem| problem.is(code::UNKNOWN_LEASE) || problem.is(code::STALE_FENCE))
}
