//! A daemon on a free port, and who speaks to it.

#![expect(clippy::unwrap_used, reason = "the helpers of tests fail loudly")]

use std::{path::Path, sync::Arc, time::Duration};

use reqwest::{Method, RequestBuilder};
use tokio::{sync::oneshot, task::JoinHandle};
use vmpool::{
    manager::ManagerHandle,
    store::{MemoryStore, Store},
};
use vmpool_client::{
    Client,
    api::{AcquireRequest, VmFilter},
};
use vmpool_server::{Config, Daemon, DaemonError};

/// One pool of one VM on the cloud in memory.
pub(crate) const ONE_VM: &str = r#"
[daemon]
listen = "127.0.0.1:0"

[access]
open_loopback = true

[providers.lab]
driver = "dummy"
list_interval = "20ms"

[pools.small]
provider = "lab"
template = "small"
size = 1
"#;

/// A running daemon.
pub(crate) struct World {
    pub(crate) client: Client,
    pub(crate) address: std::net::SocketAddr,
    pub(crate) manager: ManagerHandle,
    stop: oneshot::Sender<()>,
    running: JoinHandle<Result<(), DaemonError>>,
}

pub(crate) fn config(text: &str) -> Config {
    Config::parse(text, "vmpool.toml", &vmpool::drivers::builtin()).unwrap()
}

impl World {
    /// Starts a daemon with one VM that is ready when this returns.
    pub(crate) async fn ready() -> Self {
        let world = Self::start(config(ONE_VM), Arc::new(MemoryStore::new())).await;
        world.until_ready().await;
        world
    }

    /// Starts a daemon with one VM that is ready, where an acquire holds its connection that long.
    pub(crate) async fn start_holding(hold: Duration) -> Self {
        let world = Self::start_with(config(ONE_VM), Arc::new(MemoryStore::new()), hold).await;
        world.until_ready().await;
        world
    }

    /// Starts a daemon.
    pub(crate) async fn start(config: Config, store: Arc<dyn Store>) -> Self {
        Self::start_with(config, store, Duration::from_millis(50)).await
    }

    /// Starts a daemon with the configuration of a file.
    pub(crate) async fn start_from(file: &Path) -> Self {
        let registry = vmpool::drivers::builtin();
        let config = Config::load(file, &registry).unwrap();
        let daemon = Daemon::start_with_store(config, &registry, Arc::new(MemoryStore::new())).await.unwrap();
        Self::run(daemon.with_config_file(file, &registry))
    }

    async fn start_with(config: Config, store: Arc<dyn Store>, hold: Duration) -> Self {
        let daemon = Daemon::start_with_store(config, &vmpool::drivers::builtin(), store).await.unwrap();
        Self::run(daemon.with_hold(hold))
    }

    fn run(daemon: Daemon) -> Self {
        let (address, manager) = (daemon.address(), daemon.manager());
        let (stop, stopped) = oneshot::channel();
        let running = tokio::spawn(daemon.run(async {
            let _ = stopped.await;
        }));
        let client = Client::new(&format!("http://{address}")).unwrap();
        Self { client, address, manager, stop, running }
    }

    /// Stops the daemon in good order.
    pub(crate) async fn stop(self) -> Result<(), DaemonError> {
        self.stop.send(()).unwrap();
        self.running.await.unwrap()
    }

    /// Waits until the pool has a VM that is ready: follows the events until one says so.
    pub(crate) async fn until_ready(&self) {
        let mut events = self.client.follow(Some(0));
        while self.client.vms(&ready()).await.unwrap().is_empty() {
            events.next().await.unwrap();
        }
    }

    /// Begins a request that the client of this crate would not send.
    pub(crate) fn raw(&self, method: Method, path: &str) -> RequestBuilder {
        // What the system trusts is not needed, and reading it takes time.
        let client = reqwest::Client::builder().tls_danger_accept_invalid_certs(true).build().unwrap();
        client.request(method, format!("http://{}{path}", self.address))
    }
}

/// Asks for the VMs that are ready.
pub(crate) fn ready() -> VmFilter {
    VmFilter::default().with_states(["ready"])
}

pub(crate) fn wish(request: &str) -> AcquireRequest {
    AcquireRequest::new(request, "small", "ada")
}
