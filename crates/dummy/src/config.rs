//! What a dummy cloud can be told.

use std::{collections::BTreeSet, path::PathBuf, time::Duration};

use serde::{Deserialize, Serialize};
use vmpool_model::time::duration_text;

use crate::{Creds, FaultConfig};

/// What a dummy cloud can be told; with the defaults it is instant, faultless and without limits.
///
/// ```
/// use vmpool_dummy::DummyConfig;
/// let config: DummyConfig = serde_json::from_str(r#"{"boot_latency": "2s", "faults": {"lost_answers": 0.1}}"#)?;
/// assert_eq!(config.boot_latency.as_secs(), 2);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct DummyConfig {
    /// Where all random choices come from; the same calls with the same seed go the same way. Default: 0.
    pub seed: u64,
    /// The file in which the cloud outlives its process. Default: none, the cloud is in memory only.
    pub path: Option<PathBuf>,
    /// Behaves as libcloud's dummy driver with these credentials: its first nodes, its names, its size and
    /// image, and reboots that never end. Default: none.
    pub libcloud: Option<Creds>,
    /// How long a node is pending before it runs, and how long a stopped one is starting. Default: 0 s.
    #[serde(with = "duration_text")]
    pub boot_latency: Duration,
    /// How long a node is stopping before it is stopped. Default: 0 s.
    #[serde(with = "duration_text")]
    pub stop_latency: Duration,
    /// How long a node is rebooting before it runs again. Default: 0 s.
    #[serde(with = "duration_text")]
    pub reboot_latency: Duration,
    /// How long a node is terminating before it is gone. Default: 0 s.
    #[serde(with = "duration_text")]
    pub destroy_latency: Duration,
    /// How long a call takes, half of it before and half of it after it has its effect; without a
    /// [`Pause`](vmpool_driver::Pause) it takes no time. Default: 0 s.
    #[serde(with = "duration_text")]
    pub call_latency: Duration,
    /// How long a new node is invisible to every call, though listings call themselves complete. Default: 0 s.
    #[serde(with = "duration_text")]
    pub visibility_delay: Duration,
    /// Gives a new node the lowest id, and with it the address, that no node has, so that ids come back. Default: no.
    pub reuse_ids: bool,
    /// Gives a new node the lowest address that no node has, so that addresses come back. Default: no.
    pub reuse_addresses: bool,
    /// How many nodes there may be at once, those being destroyed included. Default: no limit.
    pub quota: Option<usize>,
    /// How one can log in to new nodes. Default: not at all.
    pub features: BTreeSet<Feature>,
    /// How many calls the history keeps. Default: 1000.
    pub history: usize,
    /// Says by itself when nodes change: by the calls of this process at once, and by the time if there is a
    /// [`Pause`](vmpool_driver::Pause). Default: no.
    pub events: bool,
    /// What goes wrong by chance. Default: nothing.
    pub faults: FaultConfig,
}

impl Default for DummyConfig {
    fn default() -> Self {
        Self {
            seed: 0,
            path: None,
            libcloud: None,
            boot_latency: Duration::ZERO,
            stop_latency: Duration::ZERO,
            reboot_latency: Duration::ZERO,
            destroy_latency: Duration::ZERO,
            call_latency: Duration::ZERO,
            visibility_delay: Duration::ZERO,
            reuse_ids: false,
            reuse_addresses: false,
            quota: None,
            features: BTreeSet::new(),
            history: 1000,
            events: false,
            faults: FaultConfig::default(),
        }
    }
}

impl DummyConfig {
    /// Chooses the seed.
    #[must_use]
    pub fn with_seed(self, seed: u64) -> Self {
        Self { seed, ..self }
    }

    /// Chooses the file in which the cloud outlives its process.
    #[must_use]
    pub fn with_path(self, path: impl Into<PathBuf>) -> Self {
        Self { path: Some(path.into()), ..self }
    }

    /// Chooses how long nodes boot.
    #[must_use]
    pub fn with_boot_latency(self, boot_latency: Duration) -> Self {
        Self { boot_latency, ..self }
    }

    /// Chooses how long nodes take to be destroyed.
    #[must_use]
    pub fn with_destroy_latency(self, destroy_latency: Duration) -> Self {
        Self { destroy_latency, ..self }
    }

    /// Limits how many nodes there may be at once.
    #[must_use]
    pub fn with_quota(self, quota: usize) -> Self {
        Self { quota: Some(quota), ..self }
    }

    /// Adds a way to log in.
    #[must_use]
    pub fn with_feature(mut self, feature: Feature) -> Self {
        self.features.insert(feature);
        self
    }

    /// Lets the cloud say by itself when nodes change.
    #[must_use]
    pub fn with_events(self) -> Self {
        Self { events: true, ..self }
    }

    /// Chooses what goes wrong by chance.
    #[must_use]
    pub fn with_faults(self, faults: FaultConfig) -> Self {
        Self { faults, ..self }
    }
}

/// A way to log in to a new node.
///
/// Source: the strings of libcloud's `features["create_node"]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Feature {
    /// `create` takes a public SSH key.
    SshKey,
    /// `create` takes a password.
    Password,
    /// `create` without a password makes one up and returns it in `extra["password"]`.
    GeneratesPassword,
}
