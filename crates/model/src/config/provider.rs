//! What a provider can be told.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{DriverOptions, InvalidConfig};
use crate::time::{duration_text, optional_duration_text};

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
    /// How long a create that was not answered may still take effect at the provider: only after that
    /// is a look-up believed that finds nothing, and the create repeated. Default: `request_timeout`.
    #[serde(with = "optional_duration_text", default, skip_serializing_if = "Option::is_none")]
    pub create_settle: Option<Duration>,
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
            create_settle: None,
            missing_grace: defaults::missing_grace(),
            orphan_grace: defaults::orphan_grace(),
            max_concurrent: defaults::max_concurrent(),
            options: DriverOptions::default(),
        }
    }

    /// Returns how long a create that was not answered may still take effect.
    #[must_use]
    pub fn create_settle(&self) -> Duration {
        self.create_settle.unwrap_or(self.request_timeout)
    }

    /// Checks what no single value can tell.
    ///
    /// # Errors
    ///
    /// [`InvalidConfig`], which names the first key that does not fit and why.
    pub fn validate(&self) -> Result<(), InvalidConfig> {
        let zero = [
            ("list_interval", self.list_interval.is_zero(), "the provider would be listed without a pause"),
            ("request_timeout", self.request_timeout.is_zero(), "no request could ever be answered in time"),
            ("max_concurrent", self.max_concurrent == 0, "no request could ever be made"),
        ];
        match zero.into_iter().find(|(_, is_zero, _)| *is_zero) {
            Some((key, _, why)) => Err(InvalidConfig { key, reason: format!("it is 0, so {why}") }),
            None => Ok(()),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_fit() {
        assert_eq!(ProviderConfig::new("dummy").validate(), Ok(()));
    }

    #[test]
    fn an_interval_of_zero_is_refused_by_name() {
        let config = ProviderConfig { list_interval: Duration::ZERO, ..ProviderConfig::new("dummy") };
        assert_eq!(config.validate().unwrap_err().key, "list_interval");
    }

    #[test]
    fn a_create_settles_within_the_time_of_a_request_unless_told_otherwise() {
        let config: ProviderConfig =
            serde_json::from_str(r#"{"driver": "dummy", "request_timeout": "7s"}"#).unwrap();
        assert_eq!(config.create_settle(), Duration::from_secs(7));
        let config: ProviderConfig =
            serde_json::from_str(r#"{"driver": "dummy", "create_settle": "0s"}"#).unwrap();
        assert_eq!(config.create_settle(), Duration::ZERO);
    }
}
