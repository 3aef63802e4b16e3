//! What an engine is told: wishes of clients, and what became of effects.

use std::time::Duration;

use vmpool_model::{Acquire, Failure, LeaseId, Node, ProviderName, RequestId, VmName};

/// Identifies one effect, so that its result is matched to the step that asked for it; a result
/// whose effect is no longer awaited changes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EffectId(pub u64);

/// One thing that an engine is told.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Input {
    /// A client wants a VM.
    Acquire(Box<Acquire>),
    /// A client no longer wants the VM it waits for; a lease it was given meanwhile is released.
    Cancel(RequestId),
    /// A holder goes on using its VM.
    Renew {
        /// The lease.
        lease: LeaseId,
        /// A new time to live; the lease's own if `None`.
        ttl: Option<Duration>,
    },
    /// A holder gives its VM back.
    Release(LeaseId),
    /// An operator wants a VM destroyed, leased or not.
    Terminate {
        /// The VM.
        vm: VmName,
        /// Why, for people.
        reason: String,
    },
    /// An effect was carried out, or failed.
    Done {
        /// The effect.
        id: EffectId,
        /// What became of it.
        outcome: Outcome,
    },
    /// Time has passed: do what is due.
    Tick,
}

/// What became of an effect.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Outcome {
    /// [`Effect::Create`](crate::Effect::Create): the node, or why there is none.
    Created(Result<Box<Node>, Failure>),
    /// [`Effect::Find`](crate::Effect::Find): all nodes with the token in a listing that proves there are
    /// no others, or why that could not be said.
    Found(Result<Vec<Node>, Failure>),
    /// [`Effect::Destroy`](crate::Effect::Destroy): accepted, or why not. `NotFound` is a failure, too.
    Destroyed(Result<(), Failure>),
    /// [`Effect::Check`](crate::Effect::Check): passed, or what was wrong.
    Checked(Result<(), String>),
    /// [`Effect::List`](crate::Effect::List): what the provider lists.
    Listed {
        /// The provider.
        provider: ProviderName,
        /// The nodes and whether they are all, or why there is no listing.
        result: Result<ListedNodes, Failure>,
    },
}

/// What a provider listed.
#[derive(Debug, Clone, PartialEq)]
pub struct ListedNodes {
    /// The nodes.
    pub nodes: Vec<Node>,
    /// Whether these are certainly all.
    pub complete: bool,
}
