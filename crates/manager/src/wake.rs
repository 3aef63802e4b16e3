//! Everything that can wake the manager's loop.

use std::sync::Arc;

use tokio::sync::oneshot;
use vmpool_engine::{EffectId, Grant, Input, Outcome};
use vmpool_model::{Acquire, Lease};
use vmpool_store::StoreError;

use crate::{ManagerError, View};

/// Where the answer to a wish goes.
pub(crate) type Reply<T> = oneshot::Sender<Result<T, ManagerError>>;

/// Everything that can wake the manager's loop; nothing else changes its state.
#[derive(Debug)]
pub(crate) enum Wake {
    /// A client wants a VM, or asks again.
    Acquire(Box<Acquire>, Reply<Vec<Grant>>),
    /// A holder goes on using its VM.
    Renew(Input, Reply<Lease>),
    /// A release, a cancellation or a termination.
    Wish(Input, Reply<()>),
    /// Somebody wants to look.
    View(Reply<Arc<View>>),
    /// An effect was carried out, or failed.
    Done(EffectId, Outcome),
    /// Stop in good order.
    Shutdown,
}

impl Wake {
    /// Answers that the store fails: nothing was tried, so nothing happened.
    pub(crate) fn refuse(self, source: &Arc<StoreError>) {
        let err = ManagerError::Store { writing: true, may_have_happened: false, source: Arc::clone(source) };
        // Who went away needs no answer.
        match self {
            Self::Acquire(_, reply) => drop(reply.send(Err(err))),
            Self::Renew(_, reply) => drop(reply.send(Err(err))),
            Self::Wish(_, reply) => drop(reply.send(Err(err))),
            Self::View(reply) => drop(reply.send(Err(err))),
            Self::Done(..) | Self::Shutdown => {}
        }
    }
}

/// How many wakes may wait before those who send more have to wait.
pub(crate) const QUEUE: usize = 4096;
