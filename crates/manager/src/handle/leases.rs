//! Keeping leases and giving them back: one, or many at once.

use std::time::Duration;

use vmpool_engine::{Input, Refusal};
use vmpool_model::{Lease, LeaseId, Owner, VmRecord};

use crate::{ManagerError, ManagerHandle, wake::Wake};

/// A renewed lease, with its VM.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Renewed {
    /// The lease as it is from now on.
    pub lease: Lease,
    /// The VM.
    pub vm: Option<VmRecord>,
}

impl ManagerHandle {
    /// Extends a lease, by its own time to live unless `ttl` gives a new one.
    ///
    /// # Errors
    ///
    /// [`ManagerError::Refused`] if there is no such lease any more, or the time is not allowed.
    pub async fn renew(&self, lease: LeaseId, ttl: Option<Duration>) -> Result<Lease, ManagerError> {
        self.renew_if(lease, None, ttl).await.map(|renewed| renewed.lease)
    }

    /// Extends a lease as [`renew`](Self::renew) does, but only if it has this fence.
    ///
    /// # Errors
    ///
    /// Those of [`renew`](Self::renew), and [`Refusal::StaleFence`] if the lease has another one.
    pub async fn renew_if(
        &self,
        lease: LeaseId,
        fence: Option<u64>,
        ttl: Option<Duration>,
    ) -> Result<Renewed, ManagerError> {
        let renewed = self.renew_all(vec![(lease, fence)], ttl).await?;
        renewed.into_iter().next().ok_or(ManagerError::Stopped)?.map_err(ManagerError::from)
    }

    /// Extends leases, each as [`renew_if`](Self::renew_if) does; all become durable together.
    ///
    /// The results come in the order of the leases: one that is refused keeps no other one from being renewed.
    ///
    /// # Errors
    ///
    /// [`ManagerError::Store`], [`ManagerError::Stopped`].
    pub async fn renew_all(
        &self,
        leases: Vec<(LeaseId, Option<u64>)>,
        ttl: Option<Duration>,
    ) -> Result<Vec<Result<Renewed, Refusal>>, ManagerError> {
        let renew = |(lease, fence)| Input::Renew { lease, fence, ttl };
        self.ask(|reply| Wake::Renew(leases.into_iter().map(renew).collect(), reply)).await
    }

    /// Returns who holds each of some leases; `None` for one that has ended or never was.
    ///
    /// # Errors
    ///
    /// [`ManagerError::Store`] while the records cannot be read, [`ManagerError::Stopped`].
    pub async fn holders(&self, leases: Vec<LeaseId>) -> Result<Vec<Option<Owner>>, ManagerError> {
        self.read(move |seen| {
            let shown = seen.engine.durable();
            let holder = |id: &LeaseId| shown.lease(id).map(|lease| lease.owner.clone());
            leases.iter().map(holder).collect()
        })
        .await
    }

    /// Ends a lease.
    ///
    /// # Errors
    ///
    /// [`ManagerError::Refused`] if there is no such lease any more.
    pub async fn release(&self, lease: LeaseId) -> Result<(), ManagerError> {
        self.release_if(lease, None).await
    }

    /// Ends a lease, but only if it has this fence.
    ///
    /// # Errors
    ///
    /// Those of [`release`](Self::release), and [`Refusal::StaleFence`] if the lease has another one.
    pub async fn release_if(&self, lease: LeaseId, fence: Option<u64>) -> Result<(), ManagerError> {
        self.wish(Input::Release { lease, fence }).await
    }

    /// Ends leases, each as [`release_if`](Self::release_if) does; all ends become durable together.
    ///
    /// The results come in the order of the leases: one that is refused keeps no other one from being released.
    ///
    /// # Errors
    ///
    /// [`ManagerError::Store`], [`ManagerError::Stopped`].
    pub async fn release_all(
        &self,
        leases: Vec<(LeaseId, Option<u64>)>,
    ) -> Result<Vec<Result<(), Refusal>>, ManagerError> {
        let release = |(lease, fence)| Input::Release { lease, fence };
        let releases = leases.into_iter().map(release).collect();
        self.ask(|reply| Wake::Release(releases, self.by.clone(), reply)).await
    }
}
