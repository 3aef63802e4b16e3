//! What a provider can be told.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};

use super::{DriverOptions, InvalidConfig, validate::Misfits};
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
    ///
    /// VMs that start are looked at sooner by themselves.
    #[serde(with = "duration_text", default = "defaults::list_interval")]
    pub list_interval: Duration,
    /// How long any one request may take. Default: 60 s.
    #[serde(with = "duration_text", default = "defaults::request_timeout")]
    pub request_timeout: Duration,
    /// How long a new node may stay invisible to listings and look-ups. Default: 0 s.
    #[serde(with = "duration_text", default)]
    pub visibility_window: Duration,
    /// How long a create that was not answered may still take effect at the provider: only after that, and
    /// `visibility_window` besides, is a look-up believed that finds nothing, and the create repeated. Default:
    /// `request_timeout`.
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
    /// How many creates may be under way at once at most; fewer while the provider refuses them. Default: `max_concurrent`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_creating: Option<usize>,
    /// How many requests per second the account is asked at most, all pools together; fractions are allowed. Default: no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<f64>,
    /// How many requests may be made at once after a pause, where there is a `rate`. Default: 10.
    #[serde(default = "defaults::burst")]
    pub burst: u32,
    /// How much the account may have at once, those VMs included that are starting or being destroyed: `vms` counts VMs,
    /// other names are what the offers of pools need, such as `cores`. Default: no limit.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub quota: BTreeMap<String, u64>,
    /// After how many failures in a row, of creates or of listings, nothing more is created for a while. Default: 5.
    #[serde(default = "defaults::breaker_failures")]
    pub breaker_failures: u32,
    /// How long nothing is created then; it doubles each time the VM that is tried next fails. Default: 30 s.
    #[serde(with = "duration_text", default = "defaults::breaker_pause")]
    pub breaker_pause: Duration,
    /// The longest such pause. Default: 10 min.
    #[serde(with = "duration_text", default = "defaults::breaker_max_pause")]
    pub breaker_max_pause: Duration,
    /// If more than this percentage of the known nodes, and at least 5, are missing at once, none of them counts as lost until
    /// an operator says so or they are seen again; 100 is never. Default: 50.
    #[serde(default = "defaults::max_loss_percent")]
    pub max_loss_percent: u8,
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
            max_creating: None,
            rate: None,
            burst: defaults::burst(),
            quota: BTreeMap::new(),
            breaker_failures: defaults::breaker_failures(),
            breaker_pause: defaults::breaker_pause(),
            breaker_max_pause: defaults::breaker_max_pause(),
            max_loss_percent: defaults::max_loss_percent(),
            options: DriverOptions::default(),
        }
    }

    /// Returns how many creates may be under way at once at most.
    #[must_use]
    pub fn max_creating(&self) -> usize {
        self.max_creating.unwrap_or(self.max_concurrent)
    }

    /// Returns how long a create that was not answered may still take effect.
    #[must_use]
    pub fn create_settle(&self) -> Duration {
        self.create_settle.unwrap_or(self.request_timeout)
    }

    /// Returns how long after a create was given up its node may first be shown by a listing.
    #[must_use]
    pub fn settles(&self) -> Duration {
        self.create_settle() + self.visibility_window
    }

    /// Checks what no single value can tell.
    ///
    /// # Errors
    ///
    /// The first of all [`misfits`](Self::misfits).
    pub fn validate(&self) -> Result<(), InvalidConfig> {
        self.misfits().into_iter().next().map_or(Ok(()), Err)
    }

    /// Returns everything that no single value can tell and that does not fit.
    #[must_use]
    pub fn misfits(&self) -> Vec<InvalidConfig> {
        let zero = [
            ("list_interval", self.list_interval.is_zero(), "the provider would be listed without a pause"),
            ("request_timeout", self.request_timeout.is_zero(), "no request could ever be answered in time"),
            ("max_concurrent", self.max_concurrent == 0, "no request could ever be made"),
            ("max_creating", self.max_creating == Some(0), "no VM could ever be created"),
            ("burst", self.burst == 0, "no request could ever be made"),
            ("breaker_failures", self.breaker_failures == 0, "nothing could ever be created"),
            ("breaker_pause", self.breaker_pause.is_zero(), "there would be no pause"),
        ];
        let mut found = Misfits::default();
        for (key, _, why) in zero.into_iter().filter(|(_, is_zero, _)| *is_zero) {
            found.refuse(key, format!("it is 0, so {why}"));
        }
        if self.rate.is_some_and(|rate| !rate.is_finite() || rate <= 0.0) {
            found.refuse("rate", "it must be above 0");
        }
        if self.breaker_max_pause < self.breaker_pause {
            found.refuse("breaker_max_pause", "it must be at least breaker_pause");
        }
        if 100 < self.max_loss_percent {
            found.refuse("max_loss_percent", "it must be at most 100");
        }
        found.0
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
    pub(super) const fn burst() -> u32 {
        10
    }
    pub(super) const fn breaker_failures() -> u32 {
        5
    }
    pub(super) const fn breaker_pause() -> Duration {
        Duration::from_secs(30)
    }
    pub(super) const fn breaker_max_pause() -> Duration {
        Duration::from_secs(600)
    }
    pub(super) const fn max_loss_percent() -> u8 {
        50
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
        let config = ProviderConfig { burst: 0, max_loss_percent: 101, ..config };
        let told: Vec<_> = config.misfits().into_iter().map(|misfit| misfit.key).collect();
        assert_eq!(told, ["list_interval", "burst", "max_loss_percent"]);
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
