//! The engine: the records of a domain, and one step at a time.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use fastrand::Rng;
use vmpool_model::{
    Change, Event, EventKind, Lease, LeaseId, PoolName, ProviderName, RecordState, RequestId, RequestRecord,
    RequestStatus, Timestamp, VmName, VmRecord,
};

use crate::{
    Answer, Effect, EffectId, Input, Records, Spec, Step,
    pool::Pool,
    provider::Provider,
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
    pub(crate) vms: BTreeMap<VmName, Vm>,
    pub(crate) leases: BTreeMap<LeaseId, Lease>,
    pub(crate) requests: BTreeMap<RequestId, RequestRecord>,
    pub(crate) pools: BTreeMap<PoolName, Pool>,
    pub(crate) providers: BTreeMap<ProviderName, Provider>,
    pub(crate) timers: Timers,
    /// The VM that each effect under way is for.
    pub(crate) awaited: BTreeMap<EffectId, VmName>,
    /// Pools whose stock or demand changed in this step.
    pub(crate) touched: BTreeSet<PoolName>,
    /// The step that is being made.
    pub(crate) out: Step,
}

/// A pool as people want to see it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PoolView {
    /// The pool.
    pub name: PoolName,
    /// How many VM records are in each state, in the order of `RecordState::ALL`.
    pub counts: [usize; RecordState::ALL.len()],
    /// How many requests wait.
    pub waiting: usize,
    /// Whether the pool left the configuration: what there is of it is kept, nothing is added.
    pub retired: bool,
    /// Until when spawning pauses after failures.
    pub paused_until: Option<Timestamp>,
    /// The last thing that went wrong with spawning; `None` once a VM became ready and no pause is left.
    pub problem: Option<String>,
}

impl Engine {
    /// Makes an engine of the records, new or after a crash; the first tick then does what is due.
    #[must_use]
    pub fn recover(spec: Spec, records: Records, now: Timestamp) -> Self {
        let pools = spec.pools.iter().map(|(name, config)| (name.clone(), Pool::new(config.clone(), false)));
        let providers =
            spec.providers.iter().map(|(name, config)| (name.clone(), Provider::new(config.clone())));
        let mut engine = Self {
            // No engine repeats the names and effects of the one before it.
            rng: Rng::with_seed(spec.seed ^ spec.epoch.rotate_left(32)),
            now,
            next_effect: spec.epoch << 32,
            next_number: spec.epoch << 32,
            vms: BTreeMap::new(),
            leases: BTreeMap::new(),
            requests: BTreeMap::new(),
            pools: pools.collect(),
            providers: providers.collect(),
            timers: Timers::default(),
            awaited: BTreeMap::new(),
            touched: spec.pools.keys().cloned().collect(),
            out: Step::default(),
            spec,
        };
        records.leases.into_iter().for_each(|lease| engine.recover_lease(lease));
        records.vms.into_iter().for_each(|vm| engine.recover_vm(vm));
        records.requests.into_iter().for_each(|request| engine.recover_request(request));
        engine.recover_misfits();
        for provider in engine.providers.keys() {
            engine.timers.set(Timer::Provider(provider.clone()), Some(now));
        }
        for pool in engine.pools.keys() {
            engine.timers.set(Timer::Pool(pool.clone()), Some(now));
        }
        engine
    }

    fn recover_lease(&mut self, mut lease: Lease) {
        // Holders could not renew while nobody listened: they get time to come back.
        let least = self.now + self.spec.restart_grace;
        if lease.expires_at < least {
            lease.expires_at = least;
            self.out.changes.push(Change::PutLease(Box::new(lease.clone())));
        }
        self.timers.set(Timer::Lease(lease.id.clone()), Some(lease.expires_at));
        self.leases.insert(lease.id.clone(), lease);
    }

    fn recover_vm(&mut self, record: VmRecord) {
        let pool = self.pools.entry(record.pool.clone());
        let pool = pool.or_insert_with(|| Pool::retired(record.provider.clone()));
        pool.count_in(&record);
        let config = Arc::clone(&pool.config);
        let vm = Vm::recovered(record.clone(), config, self.moment(), self.spec.restart_grace);
        if let (Some(node), Some(provider)) = (&record.node, self.providers.get_mut(&record.provider)) {
            // Of two records with one id the younger has the node: the id came back.
            let holder = provider.by_node.get(&node.id).and_then(|holder| self.vms.get(holder));
            if holder.is_none_or(|holder| holder.record.created_at <= record.created_at) {
                provider.by_node.insert(node.id.clone(), record.name.clone());
            }
        }
        self.timers.set(Timer::Vm(record.name.clone()), Some(self.now));
        self.vms.insert(record.name.clone(), vm);
    }

    fn recover_request(&mut self, request: RequestRecord) {
        let due = match &request.status {
            RequestStatus::Waiting => {
                if let Some(pool) = request.pools.first().and_then(|pool| self.pools.get_mut(pool)) {
                    pool.queue.insert(&request);
                }
                Some(request.deadline)
            }
            RequestStatus::Granted { .. } => None,
            RequestStatus::Ended { at, .. } => Some(*at + self.spec.request_memory),
        };
        self.timers.set(Timer::Request(request.id.clone()), due);
        self.requests.insert(request.id.clone(), request);
    }

    /// Drops leases that their VM does not know, and forgets requests whose lease is not recorded; an atomic store never
    /// shows either, so this is for stores edited by hand.
    fn recover_misfits(&mut self) {
        let is_known = |lease: &&Lease| {
            self.vms.get(&lease.vm).is_some_and(|vm| vm.record.lease.as_ref() == Some(&lease.id))
        };
        let unknown: Vec<_> = self.leases.values().filter(|lease| !is_known(lease)).cloned().collect();
        for lease in unknown {
            self.forget_lease(&lease);
        }
        let is_unserved = |request: &&RequestRecord| matches!(&request.status, RequestStatus::Granted { leases } if !leases.iter().any(|lease| self.leases.contains_key(lease)));
        let unserved: Vec<_> = self.requests.values().filter(is_unserved).cloned().collect();
        for request in unserved {
            self.drop_request(&request);
        }
    }

    /// Takes one input, and decides.
    ///
    /// Time that runs backwards counts as standing still.
    pub fn step(&mut self, now: Timestamp, input: Input) -> Step {
        self.now = self.now.max(now);
        // What is due comes first: a renewal at the moment of expiry is too late.
        while let Some(timer) = self.timers.pop_due(self.now) {
            self.fire(timer);
        }
        let answer = match input {
            Input::Acquire(acquire) => self.acquire(*acquire),
            Input::Cancel(request) => self.cancel(&request),
            Input::Renew { lease, fence, ttl } => self.renew(&lease, fence, ttl),
            Input::Release { lease, fence } => self.release(&lease, fence),
            Input::Terminate { vm, only_if, reason } => self.terminate_by_verb(&vm, only_if, &reason),
            Input::Hold { vm, reason, by, time } => self.hold(&vm, &reason, by, time),
            Input::Unhold(vm) => self.unhold(&vm),
            Input::Forget { vm, reason } => self.forget(&vm, &reason),
            Input::Drain { pool, reason } => self.drain(&pool, &reason),
            Input::Undrain(pool) => self.undrain(&pool),
            Input::AcceptLoss(provider) => self.accept_loss(&provider),
            Input::Reconfigure(reconfigure) => self.reconfigure(*reconfigure),
            Input::Done { id, outcome } => {
                self.done(id, outcome);
                Answer::Nothing
            }
            Input::Tick => Answer::Nothing,
        };
        while let Some(pool) = self.touched.pop_first() {
            self.settle(&pool);
        }
        Step { answer, ..std::mem::take(&mut self.out) }
    }

    fn fire(&mut self, timer: Timer) {
        match timer {
            Timer::Lease(lease) => self.expire(&lease),
            Timer::Vm(vm) => self.advance(&vm),
            Timer::Request(request) => self.request_due(&request),
            Timer::Provider(provider) => self.list(&provider),
            Timer::Pool(pool) => {
                self.touched.insert(pool);
            }
        }
    }

    /// Returns when [`Input::Tick`] is due next.
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

    /// Returns all leases, by id.
    pub fn leases(&self) -> impl Iterator<Item = &Lease> {
        self.leases.values()
    }

    /// Returns all requests that are waiting or remembered, by id.
    pub fn requests(&self) -> impl Iterator<Item = &RequestRecord> {
        self.requests.values()
    }

    /// Returns the pools, by name; those of records whose pool left the configuration, too.
    #[must_use]
    pub fn pools(&self) -> Vec<PoolView> {
        self.pools.iter().map(|(name, pool)| pool.view(name)).collect()
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
        fill(&mut event);
        self.out.events.push(event);
    }

    /// Returns 10 random characters that fit a host name and are easy to read aloud.
    pub(crate) fn suffix(&mut self) -> String {
        const ALPHABET: &[u8] = b"abcdefghjkmnpqrstuvwxyz23456789";
        (0..10).map(|_| char::from(ALPHABET[self.rng.usize(..ALPHABET.len())])).collect()
    }
}
