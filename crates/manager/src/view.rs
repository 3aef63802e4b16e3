//! What the manager shows of itself.

use std::{collections::BTreeMap, net::IpAddr};

use vmpool_engine::{Outcome, PoolView, ProviderView};
use vmpool_model::{
    InstallationId, Lease, PoolName, ProviderName, RecordState, RequestRecord, TaskId, Timestamp, VmName,
    VmRecord,
    config::{PoolConfig, ProviderConfig},
};

use crate::{EventStream, Notice, domain::Domain, lookup, notice::notices, setup::Seen};

/// Everything that the manager knows, at one moment between two commits.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct View {
    /// The installation.
    pub installation: InstallationId,
    /// When this was seen, on the manager's clock.
    pub now: Timestamp,
    /// The pools, by name.
    pub pools: Vec<PoolStatus>,
    /// The providers, by name.
    pub providers: Vec<ProviderStatus>,
    /// The VM records, by name.
    pub vms: Vec<VmRecord>,
    /// The leases, by id.
    pub leases: Vec<Lease>,
    /// The requests that wait or are remembered, by id.
    pub requests: Vec<RequestRecord>,
    /// What an operator should know.
    pub notices: Vec<Notice>,
}

/// A pool and how it was configured.
#[derive(Debug, Clone, PartialEq)]
pub struct PoolStatus {
    /// The pool as it is.
    pub pool: PoolView,
    /// The pool as it was configured; `None` if it left the configuration.
    pub config: Option<PoolConfig>,
}

/// A provider and how it answers.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ProviderStatus {
    /// The provider.
    pub name: ProviderName,
    /// The provider as decisions know it.
    pub provider: ProviderView,
    /// The provider as it was configured.
    pub config: ProviderConfig,
    /// What its driver speaks to, without credentials.
    pub endpoint: String,
    /// When it was last listed, completely or in part.
    pub listed_at: Option<Timestamp>,
    /// How many nodes that listing held, foreign ones included.
    pub nodes: usize,
    /// Why its last listing failed or may lack nodes; `None` if it was complete.
    pub problem: Option<String>,
    /// Whether it says by itself when something changes; `None` if its driver was not told to listen, or cannot.
    pub events: Option<EventStream>,
}

/// What the last listing of each provider said.
pub(crate) type Listings = BTreeMap<ProviderName, LastListing>;

/// What the last listing of a provider said.
#[derive(Debug, Clone, Default)]
pub(crate) struct LastListing {
    at: Option<Timestamp>,
    pub(crate) nodes: usize,
    problem: Option<String>,
}

/// Notes what a listing said, if the outcome is that of one.
pub(crate) fn note(listings: &mut Listings, outcome: &Outcome, now: Timestamp) {
    let Outcome::Listed { provider, result } = outcome else { return };
    let last = listings.entry(provider.clone()).or_default();
    match result {
        Ok(listed) => {
            last.at = Some(now);
            last.nodes = listed.nodes.len();
            let lacks = |why: &String| format!("the last listing may lack nodes: {why}");
            last.problem = listed.incomplete.as_ref().map(lacks);
        }
        Err(failure) => last.problem = Some(failure.to_string()),
    }
}

impl View {
    /// Returns the record of a VM.
    #[must_use]
    pub fn vm(&self, name: &VmName) -> Option<&VmRecord> {
        let place = self.vms.binary_search_by(|vm| vm.name.cmp(name)).ok()?;
        self.vms.get(place)
    }

    /// Returns the VMs whose node has an address, by name; several may while an address changes hands.
    pub fn vms_with_address(&self, address: IpAddr) -> impl Iterator<Item = &VmRecord> {
        lookup::with_address(self.vms.iter(), address)
    }

    /// Returns the VM that is leased for a task; that of the oldest lease if there are several.
    #[must_use]
    pub fn vm_of_task(&self, task: &TaskId) -> Option<&VmRecord> {
        self.vm(lookup::of_task(self.leases.iter(), task)?)
    }

    /// Returns the VMs of a pool, of all pools if `None`, that are in one of some states, by name.
    pub fn vms_in(&self, pool: Option<&PoolName>, states: &[RecordState]) -> impl Iterator<Item = &VmRecord> {
        lookup::in_states(self.vms.iter(), pool, states)
    }

    /// Shows what the loop of a domain knows. It copies every record.
    pub(crate) fn of(seen: Seen<'_>, now: Timestamp) -> Self {
        let _span = tracing::trace_span!("view").entered();
        let Seen { domain, engine, withheld, .. } = seen;
        Self {
            installation: domain.installation.clone(),
            now,
            pools: seen.pools(),
            providers: seen.providers(),
            vms: engine.vms().cloned().collect(),
            leases: engine.leases().cloned().collect(),
            requests: engine.requests().cloned().collect(),
            notices: notices(domain, engine, withheld),
        }
    }
}

impl Seen<'_> {
    /// Shows all pools, by name.
    pub(crate) fn pools(self) -> Vec<PoolStatus> {
        self.engine.pools().into_iter().map(|pool| self.pool_status(pool)).collect()
    }

    /// Shows one pool.
    pub(crate) fn pool(self, name: &PoolName) -> Option<PoolStatus> {
        self.engine.pool(name).map(|pool| self.pool_status(pool))
    }

    /// Shows all providers, by name.
    pub(crate) fn providers(self) -> Vec<ProviderStatus> {
        let providers = self.engine.providers().into_iter();
        providers.filter_map(|provider| self.provider_status(provider)).collect()
    }

    /// Shows one provider.
    pub(crate) fn provider(self, name: &ProviderName) -> Option<ProviderStatus> {
        self.provider_status(self.engine.provider(name)?)
    }

    fn pool_status(self, pool: PoolView) -> PoolStatus {
        let config = self.domain.setup.pools.get(&pool.name).cloned();
        PoolStatus { pool, config }
    }

    fn provider_status(self, provider: ProviderView) -> Option<ProviderStatus> {
        let Domain { setup, retired, .. } = self.domain;
        let mut known = [&setup.providers, retired].into_iter();
        let (config, driver) = known.find_map(|known| known.get(&provider.name))?;
        let LastListing { at, nodes, problem } =
            self.listings.get(&provider.name).cloned().unwrap_or_default();
        Some(ProviderStatus {
            name: provider.name.clone(),
            config: config.clone(),
            endpoint: driver.info().endpoint.clone(),
            events: self.hints.stream(&provider.name).cloned(),
            provider,
            listed_at: at,
            nodes,
            problem,
        })
    }
}
