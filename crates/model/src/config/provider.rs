//! What a provider can be told.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::DriverOptions;
use crate::time::duration_text;

/// One configured account on one cloud.
///
/// ```
/// use std::time::Duration;
/// use vmpool_model::config::ProviderConfig;
/// let config: ProviderConfig = serde_json::from_str(r#"{"driver": "dummy", "list_interval": "2s"}"#)?;
/// assert_eq!(config.list_interval, Duration::from_secs(2));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ProviderConfig {
    /// The driver's name, such as `dummy`.
    pub driver: String,
    /// How often all nodes are listed, with one request for all pools. Default: 10 s.
    #[serde(with = "duration_text", default = "defaults::list_interval")]
    pub list_interval: Duration,
    /// How long any one request may take. Default: 60 s.
    #[serde(with = "duration_text", default = "defaults::request_timeout")]
    pub request_timeout: Duration,
    /// How long a new node may stay invisible to listings and look-ups. Default: 0 s.
    #[serde(with = "duration_text", default)]
    pub visibility_window: Duration,
    /// For how long, and in at least two complete listings, a known node must be absent before its VM
    /// counts as lost. Default: 30 s.
    #[serde(with = "duration_text", default = "defaults::missing_grace")]
    pub missing_grace: Duration,
    /// For how long, and in at least two complete listings, a node with our token must belong to no
    /// record before it is destroyed. Default: 60 s.
    #[serde(with = "duration_text", default = "defaults::orphan_grace")]
    pub orphan_grace: Duration,
    /// How many creates, look-ups and destroys may be under way at once. Default: 8.
    #[serde(default = "defaults::max_concurrent")]
    pub max_concurrent: usize,
    /// What only the driver understands.
    #[serde(default)]
    pub options: DriverOptions,
}

impl ProviderConfig {
    /// Makes the configuration of a provider with a driver and the defaults.
    #[must_use]
    pub fn new(driver: impl Into<String>) -> Self {
        Self {
            driver: driver.into(),
            list_interval: defaults::list_interval(),
            request_timeout: defaults::request_timeout(),
            visibility_window: Duration::ZERO,
            missing_grace: defaults::missing_grace(),
            orphan_grace: defaults::orphan_grace(),
            max_concurrent: defaults::max_concurrent(),
            options: DriverOptions::default(),
        }
    }
}

mod defaults {
    use std::time::Duration;

    pub(super) const fn list_interval() -> Duration {
        Duration::from_secs(10)
    }
    pub(super) const fn request_timeout() -> Duration {
        Duration::from_secs(60)
    }
    pub(super) const fn missing_grace() -> Duration {
        Duration::from_secs(30)
    }
    pub(super) const fn orphan_grace() -> Duration {
        Duration::from_secs(60)
    }
    pub(super) const fn max_concurrent() -> usize {
        8
    }
}
