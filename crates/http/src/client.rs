//! The client.

use std::fmt;

use bytes::{Bytes, BytesMut};
use reqwest::{Client, RequestBuilder, Response, header::HeaderValue, redirect::Policy, tls::Version};

use crate::{Answer, HttpConfig, HttpError, Method, Request, Tls};

/// Sends requests, one at a time or many at once, over connections that are kept for the next one.
///
/// It follows no redirect and repeats nothing. The proxies in the environment are used. Cloning it is cheap.
/// What the system trusts is read when the first server shows its certificate; so a server without TLS costs no reading.
#[derive(Clone)]
pub struct HttpClient {
    client: Client,
    config: HttpConfig,
}

impl HttpClient {
    /// Makes a client; nothing is sent.
    ///
    /// # Errors
    ///
    /// [`HttpError::Config`] if the certificates to trust cannot be read.
    pub fn new(config: HttpConfig) -> Result<Self, HttpError> {
        let config_error =
            |what: &str, err: &dyn fmt::Display| HttpError::Config { reason: format!("{what}: {err}") };
        let builder = Client::builder()
            .redirect(Policy::none())
            .retry(reqwest::retry::never())
            .user_agent(concat!("vmpool/", env!("CARGO_PKG_VERSION")))
            .timeout(config.timeout)
            .connect_timeout(config.connect_timeout);
        let builder = match &config.tls {
            Tls::Insecure => builder.tls_version_min(Version::TLS_1_2).tls_danger_accept_invalid_certs(true),
            Tls::System => {
                let tls = vmpool_tls::client(&[], None)
                    .map_err(|err| config_error("TLS cannot be set up", &err))?;
                builder.tls_backend_preconfigured(tls)
            }
            Tls::Also(pem) => {
                let trusted = vmpool_tls::certificates_in(pem, "the certificates to trust");
                let tls = trusted.and_then(|trusted| vmpool_tls::client(&trusted, None));
                let unusable = |err| config_error("the certificates to trust are no PEM", &err);
                builder.tls_backend_preconfigured(tls.map_err(unusable)?)
            }
        };
        let client = builder.build().map_err(|err| config_error("TLS cannot be set up", &err))?;
        Ok(Self { client, config })
    }

    /// Returns the configuration.
    #[must_use]
    pub fn config(&self) -> &HttpConfig {
        &self.config
    }

    /// Sends a request once and returns the whole answer, whatever its status.
    ///
    /// # Errors
    ///
    /// [`HttpError`] if there is no answer; [`HttpError::certainty`] says whether the server may have got the request.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future abandons the answer, not the request.
    pub async fn send(&self, request: Request) -> Result<Answer, HttpError> {
        let shown = format!("{request:?}");
        let answer = match self.prepare(request, &shown)?.send().await {
            Ok(response) => self.read(response, &shown).await,
            Err(err) => Err(self.failed(err, &shown)),
        };
        match &answer {
            Ok(answer) => tracing::debug!(request = shown, status = answer.status, bytes = answer.body.len()),
            Err(err) => tracing::debug!(request = shown, error = %err),
        }
        answer
    }

    /// Makes the request as the library has it.
    pub(crate) fn prepare(&self, request: Request, shown: &str) -> Result<RequestBuilder, HttpError> {
        let (method, url, headers, body) = request.into_parts();
        let method = match method {
            Method::Get => reqwest::Method::GET,
            Method::Head => reqwest::Method::HEAD,
            Method::Post => reqwest::Method::POST,
            Method::Put => reqwest::Method::PUT,
            Method::Delete => reqwest::Method::DELETE,
        };
        let mut sending = self.client.request(method, url);
        for (name, value) in headers {
            let mut value = HeaderValue::from_str(&value).map_err(|_| HttpError::Request {
                request: shown.to_owned(),
                reason: format!("the header {name} has a character that headers cannot have"),
            })?;
            value.set_sensitive(true);
            sending = sending.header(name, value);
        }
        if let Some(trace) = vmpool_driver::traceparent() {
            sending = sending.header("traceparent", trace);
        }
        if let Some(body) = body {
            sending = sending.body(body);
        }
        Ok(sending)
    }

    pub(crate) async fn read(&self, mut response: Response, shown: &str) -> Result<Answer, HttpError> {
        let limit = self.config.max_body;
        let too_large = || HttpError::TooLarge { request: shown.to_owned(), limit };
        let announced = response.content_length().unwrap_or_default();
        if limit < usize::try_from(announced).unwrap_or(usize::MAX) {
            return Err(too_large());
        }
        let status = response.status().as_u16();
        let headers = std::mem::take(response.headers_mut());
        let mut body = BytesMut::with_capacity(usize::try_from(announced).unwrap_or_default());
        while let Some(chunk) = response.chunk().await.map_err(|err| self.failed(err, shown))? {
            if limit < body.len() + chunk.len() {
                return Err(too_large());
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer::new(status, headers, Bytes::from(body)))
    }

    pub(crate) fn failed(&self, err: reqwest::Error, shown: &str) -> HttpError {
        let request = shown.to_owned();
        // The library's errors begin with the whole address, which may hold secrets.
        let err = err.without_url();
        if err.is_connect() {
            HttpError::Connect { request, source: err.into() }
        } else if err.is_timeout() {
            HttpError::Timeout { request, after: self.config.timeout }
        } else if err.is_builder() {
            HttpError::Request { request, reason: err.to_string() }
        } else {
            HttpError::Broken { request, source: err.into() }
        }
    }
}

impl fmt::Debug for HttpClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpClient").field("config", &self.config).finish_non_exhaustive()
    }
}
