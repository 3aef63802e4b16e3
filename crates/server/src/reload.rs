//! Reading the configuration again while the daemon runs: all of it holds, or nothing changes.

use std::{
    collections::BTreeMap,
    fmt::Display,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
};

use tokio::sync::Mutex;
use vmpool::{
    driver::{OpenError, Registry},
    drivers,
    manager::{Drivers, ManagerError, ManagerHandle, Refusal},
    model::{Owner, ProviderName},
};
use vmpool_api::Reloaded;

use crate::{
    AccessError, Config, ConfigError,
    access::{Access, LocalKey},
    metrics::Metrics,
    tls::{Shown, Tls},
};

/// Says why the configuration was not changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReloadError {
    /// The file cannot be read, or something in it does not fit.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The driver of a provider that is new or changed cannot be opened.
    #[error("provider {provider}: {source}")]
    Provider {
        /// The provider.
        provider: ProviderName,
        /// Why.
        source: OpenError,
    },
    /// The driver of a provider that is changed keeps something for itself alone, so that it cannot be opened beside itself.
    #[error(
        "provider {provider} is told something else that its driver must be opened anew for, and it cannot be while it is \
         open ({what}): restart the daemon, or leave `driver`, `options`, `request_timeout`, `rate` and `burst` as they were"
    )]
    NeedsRestart {
        /// The provider.
        provider: ProviderName,
        /// What is in use.
        what: String,
    },
    /// The key of this user's clients cannot be made.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// The manager did not take it.
    #[error(transparent)]
    Manager(ManagerError),
    /// Reading it broke off: a fault of the program.
    #[error("reading the configuration broke off: {0}")]
    Broken(String),
}

/// What holds.
#[derive(Debug)]
pub(crate) struct Holds {
    /// The daemon's own keys are those of its start.
    pub(crate) config: Config,
    pub(crate) access: Access,
    pub(crate) tls: Option<Tls>,
    /// Where the daemon listens.
    pub(crate) address: SocketAddr,
}

/// Reads the configuration of a running daemon again; clones do it one after the other.
#[derive(Debug, Clone)]
pub struct Reloader {
    file: PathBuf,
    registry: Registry,
    manager: ManagerHandle,
    holds: Arc<Mutex<Holds>>,
    metrics: Metrics,
}

impl Reloader {
    pub(crate) fn new(
        file: PathBuf,
        registry: Registry,
        manager: ManagerHandle,
        holds: Holds,
        metrics: Metrics,
    ) -> Self {
        Self { file, registry, manager, holds: Arc::new(Mutex::new(holds)), metrics }
    }

    /// Returns the file that is read.
    #[must_use]
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// Reads the file and puts it in place of the configuration that holds; what came of it is logged, too.
    ///
    /// Drivers are opened only for providers that are new, or whose driver is told something else.
    ///
    /// # Errors
    ///
    /// [`ReloadError`], after which the configuration is what it was.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future abandons the answer, not the reload.
    pub async fn reload(&self) -> Result<Reloaded, ReloadError> {
        self.reload_by(None).await
    }

    /// Reads the file as [`reload`](Self::reload) does because the process was sent SIGHUP, which the event log names.
    ///
    /// # Errors
    ///
    /// Those of [`reload`](Self::reload).
    ///
    /// # Cancel safety
    ///
    /// That of [`reload`](Self::reload).
    pub async fn reload_on_hangup(&self) -> Result<Reloaded, ReloadError> {
        self.reload_by(Owner::new("SIGHUP").ok()).await
    }

    /// Reads the file as [`reload`](Self::reload) does, for somebody whose name the event log tells.
    ///
    /// # Errors
    ///
    /// Those of [`reload`](Self::reload).
    ///
    /// # Cancel safety
    ///
    /// That of [`reload`](Self::reload).
    pub async fn reload_by(&self, by: Option<Owner>) -> Result<Reloaded, ReloadError> {
        let reloader = self.clone();
        let reloaded = tokio::spawn(async move { reloader.take(by).await }).await;
        let reloaded = reloaded.unwrap_or_else(|err| Err(ReloadError::Broken(err.to_string())));
        match &reloaded {
            Ok(Reloaded { added, changed, removed, needs_restart, warnings }) => {
                tracing::info!(?added, ?changed, ?removed, "read the configuration again");
                for key in needs_restart {
                    tracing::warn!("{key} says something else now, which holds from the next start");
                }
                for warning in warnings {
                    tracing::warn!("{warning}");
                }
            }
            Err(err) => tracing::error!("the configuration stays what it was: {err}"),
        }
        reloaded
    }

    async fn take(&self, by: Option<Owner>) -> Result<Reloaded, ReloadError> {
        let mut holds = self.holds.lock().await;
        let config = Config::load(&self.file, &self.registry)?;
        let shown = holds.shown(&self.file, &config)?;
        let key = holds.key(&config)?;
        let providers = self.open(&config).await?;
        let manager = self.manager.by(by);
        let taken = manager.reconfigure(config.pools.clone(), providers, config.limits.clone()).await;
        taken.map_err(|err| match err {
            ManagerError::Refused(Refusal::InvalidConfig(misfit)) => {
                let key = format!("{}.{}", misfit.table, misfit.key);
                ConfigError::of_value(&self.file, &key, misfit.reason).into()
            }
            err => ReloadError::Manager(err),
        })?;
        // From here on nothing fails.
        Ok(holds.take(config, shown, key))
    }

    /// Opens what drivers are needed beside those that there are.
    async fn open(&self, config: &Config) -> Result<Drivers, ReloadError> {
        let mut open = self.manager.known_drivers().await.map_err(ReloadError::Manager)?;
        let mut all = Drivers::new();
        for (name, provider) in &config.providers {
            let before = open.remove(name);
            let is_open = before.is_some();
            let cannot_open = |source| match source {
                OpenError::InUse(what) if is_open => {
                    ReloadError::NeedsRestart { provider: name.clone(), what }
                }
                source => ReloadError::Provider { provider: name.clone(), source },
            };
            let driver = match before {
                Some((before, driver)) if drivers::is_same(&before, provider) => driver,
                _ => {
                    let driver = drivers::open(&self.registry, name, provider).await.map_err(cannot_open)?;
                    self.metrics.driver(name, driver)
                }
            };
            all.insert(name.clone(), (provider.clone(), driver));
        }
        Ok(all)
    }
}

impl Holds {
    /// Reads what is shown over TLS from now on; `None` if the daemon speaks none, or is to speak none.
    fn shown(&self, file: &Path, config: &Config) -> Result<Option<Shown>, ConfigError> {
        let (Some(_), Some(tls)) = (&self.tls, &config.daemon.tls) else { return Ok(None) };
        let wrong = |(key, err): (&str, vmpool_tls::TlsError)| {
            ConfigError::of_value(file, &format!("daemon.tls.{key}"), err.to_string())
        };
        Shown::read(tls).map(Some).map_err(wrong)
    }

    /// Leaves a key for this user's clients where loopback is not open any more.
    fn key(&self, config: &Config) -> Result<Option<LocalKey>, AccessError> {
        let is_closed = self.config.access.open_loopback && !config.access.open_loopback;
        (is_closed && self.address.ip().is_loopback()).then(|| LocalKey::leave(self.address)).transpose()
    }

    /// Puts another configuration in place of what holds, and says what is different.
    fn take(&mut self, config: Config, shown: Option<Shown>, key: Option<LocalKey>) -> Reloaded {
        let mut reloaded = compare(&self.config, &config);
        let shows_another = self.tls.as_ref().zip(shown).is_some_and(|(tls, shown)| tls.replace(shown));
        if shows_another
            || (self.config.daemon.tls != config.daemon.tls
                && self.tls.is_some()
                && config.daemon.tls.is_some())
        {
            reloaded.changed.push("daemon.tls".to_owned());
        }
        let Config { limits, providers, pools, access, daemon, .. } = config;
        if access.open_loopback || key.is_some() {
            self.access.take_key(key);
        }
        self.access.replace(access.clone());
        let own = &mut self.config;
        if own.daemon.tls.is_some() && daemon.tls.is_some() {
            own.daemon.tls = daemon.tls;
        }
        (own.limits, own.providers, own.pools, own.access) = (limits, providers, pools, access);
        reloaded
    }
}

/// Says what two configurations differ in.
fn compare(before: &Config, after: &Config) -> Reloaded {
    let mut reloaded = Reloaded { warnings: after.warnings(), ..Reloaded::default() };
    tables("providers", &before.providers, &after.providers, &mut reloaded);
    tables("pools", &before.pools, &after.pools, &mut reloaded);
    if before.limits != after.limits {
        reloaded.changed.push("limits".to_owned());
    }
    if before.access != after.access {
        reloaded.changed.push("access".to_owned());
    }
    // What is not said is what the state directory says.
    let other_installation = after.installation.is_some() && before.installation != after.installation;
    let fixed = [
        ("installation", other_installation),
        ("daemon.socket", before.daemon.socket != after.daemon.socket),
        ("daemon.max_connections", before.daemon.max_connections != after.daemon.max_connections),
        // Whether it speaks TLS, clients are told with its address; with what, can change at any time.
        ("daemon.tls", before.daemon.tls.is_some() != after.daemon.tls.is_some()),
        ("daemon.listen", before.daemon.listen != after.daemon.listen),
        ("daemon.state_dir", before.daemon.state_dir != after.daemon.state_dir),
        ("daemon.log", before.daemon.log != after.daemon.log),
        ("daemon.restart_grace", before.daemon.restart_grace != after.daemon.restart_grace),
        ("daemon.keep_events", before.daemon.keep_events != after.daemon.keep_events),
        ("daemon.keep_events_for", before.daemon.keep_events_for != after.daemon.keep_events_for),
        ("daemon.cache_bytes", before.daemon.cache_bytes != after.daemon.cache_bytes),
    ];
    let differ = fixed.into_iter().filter(|(_, differs)| *differs);
    reloaded.needs_restart = differ.map(|(key, _)| key.to_owned()).collect();
    reloaded
}

fn tables<K: Ord + Display, V: PartialEq>(
    group: &str,
    before: &BTreeMap<K, V>,
    after: &BTreeMap<K, V>,
    reloaded: &mut Reloaded,
) {
    for (name, value) in after {
        let table = format!("{group}.{name}");
        match before.get(name) {
            None => reloaded.added.push(table),
            Some(other) if other != value => reloaded.changed.push(table),
            Some(_) => {}
        }
    }
    let removed = before.keys().filter(|name| !after.contains_key(*name));
    reloaded.removed.extend(removed.map(|name| format!("{group}.{name}")));
}
