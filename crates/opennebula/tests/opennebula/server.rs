//! A server on loopback that answers as it is told, and remembers what came over its sockets.

use std::{
    io::ErrorKind,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::TcpListener,
    sync::{Notify, watch},
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    },
};
use vmpool_opennebula::{
    client::{Client, ClientConfig, Session},
    rpc::{Call, Response, Value},
};

/// What the server does after a request has come.
#[derive(Debug, Clone)]
pub(crate) enum Act {
    /// Sends bytes.
    Send(Vec<u8>),
    /// Waits until it is told to go on.
    Wait(Arc<Notify>),
}

/// A connection as the server saw it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Seen {
    /// The head of the request.
    pub(crate) head: String,
    /// The call, if a whole one came.
    pub(crate) call: Option<Call>,
    /// Whether the client ended the connection in good order, rather than by a reset.
    pub(crate) ended_well: bool,
}

/// Decides what to do about a call.
type Script = dyn Fn(&Call) -> Vec<Act> + Send + Sync;

/// A server on loopback.
pub(crate) struct Server {
    pub(crate) endpoint: String,
    state: Arc<State>,
}

struct State {
    seen: Mutex<Vec<Seen>>,
    open: Mutex<(usize, usize)>,
    ended: watch::Sender<usize>,
    script: Box<Script>,
}

impl Server {
    /// Starts a server that does what a script says about each call.
    pub(crate) async fn start(script: impl Fn(&Call) -> Vec<Act> + Send + Sync + 'static) -> Self {
        Self::start_with(None, script).await
    }

    /// Starts a server with TLS, which shows one of the certificates of the tests.
    pub(crate) async fn start_tls(
        certificate: &str,
        script: impl Fn(&Call) -> Vec<Act> + Send + Sync + 'static,
    ) -> Self {
        let chain: Result<Vec<_>, _> =
            CertificateDer::pem_file_iter(tls_file(certificate)).unwrap().collect();
        let key = PrivateKeyDer::from_pem_file(tls_file("key.pem")).unwrap();
        let config = ServerConfig::builder().with_no_client_auth().with_single_cert(chain.unwrap(), key);
        Self::start_with(Some(TlsAcceptor::from(Arc::new(config.unwrap()))), script).await
    }

    async fn start_with(
        tls: Option<TlsAcceptor>,
        script: impl Fn(&Call) -> Vec<Act> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let scheme = if tls.is_some() { "https" } else { "http" };
        let endpoint = format!("{scheme}://{}/RPC2", listener.local_addr().unwrap());
        let state = Arc::new(State {
            seen: Mutex::default(),
            open: Mutex::default(),
            ended: watch::channel(0).0,
            script: Box::new(script),
        });
        let accepting = Arc::clone(&state);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (state, tls) = (Arc::clone(&accepting), tls.clone());
                tokio::spawn(async move {
                    match tls {
                        None => state.serve(stream).await,
                        // Who does not trust the certificate makes no call.
                        Some(tls) => {
                            if let Ok(stream) = tls.accept(stream).await {
                                state.serve(stream).await;
                            }
                        }
                    }
                });
            }
        });
        Self { endpoint, state }
    }

    pub(crate) fn client(&self) -> Client {
        self.client_with(|config| config)
    }

    pub(crate) fn client_with(&self, change: impl FnOnce(ClientConfig) -> ClientConfig) -> Client {
        let config = ClientConfig::new(self.endpoint.clone(), Session::of("ci", "hunter2"));
        Client::new(change(config)).unwrap()
    }

    /// Waits until so many connections have ended, and returns what was seen of them.
    pub(crate) async fn ended(&self, count: usize) -> Vec<Seen> {
        self.state.ended.subscribe().wait_for(|ended| count <= *ended).await.unwrap();
        self.state.seen.lock().unwrap().clone()
    }

    /// Returns the calls that came, in the order in which their connections ended.
    pub(crate) fn calls(&self) -> Vec<Call> {
        self.state.seen.lock().unwrap().iter().filter_map(|seen| seen.call.clone()).collect()
    }

    /// Returns the largest number of connections that were open at a time.
    pub(crate) fn most_open(&self) -> usize {
        self.state.open.lock().unwrap().1
    }
}

impl State {
    async fn serve(self: Arc<Self>, mut stream: impl AsyncRead + AsyncWrite + Unpin) {
        {
            let mut open = self.open.lock().unwrap();
            open.0 += 1;
            open.1 = open.1.max(open.0);
        }
        let (head, call) = read_request(&mut stream).await;
        let acts = call.as_ref().map(|call| (self.script)(call)).unwrap_or_default();
        let mut sent_all = true;
        for act in acts {
            match act {
                Act::Send(bytes) => sent_all &= stream.write_all(&bytes).await.is_ok(),
                Act::Wait(until) => until.notified().await,
            }
        }
        let _ = stream.shutdown().await;
        let mut rest = Vec::new();
        let ended_well = match stream.read_to_end(&mut rest).await {
            Ok(_) => sent_all,
            Err(err) => sent_all && err.kind() != ErrorKind::ConnectionReset,
        };
        self.open.lock().unwrap().0 -= 1;
        self.seen.lock().unwrap().push(Seen { head, call, ended_well });
        self.ended.send_modify(|ended| *ended += 1);
    }
}

async fn read_request(stream: &mut (impl AsyncRead + Unpin)) -> (String, Option<Call>) {
    let mut bytes = Vec::new();
    loop {
        if !b"POST".starts_with(&bytes[..bytes.len().min(4)]) {
            // Not HTTP, so nothing tells where it ends.
            return (String::from_utf8_lossy(&bytes).into_owned(), None);
        }
        let head = bytes.windows(4).position(|end| end == b"\r\n\r\n").map(|end| end + 4);
        if let Some(end) = head {
            let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().unwrap())
            });
            if end + length.unwrap_or(0) <= bytes.len() {
                return (head, Call::parse(&bytes[end..], 1 << 30).ok());
            }
        }
        if stream.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
            return (String::from_utf8_lossy(&bytes).into_owned(), None);
        }
    }
}

/// Returns a file with a certificate or a key of the tests.
pub(crate) fn tls_file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tls").join(name)
}

/// Writes an answer as the real server does.
pub(crate) fn http(body: &[u8]) -> Vec<u8> {
    let mut bytes = format!(
        "HTTP/1.1 200 OK\r\nContent-type: text/xml; charset=utf-8\r\nContent-length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    )
    .into_bytes();
    bytes.extend_from_slice(body);
    bytes
}

/// Answers `[true, value, 0]`.
pub(crate) fn done(value: impl Into<Value>) -> Vec<Act> {
    let values = vec![true.into(), value.into(), 0.into()];
    vec![Act::Send(http(Response::Value(Value::Array(values)).to_xml().as_bytes()))]
}

/// Answers `[false, text, code, -1, -1]`.
pub(crate) fn refused(code: i32, text: &str) -> Vec<Act> {
    let values = vec![false.into(), text.into(), code.into(), (-1).into(), Value::Long(-1)];
    vec![Act::Send(http(Response::Value(Value::Array(values)).to_xml().as_bytes()))]
}
