//! How everybody else speaks to the manager.

mod find;
mod leases;
mod look;
mod operate;

use std::{sync::Arc, time::Duration};

use tokio::sync::{mpsc, oneshot, watch};
use vmpool_engine::{Grant, Input, Refusal};
use vmpool_model::{Acquire, DomainName, InstallationId, Owner, RequestId};
use vmpool_store::{Cursor, EventPage, Store};

use crate::{
    ManagerError, View,
    setup::Tools,
    wake::{Look, Reply, Wake},
};

pub use self::{
    find::{VmQuery, VmStatus},
    leases::Renewed,
};

/// Speaks to a running [`Manager`](crate::Manager); clones speak to the same one.
///
/// Whatever a method answers is durable: it survives `kill -9` and loss of power. Wishes are granted and refused only by who
/// owns the domain; looks may show what was so until another manager took over.
///
/// # Cancel safety
///
/// Dropping the future of a method abandons the answer, not the wish. In particular the request of an
/// [`acquire`](Self::acquire) that was dropped stays until its deadline: acquire again with the same
/// request id to attach to it, or [`cancel`](Self::cancel) it.
#[derive(Debug, Clone)]
pub struct ManagerHandle {
    pub(crate) wakes: mpsc::Sender<Wake>,
    pub(crate) reads: mpsc::Sender<Look>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) domain: DomainName,
    pub(crate) installation: InstallationId,
    pub(crate) events: watch::Receiver<Cursor>,
    pub(crate) tools: Tools,
    /// Who speaks, if they said so.
    pub(crate) by: Option<Owner>,
}

impl ManagerHandle {
    /// Returns a handle of somebody: what it has done as an operator is told with this name in the event log.
    #[must_use]
    pub fn by(&self, by: Option<Owner>) -> Self {
        Self { by, ..self.clone() }
    }

    /// Waits for a VM, at most as long as the request says, and leases it; of several that the request wants, this
    /// returns the first.
    ///
    /// The same request again yields the same lease, and several may wait for one request.
    ///
    /// # Errors
    ///
    /// [`ManagerError::Refused`] if there is no VM in time, or none to be had; [`ManagerError::Store`], after
    /// which the same request may be repeated; [`ManagerError::Stopped`].
    pub async fn acquire(&self, acquire: Acquire) -> Result<Grant, ManagerError> {
        let request = acquire.request.clone();
        let grants = self.acquire_all(acquire).await?;
        grants.into_iter().next().ok_or(ManagerError::Refused(Refusal::UnknownRequest { request }))
    }

    /// Waits for as many VMs as the request wants, all at once or none, and leases them.
    ///
    /// The same request again yields the leases that last: they are fewer if some ended meanwhile, which
    /// [`RequestStatus::ended`](vmpool_model::RequestStatus::ended) of its record tells.
    ///
    /// # Errors
    ///
    /// Those of [`acquire`](Self::acquire).
    pub async fn acquire_all(&self, acquire: Acquire) -> Result<Vec<Grant>, ManagerError> {
        self.ask(|reply| Wake::Acquire(Box::new(acquire), self.by.clone(), reply)).await
    }

    /// Waits for VMs as [`acquire_all`](Self::acquire_all) does, but at most `patience` long in this call.
    ///
    /// `None` says that the request still waits: call again with the same request to go on waiting.
    /// That is what long polling needs.
    ///
    /// # Errors
    ///
    /// Those of [`acquire`](Self::acquire).
    pub async fn acquire_within(
        &self,
        acquire: Acquire,
        patience: Duration,
    ) -> Result<Option<Vec<Grant>>, ManagerError> {
        match tokio::time::timeout(patience, self.acquire_all(acquire)).await {
            Ok(answer) => answer.map(Some),
            Err(_) => Ok(None),
        }
    }

    /// Withdraws a request; a lease that it was given meanwhile is released.
    ///
    /// For a while the same request is refused if it is made again: a late duplicate must not get a VM that nobody uses.
    ///
    /// # Errors
    ///
    /// [`ManagerError::Refused`] if there is no such request, and with [`Refusal::Cancelled`] or
    /// [`Refusal::RequestEnded`] if it was over before, so also if a cancellation whose answer was lost is repeated.
    pub async fn cancel(&self, request: RequestId) -> Result<(), ManagerError> {
        self.wish(Input::Cancel(request)).await
    }

    /// Withdraws a request as [`cancel`](Self::cancel) does, because its client seems to be gone: it may make it again.
    ///
    /// # Errors
    ///
    /// Those of [`cancel`](Self::cancel).
    pub async fn abandon(&self, request: RequestId) -> Result<(), ManagerError> {
        self.wish(Input::Abandon(request)).await
    }

    /// Shows everything that the manager knows.
    ///
    /// # Errors
    ///
    /// [`ManagerError::Store`] while the records cannot be read, [`ManagerError::Stopped`].
    pub async fn view(&self) -> Result<Arc<View>, ManagerError> {
        self.ask(Wake::View).await
    }

    /// Reads at most `limit` events after a cursor, oldest first; works after the manager has stopped, too.
    ///
    /// # Errors
    ///
    /// [`ManagerError::Store`] if the log cannot be read.
    pub async fn events(&self, after: Cursor, limit: usize) -> Result<EventPage, ManagerError> {
        self.store.events(&self.domain, after, limit).await.map_err(|err| ManagerError::Store {
            writing: false,
            may_have_happened: false,
            source: Arc::new(err),
        })
    }

    /// Returns where the newest event's cursor is told as soon as the event is durable.
    ///
    /// Several events may come as one change: read them with [`events`](Self::events).
    #[must_use]
    pub fn watch_events(&self) -> watch::Receiver<Cursor> {
        self.events.clone()
    }

    /// Returns the installation whose id is on every node.
    #[must_use]
    pub fn installation(&self) -> &InstallationId {
        &self.installation
    }

    /// Returns whether the manager has stopped.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.wakes.is_closed()
    }

    /// Stops the manager in good order, and waits until it has stopped.
    ///
    /// No wish is taken from now on; who waits for a VM gets [`ManagerError::Stopped`], and the request stays
    /// recorded. Calls to providers get a bounded time to end; it is safe to abandon those that do not.
    ///
    /// Handles keep the store, because events can still be read: a store in a directory is free for another
    /// process when the manager and all its handles are dropped.
    pub async fn shutdown(&self) {
        // If it cannot be sent, the loop is ending already.
        let _ = self.wakes.send(Wake::Shutdown).await;
        let mut events = self.events.clone();
        // The loop owns the sender: it is gone when the loop is.
        while events.changed().await.is_ok() {}
    }

    /// Says what is answered with whether it is done.
    pub(crate) async fn wish(&self, input: Input) -> Result<(), ManagerError> {
        self.ask(|reply| Wake::Wish(input, self.by.clone(), reply)).await
    }

    pub(crate) async fn ask<T>(&self, wake: impl FnOnce(Reply<T>) -> Wake) -> Result<T, ManagerError> {
        let (reply, answer) = oneshot::channel();
        let wake = wake(reply).of(tracing::Span::current());
        self.wakes.send(wake).await.map_err(|_| ManagerError::Stopped)?;
        answer.await.unwrap_or(Err(ManagerError::Stopped))
    }
}
