//! What a pool can be told.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::CheckConfig;
use crate::{ProviderName, time::duration_text};

/// How one pool is made and kept.
///
/// ```
/// use vmpool_model::config::PoolConfig;
/// let config: PoolConfig = serde_json::from_str(r#"{"provider": "lab", "template": "small", "size": 3}"#)?;
/// assert_eq!(config.max_total(), 3);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct PoolConfig {
    /// The provider that VMs are made at.
    pub provider: ProviderName,
    /// What the VMs are made from; its meaning is the driver's.
    pub template: String,
    /// How many VMs, leased ones included, the pool keeps. Default: 0.
    #[serde(default)]
    pub size: u32,
    /// How many VMs may exist at once, those being destroyed included. Default: the larger of `size` and `min_ready`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_total: Option<u32>,
    /// How many VMs the pool keeps beyond the leased ones, as far as `max_total` allows. Default: 0.
    #[serde(default)]
    pub min_ready: u32,
    /// How many VMs may be starting at once. Default: 2.
    #[serde(default = "defaults::max_starting")]
    pub max_starting: u32,
    /// The least time between two spawns. Default: 0 s.
    #[serde(with = "duration_text", default)]
    pub spawn_min_interval: Duration,
    /// How long a lease lasts without renewal, unless the request says otherwise. Default: 10 min.
    #[serde(with = "duration_text", default = "defaults::lease_ttl")]
    pub lease_ttl: Duration,
    /// The longest time that a request may ask for. Default: 24 h.
    #[serde(with = "duration_text", default = "defaults::max_lease_ttl")]
    pub max_lease_ttl: Duration,
    /// What becomes of a VM whose lease ended. Default: `destroy`.
    #[serde(default)]
    pub on_release: OnRelease,
    /// How long a used VM waits for its owner and sandbox to come again. Default: 2 min.
    #[serde(with = "duration_text", default = "defaults::dirty_timeout")]
    pub dirty_timeout: Duration,
    /// How long a ready VM that the pool no longer needs is kept. Default: 10 min.
    #[serde(with = "duration_text", default = "defaults::max_idle")]
    pub max_idle: Duration,
    /// How long a VM may take from its creation to an address. Default: 10 min.
    #[serde(with = "duration_text", default = "defaults::boot_timeout")]
    pub boot_timeout: Duration,
    /// How VMs are checked. Default: none.
    #[serde(default)]
    pub check: CheckConfig,
    /// How long one check may take. Default: 30 s.
    #[serde(with = "duration_text", default = "defaults::check_timeout")]
    pub check_timeout: Duration,
    /// How often a ready VM is checked again; 0 s is never. Default: 2 min.
    #[serde(with = "duration_text", default = "defaults::check_interval")]
    pub check_interval: Duration,
    /// How many checks in a row may fail before the VM is destroyed. Default: 2.
    #[serde(default = "defaults::max_check_fails")]
    pub max_check_fails: u32,
    /// The pause after a first failure; it doubles with every further one. Default: 1 s.
    #[serde(with = "duration_text", default = "defaults::retry_min")]
    pub retry_min: Duration,
    /// The longest pause after failures. Default: 5 min.
    #[serde(with = "duration_text", default = "defaults::retry_max")]
    pub retry_max: Duration,
}

/// What becomes of a VM whose lease ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnRelease {
    /// It is destroyed, and a new one takes its place.
    #[default]
    Destroy,
    /// It is kept for the same owner and sandbox until `dirty_timeout`.
    Reuse,
}

impl PoolConfig {
    /// Makes the configuration of a pool that keeps `size` VMs, with the defaults.
    #[must_use]
    pub fn new(provider: ProviderName, template: impl Into<String>, size: u32) -> Self {
        Self {
            provider,
            template: template.into(),
            size,
            max_total: None,
            min_ready: 0,
            max_starting: defaults::max_starting(),
            spawn_min_interval: Duration::ZERO,
            lease_ttl: defaults::lease_ttl(),
            max_lease_ttl: defaults::max_lease_ttl(),
            on_release: OnRelease::default(),
            dirty_timeout: defaults::dirty_timeout(),
            max_idle: defaults::max_idle(),
            boot_timeout: defaults::boot_timeout(),
            check: CheckConfig::None,
            check_timeout: defaults::check_timeout(),
            check_interval: defaults::check_interval(),
            max_check_fails: defaults::max_check_fails(),
            retry_min: defaults::retry_min(),
            retry_max: defaults::retry_max(),
        }
    }

    /// Returns how many VMs may exist at once, those being destroyed included.
    #[must_use]
    pub fn max_total(&self) -> u32 {
        self.max_total.unwrap_or(self.size.max(self.min_ready))
    }

    /// Checks what no single value can tell.
    ///
    /// # Errors
    ///
    /// [`InvalidConfig`], which names the first key that does not fit and why.
    pub fn validate(&self) -> Result<(), InvalidConfig> {
        let invalid = |key, reason: String| Err(InvalidConfig { key, reason });
        let max_total = self.max_total();
        if max_total == 0 {
            return invalid(
                "size",
                "size, min_ready or max_total must be above 0, or the pool stays empty".to_owned(),
            );
        }
        if max_total < self.size {
            return invalid("max_total", format!("it is {max_total}, which is below size ({})", self.size));
        }
        if max_total < self.min_ready {
            return invalid(
                "max_total",
                format!("it is {max_total}, which is below min_ready ({})", self.min_ready),
            );
        }
        if self.max_starting == 0 {
            return invalid("max_starting", "it is 0, so no VM could ever start".to_owned());
        }
        if self.lease_ttl.is_zero() || self.max_lease_ttl < self.lease_ttl {
            return invalid("lease_ttl", "it must be above 0 and at most max_lease_ttl".to_owned());
        }
        if self.check_timeout.is_zero() || self.boot_timeout.is_zero() {
            return invalid("boot_timeout", "boot_timeout and check_timeout must be above 0".to_owned());
        }
        if self.retry_min.is_zero() || self.retry_max < self.retry_min {
            return invalid("retry_min", "it must be above 0 and at most retry_max".to_owned());
        }
        Ok(())
    }
}

/// Says which key of a pool's configuration does not fit, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{key}: {reason}")]
pub struct InvalidConfig {
    /// The key.
    pub key: &'static str,
    /// Why it does not fit.
    pub reason: String,
}

mod defaults {
    use std::time::Duration;

    pub(super) const fn max_starting() -> u32 {
        2
    }
    pub(super) const fn lease_ttl() -> Duration {
        Duration::from_secs(600)
    }
    pub(super) const fn max_lease_ttl() -> Duration {
        Duration::from_secs(86_400)
    }
    pub(super) const fn dirty_timeout() -> Duration {
        Duration::from_secs(120)
    }
    pub(super) const fn max_idle() -> Duration {
        Duration::from_secs(600)
    }
    pub(super) const fn boot_timeout() -> Duration {
        Duration::from_secs(600)
    }
    pub(super) const fn check_timeout() -> Duration {
        Duration::from_secs(30)
    }
    pub(super) const fn check_interval() -> Duration {
        Duration::from_secs(120)
    }
    pub(super) const fn max_check_fails() -> u32 {
        2
    }
    pub(super) const fn retry_min() -> Duration {
        Duration::from_secs(1)
    }
    pub(super) const fn retry_max() -> Duration {
        Duration::from_secs(300)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pool() -> PoolConfig {
        PoolConfig::new(ProviderName::new("lab").unwrap(), "small", 2)
    }

    #[test]
    fn the_defaults_fit() {
        assert_eq!(pool().validate(), Ok(()));
    }

    #[test]
    fn a_maximum_below_the_size_is_refused_by_name() {
        let config = PoolConfig { max_total: Some(1), ..pool() };
        assert_eq!(config.validate().unwrap_err().key, "max_total");
    }

    #[test]
    fn an_unknown_key_is_refused() {
        let json = r#"{"provider": "lab", "template": "small", "sise": 3}"#;
        let err = serde_json::from_str::<PoolConfig>(json).unwrap_err();
        assert!(err.to_string().contains("unknown field `sise`"), "{err}");
    }
}
