//! The engine: the records of a domain, and one step at a time.

use std::collections::{BTreeMap, BTreeSet};

use fastrand::Rng;
use vmpool_model::{
    Event, EventKind, Lease, LeaseId, Owner, PoolName, PoolRecord, ProviderName, RequestId, RequestRecord,
    Timestamp, VmName, VmRecord,
};

use crate::{
    Answer, Effect, EffectId, Input, Spec, Step,
    begins::Begins,
    demand::Demand,
    durable::Before,
    lookup::Lookup,
    order::Order,
    owners::Owners,
    pool::Pool,
    provider::Provider,
    queue::Waiting,
    serve::Walk,
    table::{Ordered, Table},
    timers::{Timer, Timers},
    vm::Vm,
};

/// The decisions of one domain.
#[derive(Debug)]
pub struct Engine {
    pub(crate) spec: Spec,
    pub(crate) rng: Rng,
    pub(crate) now: Timestamp,
    pub(crate) next_effect: u64,
    pub(crate) next_number: u64,
    pub(crate) vms: Ordered<VmName, Vm>,
    pub(crate) leases: Table<LeaseId, Lease>,
    pub(crate) requests: Table<RequestId, RequestRecord>,
    pub(crate) owners: Owners,
    pub(crate) lookup: Lookup,
    /// When the leases of each pool began.
    pub(crate) begins: Begins,
    /// Requests that wait.
    pub(crate) waiting: Waiting,
    /// What they want, and of which pools.
    pub(crate) demand: Demand,
    /// Who of them comes first in each pool.
    pub(crate) order: Order,
    /// What is set aside for requests that need more VMs than are free.
    pub(crate) set_aside: Walk,
    /// Since when there is no room for more records.
    pub(crate) short_since: Option<Timestamp>,
    /// Something changed by which somebody may be served.
    pub(crate) unserved: bool,
    /// When time alone may change what is decided, if nothing else changes before.
    pub(crate) rests_until: Option<Timestamp>,
    /// Requests that are over, by when they were.
    pub(crate) remembered: BTreeSet<(Timestamp, RequestId)>,
    /// The request of each lease that ended and is remembered.
    pub(crate) ended: Table<LeaseId, RequestId>,
    pub(crate) pools: BTreeMap<PoolName, Pool>,
    pub(crate) providers: BTreeMap<ProviderName, Provider>,
    /// What is remembered of pools that there are not.
    pub(crate) asleep: BTreeMap<PoolName, PoolRecord>,
    /// VMs whose records cannot be read: what is theirs is left alone.
    pub(crate) unreadable: BTreeSet<VmName>,
    /// Pools whose records cannot be read: these are left alone.
    pub(crate) unreadable_pools: BTreeSet<PoolName>,
    pub(crate) timers: Timers,
    /// The VM that each effect under way is for.
    pub(crate) awaited: BTreeMap<EffectId, VmName>,
    /// Pools whose stock or demand changed in this step.
    pub(crate) touched: BTreeSet<PoolName>,
    /// Pools that leave room in a quota to others for whom somebody waits, and look again whenever something changed.
    pub(crate) yielding: BTreeSet<PoolName>,
    /// The pool that nothing could make room for when it was looked at last in this step, and how much had changed until then.
    pub(crate) in_nobodys_way: Option<(PoolName, usize)>,
    /// How often it was asked what can make room.
    #[cfg(test)]
    pub(crate) looks: std::cell::Cell<usize>,
    /// Pools that may want another VM.
    pub(crate) growing: BTreeSet<PoolName>,
    /// What changed since all was durable, if somebody tells when it is.
    pub(crate) before: Option<Before>,
    /// Who said what is being decided, if they said who they are.
    pub(crate) by: Option<Owner>,
    /// The step that is being made.
    pub(crate) out: Step,
}

impl Engine {
    /// Takes one input, and decides.
    ///
    /// Time that runs backwards counts as standing still.
    pub fn step(&mut self, now: Timestamp, input: Input) -> Step {
        self.step_by(now, None, input)
    }

    /// Takes one input as [`step`](Self::step) does, and tells who said it with everything that comes of it at once.
    pub fn step_by(&mut self, now: Timestamp, by: Option<Owner>, input: Input) -> Step {
        self.now = self.now.max(now);
        // What is due comes first: a renewal at the moment of expiry is too late.
        while let Some(timer) = self.timers.pop_due(self.now) {
            self.fire(timer);
        }
        self.by = by.or_else(|| match &input {
            Input::Hold { by, .. } => by.clone(),
            _ => None,
        });
        let answer = match input {
            Input::Acquire(acquire) => self.acquire_measured(*acquire),
            Input::Cancel(request) => self.cancel(&request),
            Input::Abandon(request) => self.abandon(&request),
            Input::Renew { lease, fence, ttl } => self.renew(&lease, fence, ttl),
            Input::Release { lease, fence } => self.release(&lease, fence),
            Input::Terminate { vm, only_if, reason } => self.terminate_by_verb(&vm, only_if, &reason),
            Input::Hold { vm, reason, by: _, time } => self.hold(&vm, &reason, time),
            Input::Unhold(vm) => self.unhold(&vm),
            Input::Forget { vm, reason } => self.forget(&vm, &reason),
            Input::Drain { pool, reason } => self.drain(&pool, &reason),
            Input::Undrain(pool) => self.undrain(&pool),
            Input::AcceptLoss(provider) => self.accept_loss(&provider),
            Input::Note { kind, detail } => {
                self.event(kind, |event| event.detail = detail);
                Answer::Accepted
            }
            Input::Short(is_short) => self.shorten(is_short),
            Input::Reconfigure(reconfigure) => self.reconfigure(*reconfigure),
            Input::Hint { provider, nodes } => {
                self.hinted(&provider, &nodes);
                Answer::Nothing
            }
            Input::Done { id, outcome } => {
                self.done(id, outcome);
                Answer::Nothing
            }
            Input::Tick => Answer::Nothing,
        };
        self.by = None;
        self.rest();
        Step { answer, ..std::mem::take(&mut self.out) }
    }

    fn fire(&mut self, timer: Timer) {
        match timer {
            Timer::Lease(lease) => self.expire(&lease),
            Timer::Vm(vm) => self.advance(&vm),
            Timer::Expiry(vm) => self.guard(&vm),
            Timer::Request(request) => self.request_due(&request),
            Timer::Provider(provider) => self.list(&provider),
            Timer::Pool(pool) => {
                self.touched.insert(pool);
            }
            Timer::Queue => self.unserved = true,
        }
    }

    /// Returns when [`Input::Tick`] is due next, at the latest: one before that does nothing.
    #[must_use]
    pub fn wake_at(&self) -> Option<Timestamp> {
        self.timers.next()
    }

    /// Returns what the engine was told.
    #[must_use]
    pub fn spec(&self) -> &Spec {
        &self.spec
    }

    /// Returns all VM records, by name.
    pub fn vms(&self) -> impl Iterator<Item = &VmRecord> {
        self.vms.values().map(|vm| &vm.record)
    }

    /// Returns one VM record.
    #[must_use]
    pub fn vm(&self, name: &VmName) -> Option<&VmRecord> {
        self.vms.get(name).map(|vm| &vm.record)
    }

    /// Returns one lease, unless it has ended.
    #[must_use]
    pub fn lease(&self, id: &LeaseId) -> Option<&Lease> {
        self.leases.get(id)
    }

    /// Returns one request that is waiting or remembered.
    #[must_use]
    pub fn request(&self, id: &RequestId) -> Option<&RequestRecord> {
        self.requests.get(id)
    }

    /// Returns all leases, by id.
    pub fn leases(&self) -> impl Iterator<Item = &Lease> {
        self.leases.sorted()
    }

    /// Returns all requests that are waiting or remembered, by id.
    pub fn requests(&self) -> impl Iterator<Item = &RequestRecord> {
        self.requests.sorted()
    }

    /// Returns whether the engine was told that there is no room for more records.
    #[must_use]
    pub fn is_short(&self) -> bool {
        self.short_since.is_some()
    }

    /// Takes in whether there is room for more records; without, nothing is leased or made any more.
    fn shorten(&mut self, is_short: bool) -> Answer {
        if is_short != self.is_short() {
            self.short_since = is_short.then_some(self.now);
            self.unserved = true;
            self.touched.extend(self.pools.keys().cloned());
        }
        Answer::Nothing
    }

    /// Returns a number that grows with every call, across restarts, too.
    pub(crate) fn number(&mut self) -> u64 {
        self.next_number += 1;
        self.next_number
    }

    pub(crate) fn effect(&mut self, effect: Effect) -> EffectId {
        self.next_effect += 1;
        let id = EffectId(self.next_effect);
        self.out.effects.push((id, effect));
        id
    }

    /// Writes an event; `fill` adds what it is about.
    pub(crate) fn event(&mut self, kind: EventKind, fill: impl FnOnce(&mut Event)) {
        let mut event = Event::new(self.now, kind);
        event.by = self.by.clone();
        fill(&mut event);
        self.out.events.push(event);
    }

    /// Returns 10 random characters that fit a host name and are easy to read aloud.
    pub(crate) fn suffix(&mut self) -> String {
        const ALPHABET: &[u8] = b"abcdefghjkmnpqrstuvwxyz23456789";
        (0..10).map(|_| char::from(ALPHABET[self.rng.usize(..ALPHABET.len())])).collect()
    }
}
