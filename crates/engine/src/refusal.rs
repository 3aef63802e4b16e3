//! Why a wish of a client is refused.

use std::{borrow::Cow, collections::BTreeSet, time::Duration};

use vmpool_model::{
    Label, LeaseEnd, LeaseId, Owner, PoolName, ProviderName, RequestId, Timestamp, VmName, config::Misfit,
    format_duration,
};

use crate::words::{by_whom, list, list_or, named, none_of, of, whole};

/// Why a wish of a client is refused; a refused wish changed nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// There is no such pool.
    #[error("there is no pool {pool}; the pools are {}", list(.known))]
    UnknownPool {
        /// The pool that was asked for.
        pool: PoolName,
        /// The pools there are.
        known: Vec<PoolName>,
    },
    /// The pool left the configuration, and only what there is of it is looked after.
    #[error(
        "pool {pool} is not in the configuration any more, so it gives no VMs: configure it again, or ask another pool; the \
         pools are {}",
        list(.known)
    )]
    PoolRetired {
        /// The pool.
        pool: PoolName,
        /// The pools that are configured.
        known: Vec<PoolName>,
    },
    /// The request says neither which pools nor which labels it wants.
    #[error("the request names no pool and no label; the pools are {}", list(.known))]
    NoPoolNamed {
        /// The pools there are.
        known: Vec<PoolName>,
    },
    /// No pool has all the labels that the request wants.
    #[error(
        "{} has the labels {}; the labels there are: {}",
        none_of(.pools),
        list(.labels),
        list_or(.known, "none")
    )]
    NoPoolWithLabels {
        /// The labels that were asked for.
        labels: BTreeSet<Label>,
        /// The pools that were asked for; empty if any would do.
        pools: Vec<PoolName>,
        /// The labels that these pools, or all, have.
        known: BTreeSet<Label>,
    },
    /// The pool can never have a VM.
    #[error("pool {pool} can never have a VM: {why}; change the configuration, or ask another pool")]
    NeverPossible {
        /// The pool.
        pool: PoolName,
        /// Why not.
        why: String,
    },
    /// More VMs are wanted at once than there can be, or none.
    #[error("{count} VMs at once are not possible: ask for 1 to {max} of {}", named(.pools))]
    CountOutOfRange {
        /// How many VMs were asked for.
        count: u32,
        /// How many there can be at once.
        max: usize,
        /// The pools that could serve the request.
        pools: Vec<PoolName>,
    },
    /// More VMs are wanted at once than their owner may ever hold.
    #[error(
        "{owner} may hold {max} VMs{} at once ({why}), and {count} were asked for: ask for fewer, or have the limit raised",
        of(.pools)
    )]
    OwnerLimit {
        /// Whose limit it is.
        owner: Owner,
        /// How many VMs were asked for.
        count: u32,
        /// How many the owner may hold.
        max: usize,
        /// The pools that these could be of; empty if the limit is about all.
        pools: Vec<PoolName>,
        /// Which limit it is, by its key and value, and what else is in the way.
        why: String,
    },
    /// As many requests wait as may wait.
    #[error("{max} requests wait, and no more may: try again later")]
    QueueFull {
        /// How many may wait.
        max: u32,
    },
    /// There is no room for more records.
    #[error("the disk of the records is full, so nothing is leased until there is room: try again later")]
    StoreFull,
    /// No VM is ready, and the request does not wait.
    #[error("no VM of {} can be leased now: {why}; wait for one with --wait", named(.pools))]
    NoVmAvailable {
        /// The pools that could serve the request.
        pools: Vec<PoolName>,
        /// What is known about why.
        why: String,
    },
    /// The request's time was over before there was a VM.
    #[error("no VM of {} could be leased within {}: {why}", named(.pools), format_duration(whole(*.waited)))]
    TimedOut {
        /// The pools that could have served the request.
        pools: Vec<PoolName>,
        /// How long the request waited.
        waited: Duration,
        /// What is known about why.
        why: String,
    },
    /// The request was withdrawn.
    #[error("request {request} was cancelled at {at}{}: make a new request", by_whom(by.as_ref()))]
    Cancelled {
        /// The request.
        request: RequestId,
        /// When it was.
        at: Timestamp,
        /// Who did it, if they said so.
        by: Option<Owner>,
    },
    /// The request's time was over before, and for a while it is remembered.
    #[error("request {request} timed out at {at}, after {}: make a new request", format_duration(whole(*.waited)))]
    RequestTimedOut {
        /// The request.
        request: RequestId,
        /// When its time was over.
        at: Timestamp,
        /// How long it waited.
        waited: Duration,
    },
    /// The request waited until nobody could ever serve it any more, and for a while that is remembered.
    #[error(
        "request {request} was turned away at {at}, because {why}; whatever changed since, make a new request"
    )]
    TurnedAway {
        /// The request.
        request: RequestId,
        /// When it was.
        at: Timestamp,
        /// Why, and what to do.
        why: String,
    },
    /// The same request id was used for another request.
    #[error("request id {request} was used for a different request: choose a new id for each request")]
    RequestConflict {
        /// The request.
        request: RequestId,
    },
    /// The request was served and its lease has ended.
    #[error("request {request} was served by lease {lease} of VM {vm}, which has ended: make a new request")]
    RequestEnded {
        /// The request.
        request: RequestId,
        /// The lease that served it.
        lease: LeaseId,
        /// The VM that was leased.
        vm: VmName,
    },
    /// There is no such request that waits.
    #[error("there is no request {request}")]
    UnknownRequest {
        /// The request.
        request: RequestId,
    },
    /// There is no such lease, or it has ended.
    #[error("there is no lease {lease}: it was released, has expired, or never was")]
    UnknownLease {
        /// The lease.
        lease: LeaseId,
    },
    /// The lease has ended.
    #[error(
        "lease {lease} of VM {vm} ended at {at}, because {how}: the VM must not be used any more, acquire another one"
    )]
    LeaseEnded {
        /// The lease.
        lease: LeaseId,
        /// The VM that was leased.
        vm: VmName,
        /// When it ended.
        at: Timestamp,
        /// How it ended.
        how: LeaseEnd,
    },
    /// The holder tells the fence of another lease.
    #[error(
        "lease {lease} has the fencing token {current}, not {told}: whoever holds the older token has lost the VM and \
         must not use it any more"
    )]
    StaleFence {
        /// The lease.
        lease: LeaseId,
        /// What the holder told.
        told: u64,
        /// The lease's own.
        current: u64,
    },
    /// The time to live is not allowed.
    #[error("a lease of pool {pool} lasts at most {}, and more than 0s", format_duration(*.max))]
    TtlOutOfRange {
        /// The pool.
        pool: PoolName,
        /// The longest time allowed.
        max: Duration,
    },
    /// There is no such provider.
    #[error("there is no provider {provider}; the providers are {}", list(.known))]
    UnknownProvider {
        /// The provider that was asked for.
        provider: ProviderName,
        /// The providers there are.
        known: Vec<ProviderName>,
    },
    /// The pool is being drained: it gives nothing any more.
    #[error(
        "pool {pool} is being drained ({reason}): it gives no VMs until it is undrained; ask another pool"
    )]
    PoolDrained {
        /// The pool.
        pool: PoolName,
        /// Why it is drained.
        reason: String,
    },
    /// The pool's record cannot be read, and is not written over.
    #[error(
        "the record of pool {pool} cannot be read, so nobody knows whether it is drained, and it is not written over: \
         the daemon's notices say why; run the version of vmpool that wrote it, or take the pool out of the \
         configuration to bring it to its end"
    )]
    PoolUnreadable {
        /// The pool.
        pool: PoolName,
    },
    /// Not too many nodes of the provider are missing, so there is no loss to accept.
    #[error("provider {provider} does not miss too many nodes at once: there is no loss to accept")]
    NoMassLoss {
        /// The provider.
        provider: ProviderName,
    },
    /// The configuration does not fit.
    #[error("the configuration does not fit, and the one before stays: {0}")]
    InvalidConfig(Misfit),
    /// As many VMs of the pool are held as may be.
    #[error(
        "pool {pool} holds {max_held} VMs, those included that are to be held, and max_held is {max_held}: unhold or \
         terminate one of them first"
    )]
    TooManyHeld {
        /// The pool.
        pool: PoolName,
        /// How many VMs may be held.
        max_held: u32,
    },
    /// The time that a VM is to be held is longer than its pool allows.
    #[error(
        "a VM of pool {pool} is held for at most {} (max_hold_time), and {} were asked for: ask for less, and hold it again \
         before that is over",
        format_duration(*.max), format_duration(*.time)
    )]
    HoldTooLong {
        /// The pool.
        pool: PoolName,
        /// How long the VM was to be held.
        time: Duration,
        /// The longest time allowed.
        max: Duration,
    },
    /// There is no such VM.
    #[error("there is no VM {vm}")]
    UnknownVm {
        /// The VM.
        vm: VmName,
    },
    /// The VM's state forbids it.
    #[error("VM {vm} is {state}: {why}")]
    InvalidState {
        /// The VM.
        vm: VmName,
        /// Its state.
        state: vmpool_model::RecordState,
        /// Why that forbids it.
        why: Cow<'static, str>,
    },
}
