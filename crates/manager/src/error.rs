//! The errors of starting a manager, of asking it, and of its end.

use std::sync::Arc;

use vmpool_engine::Refusal;
use vmpool_model::{InstallationId, InvalidName, config::Misfit};
use vmpool_store::{Fence, StoreError};

/// Says why the manager did not do what it was asked for.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum ManagerError {
    /// The wish was refused, and changed nothing.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The store failed, so that nothing can be promised; the manager goes on when the store does.
    #[error(
        "the records could not be {}{}: try again, with the same request id for an acquire",
        if *.writing { "written" } else { "read" },
        if *.may_have_happened { ", and what was asked for may have happened" } else { "" }
    )]
    Store {
        /// Whether writing failed, not reading.
        writing: bool,
        /// Whether what was asked for may have happened all the same.
        may_have_happened: bool,
        /// Why.
        #[source]
        source: Arc<StoreError>,
    },
    /// The manager has stopped, or stops; a request that waits stays recorded and is served after the next start.
    #[error("the manager has stopped: ask again with the same request id once it runs")]
    Stopped,
}

/// Says why a manager did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The store could not be used.
    #[error("{tried} failed")]
    Store {
        /// What was tried.
        tried: &'static str,
        /// Why.
        #[source]
        source: StoreError,
    },
    /// The records belong to another installation than the one that was given.
    #[error(
        "the store belongs to installation {stored}, not {given}: leave the installation out of the configuration, or \
         use the store of {given}; nodes of another installation are never touched"
    )]
    Installation {
        /// The installation in the configuration.
        given: InstallationId,
        /// The installation in the store.
        stored: InstallationId,
    },
    /// Something in the configuration does not fit.
    #[error(transparent)]
    Config(#[from] Misfit),
    /// A name of the manager's own does not fit.
    #[error(transparent)]
    Name(#[from] InvalidName),
}

/// Says why a manager ended that nobody had shut down.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum StopError {
    /// Another manager took the domain over; this one wrote nothing since.
    #[error(
        "another manager has taken over (its fence is {}, ours was {}): this one has stopped and changes nothing any \
         more; run one manager per domain, or leave it to the standby",
        .current.0, .held.0
    )]
    Fenced {
        /// The fence of this manager's ownership.
        held: Fence,
        /// The fence of the ownership that holds.
        current: Fence,
    },
    /// The loop broke off: a fault of the program.
    #[error("the manager's loop broke off, which is a fault of the program: {reason}; start it again")]
    Broken {
        /// What is known about it.
        reason: String,
    },
}
