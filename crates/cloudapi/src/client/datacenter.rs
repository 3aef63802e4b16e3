//! The data center itself.

use std::{fmt, sync::Arc};

use vmpool_http::HttpClient;
use vmpool_model::Timestamp;

use super::{Clock, CloudApiConfig, ConfigError, KeySource, system_clock};
use crate::sign::{Agent, FindKey, PrivateKey, Signer, find_key};

/// A data center as one account sees it; cloning it is cheap, and all clones share their connections.
///
/// Each method is one request, or one per page, and repeats nothing.
#[derive(Clone)]
pub struct DataCenter {
    inner: Arc<Inner>,
}

struct Inner {
    config: CloudApiConfig,
    base: String,
    key_id: String,
    http: HttpClient,
    signer: Arc<dyn Signer>,
    clock: Clock,
}

impl DataCenter {
    /// Finds the key and makes a data center; no request is made.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if the address or the key cannot be used.
    pub async fn open(config: CloudApiConfig) -> Result<Self, ConfigError> {
        let hash = config.rsa_hash;
        let signer: Arc<dyn Signer> = match &config.key {
            KeySource::File { path, passphrase } => {
                Arc::new(PrivateKey::from_file(path, passphrase.as_ref())?.with_rsa_hash(hash))
            }
            KeySource::Text { pem, passphrase } => {
                use secrecy::ExposeSecret;
                Arc::new(PrivateKey::from_pem(pem.expose_secret(), passphrase.as_ref())?.with_rsa_hash(hash))
            }
            KeySource::Find { fingerprint, agent, folder, passphrase } => {
                let places = FindKey::new()
                    .with_agent(agent.clone().map(Agent::new))
                    .with_folder(folder.clone())
                    .with_passphrase(passphrase.clone())
                    .with_rsa_hash(hash);
                find_key(fingerprint, &places).await?
            }
        };
        Self::with_signer(config, signer)
    }

    /// Makes a data center with a key that was found otherwise; no request is made.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if the address cannot be used.
    pub fn with_signer(config: CloudApiConfig, signer: Arc<dyn Signer>) -> Result<Self, ConfigError> {
        let invalid = |what| move |reason: String| ConfigError::Invalid { what, reason };
        let base = config.url.trim_end_matches('/').to_owned();
        vmpool_http::Request::new(vmpool_http::Method::Get, &base)
            .map_err(|err| invalid("the address of CloudAPI")(err.to_string()))?;
        if config.account.is_empty() {
            return Err(invalid("the account")("it is empty".to_owned()));
        }
        let http = HttpClient::new(config.http.clone()).map_err(|err| invalid("TLS")(err.to_string()))?;
        let key = config.key_name.clone().unwrap_or_else(|| signer.public_key().md5().to_string());
        let key_id = config.identity().key_id(&key);
        Ok(Self { inner: Arc::new(Inner { base, key_id, http, signer, clock: system_clock(), config }) })
    }

    /// Takes the time of signatures from another clock.
    #[must_use]
    pub fn with_clock(self, clock: Clock) -> Self {
        let Inner { config, base, key_id, http, signer, .. } = &*self.inner;
        let (config, base, key_id) = (config.clone(), base.clone(), key_id.clone());
        let (http, signer) = (http.clone(), signer.clone());
        Self { inner: Arc::new(Inner { config, base, key_id, http, signer, clock }) }
    }

    /// Returns what the data center is reached with.
    #[must_use]
    pub fn config(&self) -> &CloudApiConfig {
        &self.inner.config
    }

    /// Returns the key.
    #[must_use]
    pub fn signer(&self) -> &dyn Signer {
        &*self.inner.signer
    }

    /// Returns the account whose things are worked on.
    #[must_use]
    pub fn account(&self) -> &str {
        self.inner.config.act_as.as_deref().unwrap_or(&self.inner.config.account)
    }

    /// Returns the time by the clock that signatures go by.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        (self.inner.clock)()
    }

    pub(crate) fn base(&self) -> &str {
        &self.inner.base
    }

    pub(crate) fn key_id(&self) -> &str {
        &self.inner.key_id
    }

    pub(crate) fn http(&self) -> &HttpClient {
        &self.inner.http
    }
}

impl fmt::Debug for DataCenter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DataCenter")
            .field("account", &self.account())
            .field("key_id", &self.inner.key_id)
            .finish_non_exhaustive()
    }
}
