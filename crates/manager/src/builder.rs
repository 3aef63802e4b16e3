//! Saying what to manage.

use std::{
    hash::{BuildHasher, Hasher, RandomState},
    sync::Arc,
    time::Duration,
};

use vmpool_driver::Driver;
use vmpool_model::{
    DomainName, InstallationId, PoolName, ProviderName,
    config::{LimitsConfig, PoolConfig, ProviderConfig},
};
use vmpool_store::Store;

use crate::{
    Checker, Clock, CommandHooks, HookRunner, Manager, NetworkChecker, StartError,
    setup::{Setup, Tools},
};

/// Says what to manage; made by [`Manager::builder`].
#[derive(Debug)]
#[must_use]
pub struct ManagerBuilder {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) setup: Setup,
    pub(crate) tools: Tools,
    pub(crate) clock: Option<Arc<dyn Clock>>,
    pub(crate) seed: u64,
    pub(crate) installation: Option<InstallationId>,
    pub(crate) domain: Option<DomainName>,
    pub(crate) holder: String,
    pub(crate) restart_grace: Option<Duration>,
    pub(crate) shutdown_grace: Duration,
    pub(crate) check_every: Option<Duration>,
}

impl ManagerBuilder {
    pub(crate) fn new(store: Arc<dyn Store>) -> Self {
        Self {
            store,
            setup: Setup::default(),
            tools: Tools { checker: Arc::new(NetworkChecker::new()), hooks: Arc::new(CommandHooks::new()) },
            clock: None,
            // The hasher's keys are what std takes from the system's source of randomness.
            seed: RandomState::new().build_hasher().finish(),
            installation: None,
            domain: None,
            holder: format!("process {}", std::process::id()),
            restart_grace: None,
            // Short enough for an upgrade to take less than five seconds, the close of the store included.
            shutdown_grace: Duration::from_secs(3),
            check_every: None,
        }
    }

    /// Adds a provider; one of the same name is replaced.
    pub fn provider(mut self, name: ProviderName, config: ProviderConfig, driver: Arc<dyn Driver>) -> Self {
        self.setup.providers.insert(name, (config, driver));
        self
    }

    /// Adds a pool; one of the same name is replaced.
    pub fn pool(mut self, name: PoolName, config: PoolConfig) -> Self {
        self.setup.pools.insert(name, config);
        self
    }

    /// Says what owners may have over all pools. Default: no limits.
    pub fn limits(mut self, limits: LimitsConfig) -> Self {
        self.setup.limits = limits;
        self
    }

    /// Brings your own health checks. Default: [`NetworkChecker`].
    pub fn checker(mut self, checker: Arc<dyn Checker>) -> Self {
        self.tools.checker = checker;
        self
    }

    /// Brings your own runner of hooks. Default: [`CommandHooks`].
    pub fn hooks(mut self, hooks: Arc<dyn HookRunner>) -> Self {
        self.tools.hooks = hooks;
        self
    }

    /// Brings your own time. Default: [`SystemClock`](crate::SystemClock), anchored at the start.
    pub fn clock(self, clock: Arc<dyn Clock>) -> Self {
        Self { clock: Some(clock), ..self }
    }

    /// Sets where random choices come from, so that they can be repeated. Default: the system's randomness.
    pub fn seed(self, seed: u64) -> Self {
        Self { seed, ..self }
    }

    /// Names the installation. Default: the one in the store; a new store gets one made up from the seed.
    pub fn installation(self, installation: InstallationId) -> Self {
        Self { installation: Some(installation), ..self }
    }

    /// Names the domain. Default: `default`.
    pub fn domain(self, domain: DomainName) -> Self {
        Self { domain: Some(domain), ..self }
    }

    /// Says for people who owns the domain, such as a host and a process id. Default: the process id.
    pub fn holder(self, holder: impl Into<String>) -> Self {
        Self { holder: holder.into(), ..self }
    }

    /// Sets how long all leases last at least after the start. Default: 30 s.
    pub fn restart_grace(self, restart_grace: Duration) -> Self {
        Self { restart_grace: Some(restart_grace), ..self }
    }

    /// Sets how long a shutdown waits for calls to providers. Default: 3 s.
    pub fn shutdown_grace(self, shutdown_grace: Duration) -> Self {
        Self { shutdown_grace, ..self }
    }

    /// Checks all invariants of the engine before each commit; for tests and for those who hunt a bug, since it takes a look at
    /// every record.
    ///
    /// A manager whose invariants do not hold commits nothing and stops with [`StopError::Broken`](crate::StopError::Broken).
    pub fn check_invariants(self) -> Self {
        self.check_invariants_every(Duration::ZERO)
    }

    /// Checks all invariants as [`check_invariants`](Self::check_invariants) does, but no oftener than once per `period`: of a
    /// large domain, a check takes longer than many commits.
    pub fn check_invariants_every(self, period: Duration) -> Self {
        Self { check_every: Some(period), ..self }
    }

    /// Takes the domain over, loads its records and starts the loop.
    ///
    /// # Errors
    ///
    /// [`StartError`] if the configuration does not fit or the store cannot be used.
    pub async fn start(self) -> Result<Manager, StartError> {
        crate::start::start(self).await
    }
}
