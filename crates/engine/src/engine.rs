//! The engine: the records of a domain, and one step at a time.

use std::collections::BTreeMap;

use vmpool_model::{
    Lease, LeaseId, PoolName, RecordState, RequestId, RequestRecord, Timestamp, VmName, VmRecord,
};

use crate::{Input, Records, Spec, Step};

/// The decisions of one domain.
#[derive(Debug)]
pub struct Engine {
    spec: Spec,
    vms: BTreeMap<VmName, VmRecord>,
    leases: BTreeMap<LeaseId, Lease>,
    requests: BTreeMap<RequestId, RequestRecord>,
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
    /// Until when spawning pauses after failures.
    pub paused_until: Option<Timestamp>,
    /// The last thing that went wrong with spawning; `None` once a spawn succeeded.
    pub problem: Option<String>,
}

impl Engine {
    /// Makes an engine of the records, new or after a crash.
    #[must_use]
    pub fn recover(spec: Spec, records: Records, now: Timestamp) -> Self {
        let _ = now;
        Self {
            spec,
            vms: records.vms.into_iter().map(|vm| (vm.name.clone(), vm)).collect(),
            leases: records.leases.into_iter().map(|lease| (lease.id.clone(), lease)).collect(),
            requests: records.requests.into_iter().map(|request| (request.id.clone(), request)).collect(),
        }
    }

    /// Takes one input at a time that does not run backwards, and decides.
    pub fn step(&mut self, now: Timestamp, input: Input) -> Step {
        let _ = (now, input);
        Step::default()
    }

    /// Returns when [`Input::Tick`] is due next.
    #[must_use]
    pub fn wake_at(&self) -> Option<Timestamp> {
        None
    }

    /// Returns what the engine was told.
    #[must_use]
    pub fn spec(&self) -> &Spec {
        &self.spec
    }

    /// Returns all VM records, by name.
    pub fn vms(&self) -> impl Iterator<Item = &VmRecord> {
        self.vms.values()
    }

    /// Returns all leases, by id.
    pub fn leases(&self) -> impl Iterator<Item = &Lease> {
        self.leases.values()
    }

    /// Returns all requests that are waiting or remembered, by id.
    pub fn requests(&self) -> impl Iterator<Item = &RequestRecord> {
        self.requests.values()
    }

    /// Returns the pools, by name.
    #[must_use]
    pub fn pools(&self) -> Vec<PoolView> {
        Vec::new()
    }
}
