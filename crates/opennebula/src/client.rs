//! Calling a server.
//!
//! OpenNebula's server answers one call per connection, has fifteen connections for everybody together, and may end if a
//! connection is reset before it has looked at it.
//! So a [`Client`] opens a connection for each call and none ahead, has at most eight open to one endpoint whatever the number
//! of clients in the process, and finishes every exchange that has begun, also when nobody waits for it any more.

mod config;
mod endpoint;
mod error;
mod exchange;
mod gate;
mod receive;
mod refusal;
mod session;
mod stream;
mod trust;
mod version;

use std::sync::Arc;

use tokio::sync::OnceCell;

pub use self::{
    config::{ClientConfig, ConfigError},
    error::{CallError, CallFailure},
    refusal::RefusalKind,
    session::Session,
    version::Version,
};
use self::{
    endpoint::Endpoint,
    exchange::{Exchange, Target},
    gate::Gate,
    receive::{Receive, Whole},
};
use crate::{
    document::{Decoder, Reply, Sink},
    rpc::{Call, CodecError, Value},
};

/// Calls the methods of one server as one user.
///
/// Clones share the connection limit and the version of the server.
///
/// # Cancel safety
///
/// A call that is dropped is not sent if it has not been sent yet. If it has, the server carries it out; the exchange is
/// finished in the background, so that the connection ends in good order.
///
/// # Examples
///
/// ```
/// use vmpool_opennebula::client::{Client, ClientConfig, Session};
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// let client = Client::new(ClientConfig::new("http://127.0.0.1:1/RPC2", Session::of("ci", "hunter2")))?;
/// let err = client.version().await.unwrap_err();
/// assert!(err.to_string().starts_with("one.system.version at http://127.0.0.1:1/RPC2: the server cannot be reached"));
/// # Ok::<(), Box<dyn std::error::Error>>(()) })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
}

struct Inner {
    target: Arc<Target>,
    session: Session,
    config: ClientConfig,
    version: OnceCell<Version>,
}

impl Client {
    /// Prepares calls to a server; none is made yet.
    ///
    /// # Errors
    ///
    /// If the endpoint is no address of a server, or the certificates to trust cannot be read.
    pub fn new(config: ClientConfig) -> Result<Self, ConfigError> {
        let endpoint = Endpoint::parse(&config.endpoint)?;
        let gate = Gate::of(&endpoint);
        let tls = match endpoint.is_tls {
            true => Some(trust::connector(config.ca_file.as_deref())?),
            false => None,
        };
        let target = Arc::new(Target { endpoint, gate, tls, connect_timeout: config.connect_timeout });
        let session = config.session.clone();
        Ok(Self { inner: Arc::new(Inner { target, session, config, version: OnceCell::new() }) })
    }

    /// Returns the address of the server, without credentials.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        self.inner.target.endpoint.as_str()
    }

    /// Returns the name of the user in whose name calls are made, if the session tells.
    #[must_use]
    pub fn user(&self) -> &str {
        self.inner.session.user()
    }

    /// Returns the version of the server, which is asked for once.
    ///
    /// # Errors
    ///
    /// If the server cannot be asked; it is asked again next time then.
    pub async fn version(&self) -> Result<Version, CallError> {
        let ask = || async {
            let method = "one.system.version";
            let answer = self.call(Call::new(method)).await?;
            let text = answer.as_text().unwrap_or_default();
            match Version::parse(text) {
                Some(version) => Ok(version),
                None => Err(self.unreadable(method, CodecError::unexpected(0, "a version", text))),
            }
        };
        self.inner.version.get_or_try_init(ask).await.copied()
    }

    /// Calls a method whose answer is short; the session is put before the parameters.
    ///
    /// # Errors
    ///
    /// If the call does not come to a success.
    pub async fn call(&self, call: Call) -> Result<Value, CallError> {
        let method = call.method.clone();
        let limit = self.inner.config.limits.text;
        let reply = self.exchange(call, Whole::new(limit)).await?;
        self.done(&method, reply)
    }

    /// Calls a method whose answer is a document, and reads the document as it comes in.
    ///
    /// # Errors
    ///
    /// If the call does not come to a success.
    pub async fn document<S>(&self, call: Call, sink: S) -> Result<S::Output, CallError>
    where
        S: Sink + Send + 'static,
        S::Output: Send + 'static,
    {
        let method = call.method.clone();
        let decoder = Decoder::new(sink).with_limits(self.inner.config.limits);
        let reply = self.exchange(call, decoder).await?;
        self.done(&method, reply)
    }

    fn done<T>(&self, method: &str, reply: Reply<T>) -> Result<T, CallError> {
        let failure = match reply {
            Reply::Done(value) => return Ok(value),
            Reply::Refused(refusal) => {
                CallFailure::Refused { kind: RefusalKind::of(method, &refusal), refusal }
            }
            Reply::Fault(fault) => CallFailure::Fault(fault),
        };
        Err(self.failed(method, failure))
    }

    async fn exchange<R: Receive>(&self, mut call: Call, receive: R) -> Result<R::Output, CallError> {
        let method = std::mem::take(&mut call.method);
        call.check().map_err(|err| self.failed(&method, CallFailure::Forbidden(err)))?;
        call.params.insert(0, Value::Text(self.inner.session.reveal().to_owned()));
        call.method.clone_from(&method);
        let exchange = Exchange::new(&self.inner.target, call.to_xml(), receive);
        exchange.run(self.inner.config.timeout).await.map_err(|failure| self.failed(&method, failure))
    }

    fn failed(&self, method: &str, failure: CallFailure) -> CallError {
        CallError::new(method, self.endpoint(), failure)
    }

    /// Says that the answer of a method was understood as XML-RPC, and is not what that method answers.
    pub(crate) fn unreadable(&self, method: &str, err: CodecError) -> CallError {
        self.failed(method, CallFailure::Unreadable(err))
    }
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client")
            .field("endpoint", &self.endpoint())
            .field("user", &self.user())
            .finish_non_exhaustive()
    }
}
