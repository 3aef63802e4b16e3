//! A clock that never runs backwards and never starts before the records.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use vmpool_model::Timestamp;
use vmpool_store::Snapshot;

use crate::Clock;

/// Makes any clock steady: it goes on from the newest time in the records, and never back.
#[derive(Debug, Clone)]
pub(crate) struct SteadyClock {
    clock: Arc<dyn Clock>,
    ahead: std::time::Duration,
    latest: Arc<AtomicI64>,
}

impl SteadyClock {
    /// Goes on from `newest` if the clock is behind it.
    pub(crate) fn new(clock: Arc<dyn Clock>, newest: Timestamp) -> Self {
        let ahead = newest.since(clock.now());
        Self { clock, ahead, latest: Arc::new(AtomicI64::new(newest.as_millis())) }
    }

    /// Returns the time.
    pub(crate) fn now(&self) -> Timestamp {
        let now = self.clock.now() + self.ahead;
        let latest = self.latest.fetch_max(now.as_millis(), Ordering::Relaxed);
        now.max(Timestamp::from_millis(latest))
    }
}

/// Returns the newest time at which something recorded happened; what is still to come does not count.
pub(crate) fn of(snapshot: &Snapshot) -> Timestamp {
    let vms = snapshot.vms.iter().flat_map(|vm| {
        [Some(vm.since), Some(vm.created_at), vm.last_check, vm.last_release].into_iter().flatten()
    });
    let leases = snapshot.leases.iter().map(|lease| lease.acquired_at);
    let requests = snapshot.requests.iter().map(|request| match request.status.over_at() {
        Some(at) => at.max(request.submitted_at),
        None => request.submitted_at,
    });
    vms.chain(leases).chain(requests).max().unwrap_or_default()
}
