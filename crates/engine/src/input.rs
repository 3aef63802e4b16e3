//! What an engine is told: wishes of clients, and what became of effects.

use std::{collections::BTreeMap, time::Duration};

use vmpool_model::{
    Acquire, EventKind, Failure, LeaseId, Node, NodeId, Owner, PoolName, ProviderName, RecordState,
    RequestId, VmName,
    config::{LimitsConfig, PoolConfig, ProviderConfig},
};

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
    ///
    /// The request is remembered for a while, and refused if it is sent again.
    Cancel(RequestId),
    /// A client seems to be gone: what it waits for is withdrawn, as with [`Cancel`](Self::Cancel), but it may ask again.
    Abandon(RequestId),
    /// A holder goes on using its VM.
    Renew {
        /// The lease.
        lease: LeaseId,
        /// The lease's fence, if the holder tells it: another one is refused.
        fence: Option<u64>,
        /// A new time to live; the lease's own if `None`.
        ttl: Option<Duration>,
    },
    /// A holder gives its VM back.
    Release {
        /// The lease.
        lease: LeaseId,
        /// The lease's fence, if the holder tells it: another one is refused.
        fence: Option<u64>,
    },
    /// Somebody wants a VM destroyed, leased or not.
    Terminate {
        /// The VM.
        vm: VmName,
        /// The state that the VM must be in, if it matters.
        only_if: Option<RecordState>,
        /// Why, for people.
        reason: String,
    },
    /// Somebody wants a VM kept for debugging: at once, or when its lease ends.
    Hold {
        /// The VM.
        vm: VmName,
        /// Why, for people; if it is empty, the reason of the hold there is stays.
        reason: String,
        /// Who wants it, if they said so.
        by: Option<Owner>,
        /// For how long; the VM is destroyed after that. A day if `None`.
        time: Option<Duration>,
    },
    /// A VM need not be kept any more: it is checked and used again; one that was leased only if its pool reuses VMs, or it
    /// was cleaned.
    Unhold(VmName),
    /// An operator knows that a VM's node is gone, or does not care: its record is removed without proof.
    Forget {
        /// The VM.
        vm: VmName,
        /// Why, for people.
        reason: String,
    },
    /// A pool is to come to its end: nothing is made or leased any more, and what is not in use is destroyed.
    Drain {
        /// The pool.
        pool: PoolName,
        /// Why, for people; if it is empty, a pool that is drained stays as it is.
        reason: String,
    },
    /// A drained pool is to work again.
    Undrain(PoolName),
    /// Whether the store has little room left: then nothing more is leased or made, and all that ends goes on. An engine
    /// that was made anew takes it that there is room.
    Short(bool),
    /// An operator knows that the nodes that are missing all at once are lost.
    AcceptLoss(ProviderName),
    /// Something happened that no pool is about and the event log is to tell.
    Note {
        /// What happened.
        kind: EventKind,
        /// More about it, for people.
        detail: String,
    },
    /// The configuration is another one from now on.
    Reconfigure(Box<Reconfigure>),
    /// A provider said by itself that something may have changed: nothing follows but a look before its time, and whether that
    /// is worth a request, [`Engine::hint_worth`](crate::Engine::hint_worth) says.
    Hint {
        /// The provider.
        provider: ProviderName,
        /// The nodes that may have changed; any if there are none.
        nodes: Vec<NodeId>,
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
    /// [`Effect::Create`](crate::Effect::Create) for a VM that was given up or forgotten: it waited for its turn, and was
    /// never sent.
    NotSent,
    /// [`Effect::Find`](crate::Effect::Find): all nodes with the token in a listing that proves there are
    /// no others, or why that could not be said.
    Found(Result<Vec<Node>, Failure>),
    /// [`Effect::Destroy`](crate::Effect::Destroy): accepted, or why not. `NotFound` is a failure, too.
    Destroyed(Result<(), Failure>),
    /// [`Effect::Check`](crate::Effect::Check): passed, or what was wrong.
    Checked(Result<CheckReport, String>),
    /// [`Effect::Get`](crate::Effect::Get): the node, `None` if the provider says that there is no such node, or why
    /// that could not be said.
    Got(Result<Option<Box<Node>>, Failure>),
    /// [`Effect::Hook`](crate::Effect::Hook): it ended well, or why not.
    Hooked(Result<(), String>),
    /// [`Effect::SetExpiry`](crate::Effect::SetExpiry): accepted, or why not.
    ExpirySet(Result<(), Failure>),
    /// [`Effect::List`](crate::Effect::List): what the provider lists.
    Listed {
        /// The provider.
        provider: ProviderName,
        /// The nodes and whether they are all, or why there is no listing.
        result: Result<ListedNodes, Failure>,
    },
    /// [`Effect::Glance`](crate::Effect::Glance): the node, `None` if the provider says that there is no such node, or why
    /// that could not be said.
    Glanced {
        /// The provider.
        provider: ProviderName,
        /// The node that was asked for.
        node: NodeId,
        /// What the provider says.
        result: Result<Option<Box<Node>>, Failure>,
    },
}

/// What a check that passed found out.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CheckReport {
    /// The host key that the VM showed, if it was asked for.
    pub host_key: Option<String>,
}

/// A configuration that takes the place of the one before.
#[derive(Debug, Clone, PartialEq)]
pub struct Reconfigure {
    /// All pools.
    pub pools: BTreeMap<PoolName, PoolConfig>,
    /// All providers.
    pub providers: BTreeMap<ProviderName, ProviderConfig>,
    /// What owners may have.
    pub limits: LimitsConfig,
}

/// What a provider listed.
#[derive(Debug, Clone, PartialEq)]
pub struct ListedNodes {
    /// The nodes.
    pub nodes: Vec<Node>,
    /// Why there may be others; `None` if these are certainly all.
    pub incomplete: Option<String>,
}
