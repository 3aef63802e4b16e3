//! What stays the same while a manager runs.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use vmpool_engine::{Engine, Records, Spec};
use vmpool_model::{
    InstallationId, PoolName, ProviderName, Timestamp,
    config::{LimitsConfig, PoolConfig, ProviderConfig},
};
use vmpool_store::{Claim, Snapshot, Store};

/// What stays the same while a manager runs.
#[derive(Debug)]
pub(crate) struct Domain {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) holder: String,
    pub(crate) installation: InstallationId,
    pub(crate) seed: u64,
    pub(crate) pools: BTreeMap<PoolName, PoolConfig>,
    pub(crate) limits: LimitsConfig,
    /// The providers, with what their drivers speak to.
    pub(crate) providers: BTreeMap<ProviderName, (ProviderConfig, String)>,
    pub(crate) restart_grace: Option<Duration>,
    pub(crate) shutdown_grace: Duration,
}

impl Domain {
    /// Makes an engine of the records; the claim's fence tells it from all engines before.
    pub(crate) fn engine(&self, claim: &Claim, snapshot: Snapshot, now: Timestamp) -> Engine {
        // Another seed for each engine: the names that the last one chose but could not write are not chosen again.
        let seed = self.seed.rotate_left(17) ^ claim.fence.0;
        let mut spec = Spec::new(self.installation.clone(), claim.fence.0, seed);
        spec.pools = self.pools.clone();
        spec.limits = self.limits.clone();
        spec.providers =
            self.providers.iter().map(|(name, (config, _))| (name.clone(), config.clone())).collect();
        if let Some(restart_grace) = self.restart_grace {
            spec.restart_grace = restart_grace;
        }
        let Snapshot { vms, leases, requests, pools, .. } = snapshot;
        Engine::recover(spec, Records { vms, leases, requests, pools, ..Records::default() }, now)
    }
}
