//! What happened so far, counted.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    time::Duration,
};

use vmpool::{
    model::{
        Change, Event, EventKind, PoolName, ProviderName, RequestRecord, Timestamp, VmName, config::HookKind,
    },
    store::Batch,
};

use super::histogram::{Histogram, QUICK, SLOW};

/// What happened so far.
#[derive(Debug)]
pub(super) struct Numbers {
    pub(super) events: BTreeMap<&'static str, u64>,
    pub(super) pools: BTreeMap<PoolName, OfPool>,
    pub(super) orphans_found: BTreeMap<ProviderName, u64>,
    pub(super) checks: BTreeMap<(PoolName, &'static str), Histogram>,
    pub(super) hooks: BTreeMap<(PoolName, HookKind, &'static str), Histogram>,
    pub(super) commits: Histogram,
    pub(super) failed_commits: u64,
    pub(super) acquires: BTreeMap<&'static str, Histogram>,
    pub(super) answers: BTreeMap<(&'static str, String, u16), u64>,
    pub(super) answer_times: BTreeMap<(&'static str, String), Histogram>,
    /// The VMs that are starting, and since when.
    starting: HashMap<VmName, Timestamp>,
}

/// What happened so far in one pool.
#[derive(Debug)]
pub(super) struct OfPool {
    pub(super) events: BTreeMap<&'static str, u64>,
    pub(super) waits: Histogram,
    pub(super) starts: Histogram,
}

/// What a batch is about, as far as it is counted: taken before the batch is given away.
#[derive(Debug, Clone, Default)]
pub(crate) struct Happened {
    events: Vec<(EventKind, Option<PoolName>, Option<ProviderName>)>,
    /// How long requests waited that were granted, and in which pool.
    waits: Vec<(PoolName, Duration)>,
    /// VMs that begin to start, or do not start any more.
    starts: Vec<(VmName, Option<PoolName>, EventKind, Timestamp)>,
}

impl Happened {
    pub(crate) fn of(batch: &Batch) -> Self {
        let mut happened = Self::default();
        let mut granted = HashSet::new();
        let requests = batch.changes.iter().filter_map(|change| match change {
            Change::PutRequest(request) => Some((&request.id, &**request)),
            _ => None,
        });
        let requests: HashMap<_, &RequestRecord> = requests.collect();
        for Event { at, kind, pool, provider, vm, request, .. } in &batch.events {
            happened.events.push((*kind, pool.clone(), provider.clone()));
            match (kind, vm, pool, request) {
                (EventKind::LeaseGranted, _, Some(pool), Some(id)) => {
                    let request = requests.get(id).filter(|_| granted.insert(id.clone()));
                    let wait = request.map(|request| at.since(request.submitted_at));
                    happened.waits.extend(wait.map(|wait| (pool.clone(), wait)));
                }
                (
                    EventKind::VmSpawning
                    | EventKind::VmReady
                    | EventKind::SpawnFailed
                    | EventKind::VmHeld
                    | EventKind::VmTerminating
                    | EventKind::VmGone
                    | EventKind::VmForgotten,
                    Some(vm),
                    ..,
                ) => happened.starts.push((vm.clone(), pool.clone(), *kind, *at)),
                _ => {}
            }
        }
        happened
    }
}

impl Default for Numbers {
    fn default() -> Self {
        Self {
            events: BTreeMap::new(),
            pools: BTreeMap::new(),
            orphans_found: BTreeMap::new(),
            checks: BTreeMap::new(),
            hooks: BTreeMap::new(),
            commits: Histogram::new(QUICK),
            failed_commits: 0,
            acquires: BTreeMap::new(),
            answers: BTreeMap::new(),
            answer_times: BTreeMap::new(),
            starting: HashMap::new(),
        }
    }
}

impl Numbers {
    pub(super) fn commit(&mut self, took: Duration, happened: Option<&Happened>) {
        let Some(happened) = happened else {
            self.failed_commits += 1;
            return;
        };
        self.commits.observe(took);
        for (kind, pool, provider) in &happened.events {
            *self.events.entry(kind.as_str()).or_default() += 1;
            if let (EventKind::OrphanFound, Some(provider)) = (kind, provider) {
                *self.orphans_found.entry(provider.clone()).or_default() += 1;
            }
            // A token of somebody else may name any pool.
            let is_ours = !matches!(
                kind,
                EventKind::OrphanFound | EventKind::OrphanDestroyed | EventKind::StrangerSeen
            );
            if let Some(pool) = pool.as_ref().filter(|_| is_ours) {
                *self.pool(pool).events.entry(kind.as_str()).or_default() += 1;
            }
        }
        for (pool, wait) in &happened.waits {
            self.pool(pool).waits.observe(*wait);
        }
        for (vm, pool, kind, at) in &happened.starts {
            match kind {
                EventKind::VmSpawning => drop(self.starting.insert(vm.clone(), *at)),
                kind => {
                    let since = self.starting.remove(vm).filter(|_| *kind == EventKind::VmReady);
                    if let (Some(since), Some(pool)) = (since, pool) {
                        self.pool(pool).starts.observe(at.since(since));
                    }
                }
            }
        }
    }

    pub(super) fn answer(&mut self, method: &'static str, route: &str, status: u16, took: Duration) {
        *self.answers.entry((method, route.to_owned(), status)).or_default() += 1;
        let times = self.answer_times.entry((method, route.to_owned()));
        times.or_insert_with(|| Histogram::new(QUICK)).observe(took);
        if (method, route) == ("POST", vmpool_api::routes::LEASES) {
            let outcome = match status {
                200 => "granted",
                202 => "waiting",
                _ => "refused",
            };
            self.acquires.entry(outcome).or_insert_with(|| Histogram::new(QUICK)).observe(took);
        }
    }

    pub(super) fn check(&mut self, pool: &PoolName, outcome: &'static str, took: Duration) {
        self.checks.entry((pool.clone(), outcome)).or_insert_with(|| Histogram::new(SLOW)).observe(took);
    }

    pub(super) fn hook(&mut self, pool: &PoolName, hook: HookKind, outcome: &'static str, took: Duration) {
        let times = self.hooks.entry((pool.clone(), hook, outcome));
        times.or_insert_with(|| Histogram::new(SLOW)).observe(took);
    }

    /// Returns how many events of a kind there were.
    pub(super) fn events_of(&self, kind: EventKind) -> u64 {
        self.events.get(kind.as_str()).copied().unwrap_or_default()
    }

    fn pool(&mut self, pool: &PoolName) -> &mut OfPool {
        self.pools.entry(pool.clone()).or_insert_with(|| OfPool {
            events: BTreeMap::new(),
            waits: Histogram::new(SLOW),
            starts: Histogram::new(SLOW),
        })
    }
}

impl OfPool {
    /// Returns how many events of a kind there were.
    pub(super) fn events_of(&self, kind: EventKind) -> u64 {
        self.events.get(kind.as_str()).copied().unwrap_or_default()
    }
}
