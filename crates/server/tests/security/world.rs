//! A daemon that asks everybody who they are, and raw connections to it.

use std::{net::SocketAddr, path::Path, sync::Arc, time::Duration};

use reqwest::{Method, RequestBuilder, StatusCode};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    sync::oneshot,
    task::JoinHandle,
};
use vmpool::store::MemoryStore;
use vmpool_client::{
    Client, Tls,
    api::{AcquireRequest, Lease, Problem, Role, TokenRequest},
};
use vmpool_server::{Config, Daemon, DaemonError};

/// Three VMs on the cloud in memory, and everybody has to show a token.
pub(crate) const CLOSED: &str = r#"
[daemon]
listen = "127.0.0.1:0"

[providers.lab]
driver = "dummy"
list_interval = "20ms"

[pools.small]
provider = "lab"
template = "small"
size = 3
max_starting = 3
"#;

/// A running daemon, and the token of who may do everything.
pub(crate) struct World {
    pub(crate) address: SocketAddr,
    pub(crate) admin: Client,
    stop: oneshot::Sender<()>,
    running: JoinHandle<Result<(), DaemonError>>,
}

impl World {
    pub(crate) async fn start() -> Self {
        Self::with("").await
    }

    /// Starts a daemon with more keys of its table `daemon`.
    pub(crate) async fn with(daemon: &str) -> Self {
        let registry = vmpool::drivers::builtin();
        let text = CLOSED.replace("[daemon]", &format!("[daemon]\n{daemon}"));
        let config = Config::parse(&text, "vmpool.toml", &registry).unwrap();
        let store = Arc::new(MemoryStore::new());
        let daemon = Daemon::start_with_store(config, &registry, store).await.unwrap();
        Self::run(daemon, &Tls::default())
    }

    /// Starts a daemon with the configuration of a file, which may say that it speaks TLS.
    pub(crate) async fn from_file(file: &Path, tls: &Tls) -> Self {
        let registry = vmpool::drivers::builtin();
        let config = Config::load(file, &registry).unwrap();
        let store = Arc::new(MemoryStore::new());
        let daemon = Daemon::start_with_store(config, &registry, store).await.unwrap();
        Self::run(daemon.with_config_file(file, &registry), tls)
    }

    fn run(daemon: Daemon, tls: &Tls) -> Self {
        let (address, key) = (daemon.address(), daemon.local_key().unwrap());
        let admin = Client::with_tls(&daemon.url(), tls).unwrap().with_token(&key).unwrap();
        let (stop, stopped) = oneshot::channel();
        let running = tokio::spawn(daemon.run(async {
            let _ = stopped.await;
        }));
        Self { address, admin, stop, running }
    }

    /// Stops the daemon in good order.
    pub(crate) async fn stop(self) {
        self.stop.send(()).unwrap();
        self.running.await.unwrap().unwrap();
    }

    /// Makes a token.
    pub(crate) async fn token(&self, name: &str, role: Role, ttl: Option<Duration>) -> String {
        let wish = TokenRequest::new(name, role).with_ttl(ttl);
        self.admin.create_token(&wish).await.unwrap().secret
    }

    /// Makes a client with a token of its own.
    pub(crate) async fn client(&self, name: &str, role: Role) -> Client {
        let token = self.token(name, role, None).await;
        Client::new(&format!("http://{}", self.address)).unwrap().with_token(&token).unwrap()
    }

    /// Leases a VM for who owns the client.
    pub(crate) async fn lease(&self, client: &Client, request: &str) -> Lease {
        let wish = AcquireRequest::new(request, "small", "").with_wait(Duration::from_secs(20));
        client.acquire(&wish).await.unwrap()
    }

    /// Begins a request that shows nothing.
    pub(crate) fn raw(&self, method: Method, path: &str) -> RequestBuilder {
        // What the system trusts is not needed, and reading it takes time.
        let client = reqwest::Client::builder().tls_danger_accept_invalid_certs(true).build().unwrap();
        client.request(method, format!("http://{}{path}", self.address))
    }

    /// Sends bytes over a connection of their own, and returns all that comes back until it ends.
    pub(crate) async fn say(&self, bytes: &[u8]) -> String {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        // Who is refused early may find the connection closed.
        let _ = stream.write_all(bytes).await;
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// Asserts that the daemon goes on as if nothing had happened.
    pub(crate) async fn goes_on(&self) {
        assert_eq!(self.admin.health().await.unwrap().status, "ok");
        assert_eq!(self.admin.pools().await.unwrap().len(), 1);
    }
}

/// Sends a request and returns the problem that it is answered with.
pub(crate) async fn refused(request: RequestBuilder) -> (StatusCode, Problem) {
    let response = request.send().await.unwrap();
    let media = response.headers().get("content-type").unwrap().to_str().unwrap().to_owned();
    assert_eq!(media, "application/problem+json");
    (response.status(), response.json().await.unwrap())
}
