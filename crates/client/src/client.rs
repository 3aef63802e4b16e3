//! The client: where the daemon is, and how one call is made.

use std::{error::Error as _, io, net::SocketAddr, time::Duration};

use reqwest::{
    ClientBuilder, Method, RequestBuilder, Response, StatusCode, Url,
    header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue},
    redirect::Policy,
};
use serde::{Serialize, de::DeserializeOwned};
use vmpool_api::{Problem, routes, version};

use crate::{ClientError, Tls, local_key};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const CALL_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a connection is kept for the next call: shorter than a daemon keeps it.
const IDLE_TIMEOUT: Duration = Duration::from_secs(20);

/// A client of one daemon; clones share its connections.
///
/// # Cancel safety
///
/// Dropping the future of a call abandons the answer; the call may have its effect all the same.
#[derive(Debug, Clone)]
pub struct Client {
    /// What paths are put behind.
    base: String,
    /// The address as it was given.
    url: String,
    http: reqwest::Client,
    timeout: Duration,
    by: Option<String>,
    /// What says who asks; it is not shown when it is formatted.
    authorization: Option<HeaderValue>,
    /// Which trace the calls belong to.
    trace: Option<HeaderValue>,
    /// Where a daemon of this user may have left a key, which is shown unless there is a token.
    local: Option<SocketAddr>,
}

impl Client {
    /// Makes a client of the daemon at an address such as `http://127.0.0.1:7717` or `https://vmpool.example.org:7717`, or at a
    /// Unix socket such as `unix:///run/vmpool/vmpool.sock`; no connection is made yet.
    ///
    /// On loopback it shows with every call the key that the daemon left for its own user, if this is that user; elsewhere,
    /// and to be somebody else, it needs a [token](Self::with_token).
    ///
    /// # Errors
    ///
    /// [`ClientError::InvalidUrl`] if the address is none of these.
    pub fn new(base_url: &str) -> Result<Self, ClientError> {
        Self::with_tls(base_url, &Tls::default())
    }

    /// Makes a client as [`new`](Self::new) does that trusts others over `https://`, or proves who it is.
    ///
    /// # Errors
    ///
    /// Those of [`new`](Self::new), and [`ClientError::Tls`] if a certificate or key cannot be read or used.
    pub fn with_tls(base_url: &str, tls: &Tls) -> Result<Self, ClientError> {
        let invalid = |reason: String| ClientError::InvalidUrl { url: base_url.to_owned(), reason };
        if let Some(path) = base_url.strip_prefix("unix://") {
            if !path.starts_with('/') {
                return Err(invalid(
                    "the path of a socket begins with a slash, as in unix:///run/x.sock".to_owned(),
                ));
            }
            let http = builder(tls)?.unix_socket(path).build().map_err(|err| invalid(err.to_string()))?;
            return Ok(Self::made(http, "http://localhost", base_url));
        }
        let url = match base_url.contains("://") {
            true => Url::parse(base_url).map_err(|err| invalid(err.to_string()))?,
            false => return Err(invalid(format!("the scheme is missing, write http://{base_url}"))),
        };
        match url.scheme() {
            "http" | "https" => {}
            other => return Err(invalid(format!("{other} is not spoken, only http and https are"))),
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(invalid("it must end with the path".to_owned()));
        }
        let http = builder(tls)?.build().map_err(|err| invalid(err.to_string()))?;
        let made = Self::made(http, url.as_str(), url.as_str());
        // Who shows a certificate wants to be known by that.
        Ok(Self { local: made.local.filter(|_| tls.identity.is_none()), ..made })
    }

    fn made(http: reqwest::Client, base: &str, url: &str) -> Self {
        let plain = |text: &str| text.trim_end_matches('/').to_owned();
        let (base, url) = (plain(base), plain(url));
        let local = local_key::address(&url);
        Self { base, url, http, timeout: CALL_TIMEOUT, by: None, authorization: None, trace: None, local }
    }

    /// Shows a token with every call; neither errors nor logs tell it.
    ///
    /// # Errors
    ///
    /// [`ClientError::InvalidToken`] if it holds what a header cannot hold.
    pub fn with_token(self, token: &str) -> Result<Self, ClientError> {
        let value = bearer(token.trim()).ok_or(ClientError::InvalidToken)?;
        Ok(Self { authorization: Some(value), ..self })
    }

    /// Returns what says who asks: the token, or the key of the daemon that runs now.
    fn authorization(&self) -> Option<HeaderValue> {
        match (&self.authorization, self.local) {
            (Some(value), _) => Some(value.clone()),
            (None, local) => bearer(&local_key::read(local?)?),
        }
    }

    /// Sets how long a call may take; 30 s if it is not set. An acquire that waits has its own time.
    #[must_use]
    pub fn with_timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// Says which trace the calls belong to: a header `traceparent` of W3C Trace Context. One that no header can hold is left
    /// out.
    #[must_use]
    pub fn with_traceparent(self, traceparent: Option<&str>) -> Self {
        Self { trace: traceparent.and_then(|text| HeaderValue::from_str(text).ok()), ..self }
    }

    /// Says who speaks: the event log tells this name with what is done as an operator, unless a wish names somebody else.
    #[must_use]
    pub fn with_by(self, by: Option<String>) -> Self {
        Self { by, ..self }
    }

    /// Returns the daemon's address, without a slash at its end.
    #[must_use]
    pub fn base_url(&self) -> &str {
        &self.url
    }

    pub(crate) fn timeout(&self) -> Duration {
        self.timeout
    }

    /// Returns who wants something: whom the wish names, or who speaks.
    pub(crate) fn by(&self, named: Option<&String>) -> Option<String> {
        named.or(self.by.as_ref()).cloned()
    }

    pub(crate) async fn get<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &[(&str, String)],
    ) -> Result<T, ClientError> {
        let call = self.call(Method::GET, path);
        call.with(|builder| builder.query(query)).send(self.timeout).await?.json().await
    }

    pub(crate) async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &(impl Serialize + Sync),
        timeout: Duration,
    ) -> Result<T, ClientError> {
        let call = self.call(Method::POST, path);
        call.with(|builder| builder.json(body)).send(timeout).await?.json().await
    }

    pub(crate) async fn act_with(
        &self,
        path: &str,
        body: &(impl Serialize + Sync),
    ) -> Result<(), ClientError> {
        let call = self.call(Method::POST, path);
        call.with(|builder| builder.json(body)).send(self.timeout).await.map(drop)
    }

    pub(crate) fn call(&self, method: Method, path: &str) -> Call<'_> {
        let name = format!("{method} {path}");
        let changes = method != Method::GET;
        let builder = self.http.request(method, format!("{}{path}", self.base));
        let mut builder = builder.header(version::HEADER, version::VERSION);
        let shown = self.authorization();
        if let Some(authorization) = &shown {
            builder = builder.header(AUTHORIZATION, authorization);
        }
        if let Some(trace) = &self.trace {
            builder = builder.header("traceparent", trace);
        }
        Call { client: self, name, changes, builder, shown }
    }
}

/// Returns a header that is not shown when it is formatted; `None` if it holds what no header holds.
fn bearer(token: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(&format!("Bearer {token}")).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// Says how connections are made and kept.
fn builder(tls: &Tls) -> Result<ClientBuilder, ClientError> {
    let builder = reqwest::Client::builder().no_proxy().redirect(Policy::none());
    let builder = builder.connect_timeout(CONNECT_TIMEOUT).pool_idle_timeout(IDLE_TIMEOUT);
    // The library would read at once what the system trusts, which costs more than a short command.
    Ok(builder.tls_backend_preconfigured(tls.config()?))
}

/// One call that is being made.
#[derive(Debug)]
pub(crate) struct Call<'a> {
    client: &'a Client,
    name: String,
    changes: bool,
    builder: RequestBuilder,
    /// What it shows of who asks.
    shown: Option<HeaderValue>,
}

impl<'a> Call<'a> {
    pub(crate) fn with(self, add: impl FnOnce(RequestBuilder) -> RequestBuilder) -> Self {
        Self { builder: add(self.builder), ..self }
    }

    /// Sends the call with a limit for everything up to the end of the answer.
    pub(crate) async fn send(self, timeout: Duration) -> Result<Answer<'a>, ClientError> {
        self.with(|builder| builder.timeout(timeout)).send_within(timeout).await
    }

    /// Sends the call with no limit of its own; `timeout` is what an error tells.
    ///
    /// A call that waits while a daemon starts shows the key of the one before it. It is refused and nothing is done, and
    /// once more it is made with the key that there is then.
    pub(crate) async fn send_within(self, timeout: Duration) -> Result<Answer<'a>, ClientError> {
        let Self { client, name, changes, builder, shown } = self;
        let fail = |err| failed(client, err, changes, timeout);
        let again = builder.try_clone();
        let mut response = builder.send().await.map_err(fail)?;
        if response.status() == StatusCode::UNAUTHORIZED
            && let (Some(again), Some(key)) = (again, client.authorization())
            && shown.as_ref() != Some(&key)
        {
            let mut request = again.build().map_err(fail)?;
            request.headers_mut().insert(AUTHORIZATION, key);
            response = client.http.execute(request).await.map_err(fail)?;
        }
        Answer { client, name, changes, timeout, response }.check().await
    }
}

/// An answer whose version and status are good.
#[derive(Debug)]
pub(crate) struct Answer<'a> {
    client: &'a Client,
    name: String,
    changes: bool,
    timeout: Duration,
    pub(crate) response: Response,
}

impl Answer<'_> {
    async fn check(self) -> Result<Self, ClientError> {
        let status = self.response.status();
        let header = self.response.headers().get(version::HEADER);
        version::check(header.map(|value| value.to_str().unwrap_or("?"))).map_err(|mismatch| {
            ClientError::Version { url: self.client.url.clone(), status: status.as_u16(), mismatch }
        })?;
        match status.is_success() {
            true => Ok(self),
            false => Err(self.problem(status).await),
        }
    }

    async fn problem(self, status: StatusCode) -> ClientError {
        let media = self.response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        if media.is_none_or(|media| !media.starts_with(routes::PROBLEM_JSON)) {
            let reason = format!("status {status} without a problem");
            return self.protocol(reason);
        }
        match self.json::<Problem>().await {
            Ok(problem) => ClientError::Problem(Box::new(problem)),
            Err(err) => err,
        }
    }

    /// Reads the whole answer.
    pub(crate) async fn json<T: DeserializeOwned>(mut self) -> Result<T, ClientError> {
        let mut body = Vec::new();
        loop {
            match self.response.chunk().await {
                Ok(Some(chunk)) => body.extend_from_slice(&chunk),
                Ok(None) => break,
                Err(err) => return Err(failed(self.client, err, self.changes, self.timeout)),
            }
        }
        serde_json::from_slice(&body).map_err(|err| self.protocol(err.to_string()))
    }

    pub(crate) fn protocol(self, reason: String) -> ClientError {
        ClientError::Protocol {
            url: self.client.url.clone(),
            call: self.name,
            reason,
            may_have_happened: self.changes,
        }
    }
}

/// Sorts out why there is no answer; a connection that was never made had no effect.
pub(crate) fn failed(client: &Client, err: reqwest::Error, changes: bool, after: Duration) -> ClientError {
    let url = client.url.clone();
    if let Some(hint) = hint(&url, &err) {
        return ClientError::Unsafe { url, hint, source: Box::new(err) };
    }
    if err.is_connect() || err.is_builder() {
        return ClientError::Unreachable { url, source: Box::new(err) };
    }
    if err.is_timeout() {
        return ClientError::Timeout { url, after, may_have_happened: changes };
    }
    debug_assert!(err.source().is_some() || !err.is_request(), "{err:?}");
    ClientError::Broken { url, may_have_happened: changes, source: Box::new(err) }
}

/// Says what can be done if there is no safe connection; `None` if that is not the trouble.
fn hint(url: &str, err: &reqwest::Error) -> Option<&'static str> {
    // What breaks off before anything was said does not know what it was told.
    let is_cut_off = || url.starts_with("https:") && err.is_connect() && has_eof(err);
    vmpool_tls::hint(err).or_else(|| is_cut_off().then_some(vmpool_tls::NO_TLS))
}

fn has_eof(err: &reqwest::Error) -> bool {
    let mut cause = err.source();
    while let Some(err) = cause {
        if err.downcast_ref().is_some_and(|err: &io::Error| err.kind() == io::ErrorKind::UnexpectedEof) {
            return true;
        }
        cause = err.source();
    }
    false
}
