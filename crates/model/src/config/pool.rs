//! What a pool can be told.

use std::{collections::BTreeSet, time::Duration};

use serde::{Deserialize, Serialize};

use super::{CheckConfig, CheckMode, DemandConfig, HooksConfig, OfferConfig, ScheduleConfig};
use crate::{
    Label, PoolName, ProviderName,
    time::{duration_text, optional_duration_text},
};

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
    /// The provider that VMs are made at; absent if there are `offers`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<ProviderName>,
    /// What the VMs are made from; its meaning is the driver's. Absent if there are `offers`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<String>,
    /// Several ways to make the VMs, in place of `provider` and `template`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub offers: Vec<OfferConfig>,
    /// What requests may ask for in place of a pool's name. Default: none.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub labels: BTreeSet<Label>,
    /// The pool that serves this pool's requests while none of its own offers can be used. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fallback: Option<PoolName>,
    /// How many VMs, leased ones included, the pool keeps. Default: 0.
    #[serde(default)]
    pub size: u32,
    /// How many VMs may exist at once, those being destroyed included. Default: the larger of `size` and `min_ready`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_total: Option<u32>,
    /// How many VMs the pool keeps beyond the leased ones, as far as `max_total` allows. Default: 0.
    #[serde(default)]
    pub min_ready: u32,
    /// Keeps more VMs ready at some times of the week. Default: never.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub schedule: Vec<ScheduleConfig>,
    /// Keeps as many VMs ready as are likely to be asked for while one boots. Default: not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub demand: Option<DemandConfig>,
    /// How many leases of this pool each owner may hold at once, those of its sub-owners included; 0 is no limit. VMs that are
    /// kept for an owner do not count. Default: no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_per_owner: Option<u32>,
    /// How many VMs may be held for debugging at once. Default: 2.
    #[serde(default = "defaults::max_held")]
    pub max_held: u32,
    /// For how long a VM may be held at most, counted from when it is held or held again. Default: 7 days.
    #[serde(with = "duration_text", default = "defaults::max_hold_time")]
    pub max_hold_time: Duration,
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
    /// What becomes of a VM whose lease was released. Default: `destroy`.
    #[serde(default)]
    pub on_release: OnRelease,
    /// What becomes of a VM whose lease was not renewed in time. Default: `destroy`.
    #[serde(default)]
    pub on_expiry: OnExpiry,
    /// After how many leases a VM is destroyed. Default: no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_uses: Option<u32>,
    /// At what age a VM that is not in use is destroyed, counted from when it was asked for. Default: no limit.
    #[serde(with = "optional_duration_text", default, skip_serializing_if = "Option::is_none")]
    pub max_age: Option<Duration>,
    /// How long a used VM waits for its owner and sandbox to come again. Default: 2 min.
    #[serde(with = "duration_text", default = "defaults::dirty_timeout")]
    pub dirty_timeout: Duration,
    /// How long a ready VM that the pool no longer needs is kept. Default: 10 min.
    #[serde(with = "duration_text", default = "defaults::max_idle")]
    pub max_idle: Duration,
    /// How long a VM may take from its creation to an address. Default: 10 min.
    #[serde(with = "duration_text", default = "defaults::boot_timeout")]
    pub boot_timeout: Duration,
    /// How long a VM may take from its address to its first passed check, however many checks fail until then. Default: until
    /// `max_check_fails`.
    #[serde(with = "optional_duration_text", default, skip_serializing_if = "Option::is_none")]
    pub start_timeout: Option<Duration>,
    /// How VMs are checked. Default: none.
    #[serde(default)]
    pub check: CheckConfig,
    /// How long one check may take. Default: 30 s.
    #[serde(with = "duration_text", default = "defaults::check_timeout")]
    pub check_timeout: Duration,
    /// How often a ready VM is checked again; 0 s is never. Default: 2 min.
    #[serde(with = "duration_text", default = "defaults::check_interval")]
    pub check_interval: Duration,
    /// When VMs that are ready are checked again. Default: `periodic`.
    #[serde(default)]
    pub check_mode: CheckMode,
    /// After how long a check without an outcome counts as failed, time in a queue included. Default: 5 min.
    #[serde(with = "duration_text", default = "defaults::check_max_time")]
    pub check_max_time: Duration,
    /// How many checks of this pool may be under way at once. Default: 256.
    #[serde(default = "defaults::max_checks")]
    pub max_checks: u32,
    /// How many hooks of this pool may be under way at once. Default: 32.
    #[serde(default = "defaults::max_hooks")]
    pub max_hooks: u32,
    /// Commands that are run at turns of a VM's life. Default: none.
    #[serde(default)]
    pub hooks: HooksConfig,
    /// After how long a VM that is being destroyed and is not gone yet is reported. Default: 10 min.
    #[serde(with = "duration_text", default = "defaults::terminating_timeout")]
    pub terminating_timeout: Duration,
    /// Lets the provider itself destroy a VM this long after vmpool was last heard of, where its driver can; it must be at least
    /// 30 min. Default: never.
    #[serde(with = "optional_duration_text", default, skip_serializing_if = "Option::is_none")]
    pub cloud_expiry: Option<Duration>,
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
    /// It is kept for the same owner and sandbox until `dirty_timeout`; the hook `before_release` runs before, if there is one.
    Reuse,
    /// The hook `before_release` cleans it, and anybody may get it.
    Clean,
}

/// What becomes of a VM whose lease was not renewed in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnExpiry {
    /// It is destroyed, and a new one takes its place.
    #[default]
    Destroy,
    /// The hook `before_release` cleans it, and anybody may get it.
    Clean,
    /// It is held for debugging, as far as `max_held` allows, and destroyed beyond that.
    Hold,
}

impl PoolConfig {
    /// Makes the configuration of a pool that keeps `size` VMs, with the defaults.
    #[must_use]
    pub fn new(provider: ProviderName, template: impl Into<String>, size: u32) -> Self {
        Self {
            provider: Some(provider),
            template: Some(template.into()),
            offers: Vec::new(),
            labels: BTreeSet::new(),
            fallback: None,
            size,
            max_total: None,
            min_ready: 0,
            schedule: Vec::new(),
            demand: None,
            max_per_owner: None,
            max_held: defaults::max_held(),
            max_hold_time: defaults::max_hold_time(),
            max_starting: defaults::max_starting(),
            spawn_min_interval: Duration::ZERO,
            lease_ttl: defaults::lease_ttl(),
            max_lease_ttl: defaults::max_lease_ttl(),
            on_release: OnRelease::default(),
            on_expiry: OnExpiry::default(),
            max_uses: None,
            max_age: None,
            dirty_timeout: defaults::dirty_timeout(),
            max_idle: defaults::max_idle(),
            boot_timeout: defaults::boot_timeout(),
            start_timeout: None,
            check: CheckConfig::None,
            check_mode: CheckMode::default(),
            check_max_time: defaults::check_max_time(),
            max_checks: defaults::max_checks(),
            max_hooks: defaults::max_hooks(),
            hooks: HooksConfig::default(),
            terminating_timeout: defaults::terminating_timeout(),
            cloud_expiry: None,
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

    /// Returns all offers; `provider` and `template` are one.
    #[must_use]
    pub fn offers(&self) -> Vec<OfferConfig> {
        match (&self.provider, &self.template) {
            (Some(provider), Some(template)) if self.offers.is_empty() => {
                vec![OfferConfig::new(provider.clone(), template.clone())]
            }
            _ => self.offers.clone(),
        }
    }
}

/// What holds where a configuration says nothing.
pub(crate) mod defaults {
    use std::time::Duration;

    pub(super) const fn max_starting() -> u32 {
        2
    }
    pub(super) const fn lease_ttl() -> Duration {
        Duration::from_secs(600)
    }
    pub(crate) const fn max_lease_ttl() -> Duration {
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
    pub(crate) const fn max_held() -> u32 {
        2
    }
    pub(crate) const fn max_hold_time() -> Duration {
        Duration::from_secs(7 * 86_400)
    }
    pub(super) const fn check_max_time() -> Duration {
        Duration::from_secs(300)
    }
    pub(super) const fn max_checks() -> u32 {
        256
    }
    pub(super) const fn max_hooks() -> u32 {
        32
    }
    pub(super) const fn terminating_timeout() -> Duration {
        Duration::from_secs(600)
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
