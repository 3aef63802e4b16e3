//! The account and what belongs to it.

use serde::Deserialize;

/// A sign of life.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[non_exhaustive]
pub struct Ping {
    /// `pong`.
    pub ping: String,
    /// What the server is.
    #[serde(default)]
    pub cloudapi: CloudApi,
    /// The data center that answered, if it tells.
    #[serde(skip)]
    pub datacenter: Option<String>,
    /// The version that the server chose for this client, if it tells.
    #[serde(skip)]
    pub api_version: Option<String>,
}

/// What the server is.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[non_exhaustive]
pub struct CloudApi {
    /// The versions that the server has.
    #[serde(default)]
    pub versions: Vec<String>,
}

/// An account.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Account {
    /// Its id.
    pub id: String,
    /// Its login.
    pub login: String,
    /// Its e-mail address.
    #[serde(default)]
    pub email: Option<String>,
    /// The company.
    #[serde(default)]
    pub company_name: Option<String>,
    /// The first name.
    #[serde(default)]
    pub first_name: Option<String>,
    /// The last name.
    #[serde(default)]
    pub last_name: Option<String>,
    /// Whether its machines have names in the DNS.
    #[serde(default, rename = "triton_cns_enabled")]
    pub cns_enabled: Option<bool>,
    /// When it was made.
    #[serde(default)]
    pub created: Option<String>,
    /// When it was last changed.
    #[serde(default)]
    pub updated: Option<String>,
}

/// An account's own settings.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct AccountConfig {
    /// The network of new Docker containers.
    #[serde(default)]
    pub default_network: Option<String>,
}

/// A public key of an account.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Key {
    /// Its name.
    pub name: String,
    /// Its bare MD5 fingerprint.
    pub fingerprint: String,
    /// The key in OpenSSH's one-line form.
    #[serde(default)]
    pub key: Option<String>,
}
