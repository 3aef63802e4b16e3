//! What a manager is about, beside its records.

use std::{sync::Arc, time::Duration};

use vmpool_engine::{Engine, Reconfigure, Spec};
use vmpool_model::{InstallationId, Timestamp};
use vmpool_store::{Claim, Snapshot, Store};

use crate::{
    setup::{Drivers, Setup, configs},
    withheld::Withheld,
};

/// What a manager is about, beside its records.
#[derive(Debug)]
pub(crate) struct Domain {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) holder: String,
    pub(crate) installation: InstallationId,
    pub(crate) seed: u64,
    /// What there is to manage; a new one takes its place as a whole.
    pub(crate) setup: Setup,
    /// The providers that were taken out of it, and have VMs that are not proven gone.
    pub(crate) retired: Drivers,
    pub(crate) restart_grace: Option<Duration>,
    pub(crate) shutdown_grace: Duration,
    /// How often the invariants of the engine are checked.
    pub(crate) check_every: Option<Duration>,
}

impl Domain {
    /// Makes an engine of the records; the claim's fence tells it from all engines before.
    ///
    /// What the engine is not told comes beside it.
    pub(crate) fn engine(&self, claim: &Claim, snapshot: Snapshot, now: Timestamp) -> (Engine, Withheld) {
        // Another seed for each engine: the names that the last one chose but could not write are not chosen again.
        let seed = self.seed.rotate_left(17) ^ claim.fence.0;
        let mut spec = Spec::new(self.installation.clone(), claim.fence.0, seed);
        let Reconfigure { pools, providers, limits } = self.setup.reconfigure();
        (spec.pools, spec.providers, spec.limits) = (pools, providers, limits);
        spec.retired = configs(&self.retired);
        if let Some(restart_grace) = self.restart_grace {
            spec.restart_grace = restart_grace;
        }
        let (records, withheld) = Withheld::from(snapshot);
        (Engine::recover(spec, records, now), withheld)
    }

    /// Puts another setup in the place of the one there is; providers that are not in it any more can still be asked.
    pub(crate) fn replace(&mut self, setup: Setup) {
        let before = std::mem::replace(&mut self.setup, setup).providers;
        self.retired.extend(before);
        self.retired.retain(|name, _| !self.setup.providers.contains_key(name));
    }

    /// Forgets the drivers of providers that the engine has nothing left to do at; returns whether there were any.
    pub(crate) fn drop_retired(&mut self, engine: &Engine) -> bool {
        let before = self.retired.len();
        self.retired.retain(|name, _| engine.knows_provider(name));
        self.retired.len() < before
    }

    /// Returns all providers that can be asked: those of the setup, and those that were taken out of it and have VMs.
    pub(crate) fn drivers(&self) -> Drivers {
        let all = self.setup.providers.iter().chain(&self.retired);
        all.map(|(name, known)| (name.clone(), known.clone())).collect()
    }
}
