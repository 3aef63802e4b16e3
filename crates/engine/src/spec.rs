//! What an engine is told once: its pools, its providers, and who it is.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use vmpool_model::{
    InstallationId, Lease, PoolName, PoolRecord, ProviderName, RequestRecord, Timestamp, VmName, VmRecord,
    config::{LimitsConfig, PoolConfig, ProviderConfig},
};

/// What an engine is told once.
#[derive(Debug, Clone)]
pub struct Spec {
    /// The installation: it marks every node.
    pub installation: InstallationId,
    /// A number that grows with every start (the fence of the ownership claim): leases and requests
    /// are numbered from it, so their numbers grow across restarts.
    pub epoch: u64,
    /// Where random choices (names, jitter) come from.
    pub seed: u64,
    /// The pools.
    pub pools: BTreeMap<PoolName, PoolConfig>,
    /// The providers.
    pub providers: BTreeMap<ProviderName, ProviderConfig>,
    /// Providers that left the configuration and can still be asked: their VMs come to their ends.
    pub retired: BTreeMap<ProviderName, ProviderConfig>,
    /// What owners may have.
    pub limits: LimitsConfig,
    /// How long all leases last at least after a start: holders get time to reconnect.
    pub restart_grace: Duration,
    /// For how long an ended request is remembered, so that repeating it is recognized.
    pub request_memory: Duration,
    /// How many ended requests are remembered at most; the oldest are forgotten first.
    pub max_remembered: usize,
}

impl Spec {
    /// Makes the spec of an installation without pools.
    #[must_use]
    pub fn new(installation: InstallationId, epoch: u64, seed: u64) -> Self {
        Self {
            installation,
            epoch,
            seed,
            pools: BTreeMap::new(),
            providers: BTreeMap::new(),
            retired: BTreeMap::new(),
            limits: LimitsConfig::default(),
            restart_grace: Duration::from_secs(30),
            request_memory: Duration::from_secs(600),
            max_remembered: 100_000,
        }
    }
}

/// All records that an engine starts from.
#[derive(Debug, Clone, Default)]
pub struct Records {
    /// The VM records.
    pub vms: Vec<VmRecord>,
    /// The leases.
    pub leases: Vec<Lease>,
    /// The requests.
    pub requests: Vec<RequestRecord>,
    /// What is remembered of pools.
    pub pools: Vec<PoolRecord>,
    /// VMs whose records exist and cannot be read: they count with their pools, and their nodes are left alone.
    pub unreadable: BTreeSet<VmName>,
    /// Pools whose records exist and cannot be read: these are never written over.
    pub unreadable_pools: BTreeSet<PoolName>,
}

impl Records {
    /// Returns the newest time at which VMs, leases and requests were certainly recorded, renewals included.
    pub(crate) fn newest(&self) -> Timestamp {
        let vms = self.vms.iter().flat_map(|vm| {
            [Some(vm.since), Some(vm.created_at), vm.last_check, vm.last_release].into_iter().flatten()
        });
        let renewed = |lease: &Lease| {
            let ttl = i64::try_from(lease.ttl.as_millis()).unwrap_or(i64::MAX);
            Timestamp::from_millis(lease.expires_at.as_millis().saturating_sub(ttl))
        };
        let leases = self.leases.iter().flat_map(|lease| [lease.acquired_at, renewed(lease)]);
        let requests = self.requests.iter().map(|request| match request.status.over_at() {
            Some(at) => at.max(request.submitted_at),
            None => request.submitted_at,
        });
        vms.chain(leases).chain(requests).max().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use vmpool_model::{RequestId, RequestStatus};

    use super::*;
    use crate::sample::{owner, pool};

    #[test]
    fn the_end_of_a_request_may_be_the_newest_that_is_recorded() {
        let at = Timestamp::from_millis;
        let newest = |status| {
            let request = RequestRecord {
                id: RequestId::new("r1").unwrap(),
                pools: vec![pool("a")],
                labels: BTreeSet::new(),
                count: 1,
                priority: 0,
                owner: owner("ann"),
                sandbox: None,
                task: None,
                ttl: Duration::from_secs(60),
                submitted_at: at(5),
                order: 1,
                deadline: at(99),
                until: None,
                at_once: false,
                status,
            };
            Records { requests: vec![request], ..Records::default() }.newest()
        };
        assert_eq!(newest(RequestStatus::Waiting), at(5));
        assert_eq!(newest(RequestStatus::Cancelled { at: at(9), by: None }), at(9));
    }
}
