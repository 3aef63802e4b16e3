//! What an HTTP client can be told.

use std::time::Duration;

/// What an HTTP client can be told.
///
/// ```
/// use std::time::Duration;
/// use vmpool_http::HttpConfig;
/// let config = HttpConfig::default().with_timeout(Duration::from_secs(5));
/// assert_eq!((config.timeout.as_secs(), config.max_body), (5, 64 << 20));
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct HttpConfig {
    /// How long a request may take from its first byte to the last byte of its answer. Default: 60 s.
    pub timeout: Duration,
    /// How long connecting may take. Default: 10 s.
    pub connect_timeout: Duration,
    /// How many bytes the body of an answer may have. Default: 64 MiB.
    pub max_body: usize,
    /// Whom to trust. Default: whom the system trusts.
    pub tls: Tls,
}

impl Default for HttpConfig {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(60),
            connect_timeout: Duration::from_secs(10),
            max_body: 64 << 20,
            tls: Tls::default(),
        }
    }
}

impl HttpConfig {
    /// Chooses how long a request may take.
    #[must_use]
    pub fn with_timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// Chooses how long connecting may take.
    #[must_use]
    pub fn with_connect_timeout(self, connect_timeout: Duration) -> Self {
        Self { connect_timeout, ..self }
    }

    /// Chooses how many bytes the body of an answer may have.
    #[must_use]
    pub fn with_max_body(self, max_body: usize) -> Self {
        Self { max_body, ..self }
    }

    /// Chooses whom to trust.
    #[must_use]
    pub fn with_tls(self, tls: Tls) -> Self {
        Self { tls, ..self }
    }
}

/// Whom to trust; connections that are encrypted have TLS 1.2 or newer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Tls {
    /// Whom the system trusts.
    #[default]
    System,
    /// Whom the system trusts, and these certificates in PEM: of the cloud's own authority, or the server's own, whatever that
    /// says.
    Also(Vec<u8>),
    /// Anybody: for clouds whose certificate nobody can have beforehand.
    ///
    /// Whoever is between the client and the cloud can read and change everything.
    Insecure,
}
