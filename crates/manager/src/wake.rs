//! Everything that can wake the manager's loop.

use std::{fmt, sync::Arc};

use tokio::sync::oneshot;
use tracing::Span;
use vmpool_engine::{EffectId, Grant, Input, Outcome, Refusal};
use vmpool_model::{Acquire, Owner};
use vmpool_store::StoreError;

use crate::{
    ManagerError, Renewed, View,
    setup::{Seen, Setup},
};

/// Where the answer to a wish goes.
pub(crate) type Reply<T> = oneshot::Sender<Result<T, ManagerError>>;

/// Everything that can wake the manager's loop; nothing else changes its state.
#[derive(Debug)]
pub(crate) enum Wake {
    /// A client wants a VM, or asks again.
    Acquire(Box<Acquire>, Option<Owner>, Reply<Vec<Grant>>),
    /// Holders go on using their VMs.
    Renew(Vec<Input>, Reply<Vec<Result<Renewed, Refusal>>>),
    /// Holders give their VMs back, and who says so if they told.
    Release(Vec<Input>, Option<Owner>, Reply<Vec<Result<(), Refusal>>>),
    /// A cancellation or what an operator says, and who says so if they told.
    Wish(Input, Option<Owner>, Reply<()>),
    /// Another configuration is to take the place of the one there is, and who says so if they told.
    Reconfigure(Box<Setup>, Option<Owner>, Reply<()>),
    /// Somebody wants to look at everything.
    View(Reply<Arc<View>>),
    /// Somebody wants to look at what is decided, once that is durable.
    Look(Look),
    /// An effect was carried out, or failed.
    Done(EffectId, Outcome),
    /// A wish of somebody whose request is traced.
    Traced(Box<Self>, Span),
    /// Stop in good order.
    Shutdown,
}

/// What is called once with what can be seen, or why nothing can.
type LookFn = dyn FnOnce(Result<Seen<'_>, ManagerError>) + Send;

/// Looks at what the engine knows, and answers by itself.
pub(crate) struct Look(pub(crate) Box<LookFn>);

impl fmt::Debug for Look {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Look")
    }
}

impl Wake {
    /// Says what the wish is part of, unless nobody follows that.
    pub(crate) fn of(self, span: Span) -> Self {
        match self {
            Self::View(_) | Self::Look(_) | Self::Shutdown => self,
            wish if span.is_none() => wish,
            wish => Self::Traced(Box::new(wish), span),
        }
    }

    /// Returns the wish, and what it is part of.
    pub(crate) fn untraced(self) -> (Self, Span) {
        match self {
            Self::Traced(wake, span) => (*wake, span),
            wake => (wake, Span::none()),
        }
    }

    /// Answers that the store fails: nothing was tried, so nothing happened.
    pub(crate) fn refuse(self, source: &Arc<StoreError>) {
        let err = ManagerError::Store { writing: true, may_have_happened: false, source: Arc::clone(source) };
        // Who went away needs no answer.
        match self {
            Self::Acquire(_, _, reply) => drop(reply.send(Err(err))),
            Self::Renew(_, reply) => drop(reply.send(Err(err))),
            Self::Release(_, _, reply) => drop(reply.send(Err(err))),
            Self::Wish(_, _, reply) => drop(reply.send(Err(err))),
            Self::Reconfigure(_, _, reply) => drop(reply.send(Err(err))),
            Self::View(reply) => drop(reply.send(Err(err))),
            Self::Look(look) => (look.0)(Err(err)),
            Self::Traced(wake, _) => wake.refuse(source),
            Self::Done(..) | Self::Shutdown => {}
        }
    }
}

/// How many wakes may wait before those who send more have to wait.
pub(crate) const QUEUE: usize = 4096;
