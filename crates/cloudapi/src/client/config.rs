//! What a data center is reached with.

use std::{fmt, path::PathBuf};

use secrecy::SecretString;
use vmpool_http::{HttpConfig, Tls};

use crate::sign::{Fingerprint, Identity, RsaHash};

/// What a data center is reached with; its `Debug` shows no secret.
///
/// ```
/// use vmpool_cloudapi::{CloudApiConfig, KeySource};
/// let key = KeySource::File { path: "/etc/vmpool/key".into(), passphrase: None };
/// let config = CloudApiConfig::new("https://cloudapi.example.com", "ops", key).with_insecure(true);
/// assert_eq!(config.accept_version, "~9||~8||~7");
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct CloudApiConfig {
    /// The address, such as `https://us-west-1.api.example.com`.
    pub url: String,
    /// The login of the account.
    pub account: String,
    /// The login of the user below the account, if it is not the account itself.
    pub user: Option<String>,
    /// The account whose things are worked on, if it is not the caller's own.
    pub act_as: Option<String>,
    /// The roles to take up; none is the caller's default ones.
    pub roles: Vec<String>,
    /// Where the key is.
    pub key: KeySource,
    /// What CloudAPI calls the key, if it is not its fingerprint.
    pub key_name: Option<String>,
    /// The hash in signatures with an RSA key. Default: SHA-256.
    pub rsa_hash: RsaHash,
    /// Which versions of CloudAPI are understood; the server takes the newest that it has. Default: `~9||~8||~7`.
    pub accept_version: String,
    /// Time limits and whom to trust.
    pub http: HttpConfig,
}

/// Where a key is.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum KeySource {
    /// In a file.
    File {
        /// The file.
        path: PathBuf,
        /// What opens it, if it is encrypted.
        passphrase: Option<SecretString>,
    },
    /// In the text of a file.
    Text {
        /// The text.
        pem: SecretString,
        /// What opens it, if it is encrypted.
        passphrase: Option<SecretString>,
    },
    /// In the ssh-agent or a folder, by its fingerprint.
    Find {
        /// The fingerprint.
        fingerprint: Fingerprint,
        /// The socket of the agent, which is asked first.
        agent: Option<PathBuf>,
        /// The folder to look through then.
        folder: Option<PathBuf>,
        /// What opens encrypted files.
        passphrase: Option<SecretString>,
    },
}

/// Says why there is no data center to be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// Something is not said.
    #[error("{what} is not set: set {how}")]
    Missing {
        /// What is missing.
        what: &'static str,
        /// How to say it.
        how: &'static str,
    },
    /// Something that is said cannot be used.
    #[error("{what}: {reason}")]
    Invalid {
        /// What it is.
        what: &'static str,
        /// Why it cannot be used.
        reason: String,
    },
    /// The key cannot be used.
    #[error(transparent)]
    Key(#[from] crate::sign::KeyError),
    /// The profile cannot be used.
    #[error(transparent)]
    Profile(#[from] super::ProfileError),
}

impl CloudApiConfig {
    /// Works for an account on a data center.
    #[must_use]
    pub fn new(url: impl Into<String>, account: impl Into<String>, key: KeySource) -> Self {
        Self {
            url: url.into(),
            account: account.into(),
            user: None,
            act_as: None,
            roles: Vec::new(),
            key,
            key_name: None,
            rsa_hash: RsaHash::default(),
            accept_version: "~9||~8||~7".to_owned(),
            http: HttpConfig::default(),
        }
    }

    /// Works as a user below the account.
    #[must_use]
    pub fn with_user(self, user: Option<String>) -> Self {
        Self { user, ..self }
    }

    /// Works on the things of another account.
    #[must_use]
    pub fn with_act_as(self, act_as: Option<String>) -> Self {
        Self { act_as, ..self }
    }

    /// Takes up roles.
    #[must_use]
    pub fn with_roles(self, roles: Vec<String>) -> Self {
        Self { roles, ..self }
    }

    /// Trusts any certificate, for a data center with one of its own making.
    #[must_use]
    pub fn with_insecure(self, insecure: bool) -> Self {
        let tls = if insecure { Tls::Insecure } else { Tls::System };
        Self { http: self.http.with_tls(tls), ..self }
    }

    /// Asks for versions of CloudAPI, as a range such as `~9`.
    #[must_use]
    pub fn with_accept_version(self, range: impl Into<String>) -> Self {
        Self { accept_version: range.into(), ..self }
    }

    /// Chooses time limits and whom to trust.
    #[must_use]
    pub fn with_http(self, http: HttpConfig) -> Self {
        Self { http, ..self }
    }

    pub(super) fn identity(&self) -> Identity {
        match &self.user {
            None => Identity::account(&self.account),
            Some(user) => Identity::user(&self.account, user),
        }
    }
}

impl fmt::Debug for CloudApiConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CloudApiConfig")
            .field("account", &self.account)
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}
