//! A running daemon: listener, store, drivers, manager and HTTP API.

use std::{
    future::Future, io, net::SocketAddr, os::unix::fs::MetadataExt as _, path::PathBuf, sync::Arc,
    time::Duration,
};

use tokio::{net::TcpListener, sync::watch, task, time::timeout};
use vmpool::{
    driver::Registry,
    drivers,
    manager::{Clock, Manager, ManagerHandle, SystemClock},
    store::{SledOptions, SledStore, Store, StoreError},
};

use crate::{
    Config, DaemonConfig, DaemonError, Reloader,
    access::{Access, LocalKey, Tokens},
    dashboard::{Board, History, Sampler, recall},
    http::Api,
    listen::{Listeners, Socket},
    metrics::{MeasuredChecks, MeasuredHooks, Metrics},
    observe::{ObservedStore, Watched},
    reload::Holds,
    tls::{Shown, Tls},
};

/// How long an acquire holds a connection before it answers that the request still waits.
const HOLD: Duration = Duration::from_secs(30);

/// The file of the tokens in the state directory.
const TOKENS: &str = "tokens.json";

/// How long a stop waits for connections.
const STOP_GRACE: Duration = Duration::from_secs(5);

/// A daemon that has opened everything and listens; [`run`](Self::run) serves.
///
/// # Examples
///
/// ```
/// use vmpool_server::{Config, Daemon};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let directory = tempfile::tempdir()?;
/// let registry = vmpool::drivers::builtin();
/// let mut config = Config::parse("[daemon]\nlisten = \"127.0.0.1:0\"", "vmpool.toml", &registry)?;
/// # config.daemon.state_dir = directory.path().join("state");
/// let daemon = Daemon::start(config, &registry).await?;
/// println!("http://{}", daemon.address());
/// daemon.run(async { /* ends when the daemon is to stop */ }).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "a daemon serves only while it runs"]
pub struct Daemon {
    address: SocketAddr,
    listeners: Listeners,
    manager: Manager,
    watched: Watched,
    access: Access,
    state_dir: Option<PathBuf>,
    hold: Duration,
    /// What holds, for whoever reads it again.
    config: Config,
    reloader: Option<Reloader>,
}

impl Daemon {
    /// Listens, opens the records in the state directory and the drivers, and starts the manager.
    ///
    /// The address comes first: a second daemon by mistake touches nothing.
    ///
    /// # Errors
    ///
    /// [`DaemonError`], which says what could not be opened and what to do.
    pub async fn start(config: Config, registry: &Registry) -> Result<Self, DaemonError> {
        let listeners = listen(&config).await?;
        let state_dir = config.daemon.state_dir.clone();
        let store = open_store(&config.daemon).await?;
        Self::open(config, registry, listeners, store, Some(state_dir)).await
    }

    /// Starts with a store of your own; the `state_dir` of the configuration is not used, and tokens end with the daemon.
    ///
    /// # Errors
    ///
    /// [`DaemonError`], which says what could not be opened and what to do.
    pub async fn start_with_store(
        config: Config,
        registry: &Registry,
        store: Arc<dyn Store>,
    ) -> Result<Self, DaemonError> {
        let listeners = listen(&config).await?;
        Self::open(config, registry, listeners, store, None).await
    }

    /// Sets how long an acquire holds a connection before it answers that the request still waits; 30 s if not set.
    pub fn with_hold(self, hold: Duration) -> Self {
        Self { hold, ..self }
    }

    /// Says which file the configuration is from, so that it can be read again while the daemon runs; `registry` opens the
    /// drivers of providers that are new then.
    pub fn with_config_file(self, file: impl Into<PathBuf>, registry: &Registry) -> Self {
        let manager = self.manager.handle();
        let metrics = self.watched.metrics.clone();
        let holds = Holds {
            config: self.config.clone(),
            access: self.access.clone(),
            tls: self.listeners.tls.clone(),
            address: self.address,
        };
        let reloader = Reloader::new(file.into(), registry.clone(), manager, holds, metrics);
        Self { reloader: Some(reloader), ..self }
    }

    /// Returns what reads the configuration again; `None` if it is not said [which file](Self::with_config_file) it is from.
    #[must_use]
    pub fn reloader(&self) -> Option<Reloader> {
        self.reloader.clone()
    }

    /// Returns the address that the daemon listens on, with the port that it took if it was told 0.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the address as clients are told it: `https://` with TLS, `http://` without.
    #[must_use]
    pub fn url(&self) -> String {
        let scheme = if self.listeners.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }

    /// Returns the key that clients of the user of this process find by themselves, and may do everything with while the
    /// daemon runs; `None` if it listens on no loopback address, or asks nobody there.
    #[must_use]
    pub fn local_key(&self) -> Option<String> {
        self.access.local_secret().map(|secret| secret.expose().to_owned())
    }

    /// Returns a handle to speak to the manager with, past the HTTP API.
    #[must_use]
    pub fn manager(&self) -> ManagerHandle {
        self.manager.handle()
    }

    /// Serves until `stop` ends, then stops in good order: whoever waits is told so, and all records are kept.
    ///
    /// # Errors
    ///
    /// [`DaemonError::Stopped`] if the manager ended by itself, for example because another one took its records over.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future is like a crash: what was answered is durable.
    pub async fn run(self, stop: impl Future<Output = ()> + Send) -> Result<(), DaemonError> {
        let Self { listeners, mut manager, watched, access, state_dir, hold, address, reloader, .. } = self;
        let handle = manager.handle();
        let (stopping, stopped) = watch::channel(false);
        let (history, stopping_too) = (watched.history.clone(), stopped.clone());
        task::spawn(Sampler { manager: handle.clone(), history, stopping: stopping_too }.run());
        task::spawn(recall(handle.clone(), watched.board.clone()));
        task::spawn(access.clone().tell_refusals(handle.clone(), stopped.clone()));
        let api = Api::new(handle.clone(), watched, access.clone(), hold, stopped.clone())
            .with(state_dir, reloader);
        let mut server = task::spawn(listeners.serve(api.router(address), stopped));
        tracing::info!(%address, "serving");

        let end = tokio::select! {
            () = stop => Ok(()),
            ended = manager.wait() => ended.map_err(DaemonError::from),
            served = &mut server => return Err(DaemonError::Serve { source: broke_off(served) }),
        };
        tracing::info!("stopping");
        stopping.send_replace(true);
        handle.shutdown().await;
        if timeout(STOP_GRACE, &mut server).await.is_err() {
            tracing::warn!("some connections did not end in time and are cut off");
            server.abort();
        }
        // Clients find it as long as somebody answers.
        access.take_key(None);
        end
    }

    async fn open(
        config: Config,
        registry: &Registry,
        listeners: Listeners,
        store: Arc<dyn Store>,
        state_dir: Option<PathBuf>,
    ) -> Result<Self, DaemonError> {
        let address = local_address(&listeners.tcp, config.daemon.listen)?;
        let clock = Arc::new(SystemClock::new());
        let tokens = Tokens::open(state_dir.as_ref().map(|folder| folder.join(TOKENS)))?;
        let own_clock = Arc::clone(&clock) as Arc<dyn Clock>;
        let access = Access::new(config.access.clone(), tokens, own_uid(), own_clock);
        match (address.ip().is_loopback(), config.access.open_loopback) {
            (true, false) => access.take_key(Some(LocalKey::leave(address)?)),
            (true, true) => LocalKey::clear(address),
            (false, _) => {}
        }
        for warning in config.warnings() {
            tracing::warn!("{warning}");
        }
        let metrics = Metrics::default();
        let started_at = clock.now();
        let board = Board::new(started_at);
        let store: Arc<dyn Store> = Arc::new(ObservedStore::new(store, metrics.clone(), board.clone()));
        let mut builder = Manager::builder(Arc::clone(&store))
            .checker(Arc::new(MeasuredChecks::new(metrics.clone())))
            .hooks(Arc::new(MeasuredHooks::new(metrics.clone())))
            .restart_grace(config.daemon.restart_grace)
            .limits(config.limits.clone())
            .holder(format!("{address}, process {}", std::process::id()));
        if let Some(installation) = config.installation.clone() {
            builder = builder.installation(installation);
        }
        for (name, provider) in &config.providers {
            let driver = drivers::open(registry, name, provider)
                .await
                .map_err(|source| DaemonError::Provider { provider: name.clone(), source })?;
            builder = builder.provider(name.clone(), provider.clone(), metrics.driver(name, driver));
        }
        for (name, pool) in config.pools.clone() {
            builder = builder.pool(name, pool);
        }
        let manager = builder.start().await?;
        let watched = Watched { started_at, clock, store, metrics, board, history: History::default() };
        let (hold, reloader) = (HOLD, None);
        Ok(Self { address, listeners, manager, watched, access, state_dir, hold, config, reloader })
    }
}

async fn listen(config: &Config) -> Result<Listeners, DaemonError> {
    let address = config.daemon.listen;
    let shown = config.daemon.tls.as_ref().map(Shown::read).transpose();
    let tls = shown.map_err(|(key, source)| DaemonError::Tls { key, source })?.map(Tls::new);
    let tcp = TcpListener::bind(address).await.map_err(|source| match source.kind() {
        io::ErrorKind::AddrInUse => DaemonError::AddressInUse { address },
        _ => DaemonError::Listen { address, source },
    })?;
    let socket = match &config.daemon.socket {
        Some(path) => {
            let socket = Socket::bind(path).await;
            Some(socket.map_err(|source| DaemonError::Socket { path: path.clone(), source })?)
        }
        None => None,
    };
    Ok(Listeners { tcp, tls, socket, max_connections: config.daemon.max_connections })
}

/// Returns the number of the user of this process.
fn own_uid() -> u32 {
    // Where the system does not say so, nobody is taken for that user.
    std::fs::metadata("/proc/self").map_or(u32::MAX, |own| own.uid())
}

fn local_address(listener: &TcpListener, asked: SocketAddr) -> Result<SocketAddr, DaemonError> {
    listener.local_addr().map_err(|source| DaemonError::Listen { address: asked, source })
}

async fn open_store(config: &DaemonConfig) -> Result<Arc<dyn Store>, DaemonError> {
    let state_dir = config.state_dir.clone();
    let options = SledOptions::new(&state_dir)
        .with_keep_events(config.keep_events)
        .with_keep_events_for(config.keep_events_for)
        .with_cache_bytes(config.cache_bytes);
    let opened = task::spawn_blocking(move || SledStore::open(options)).await;
    let opened = opened.unwrap_or_else(|err| {
        let place = state_dir.display().to_string();
        Err(StoreError::Damaged { place, reason: format!("opening it broke off: {err}") })
    });
    match opened {
        Ok(store) => Ok(Arc::new(store)),
        Err(source) => Err(DaemonError::Store { state_dir, source }),
    }
}

fn broke_off(served: Result<(), task::JoinError>) -> io::Error {
    match served {
        Ok(()) => io::Error::other("it ended by itself"),
        Err(err) => io::Error::other(err),
    }
}
