//! Commands that are run at turns of a VM's life.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::time::duration_text;

/// The hooks of a pool; none by default.
///
/// ```
/// use vmpool_model::config::HooksConfig;
/// let hooks: HooksConfig = serde_json::from_str(r#"{"before_release": {"command": ["/usr/bin/clean-vm"]}}"#)?;
/// assert_eq!(hooks.before_release.map(|hook| hook.timeout.as_secs()), Some(300));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct HooksConfig {
    /// Run once the VM has an address, before its first check; the VM is destroyed if it fails.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after_boot: Option<HookConfig>,
    /// Run after a lease, before the VM is used again; the VM is destroyed if it fails.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before_release: Option<HookConfig>,
    /// Run once the VM is proven gone; a failure is reported and changes nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after_destroy: Option<HookConfig>,
}

impl HooksConfig {
    /// Returns whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// One hook: a command on the daemon's host, with the VM in its environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct HookConfig {
    /// The command and its arguments; no shell is between.
    pub command: Vec<String>,
    /// How long it may take: after that it and all processes that it began are killed, which counts as a failure.
    /// Default: 5 min.
    #[serde(with = "duration_text", default = "timeout")]
    pub timeout: Duration,
}

impl HookConfig {
    /// Makes a hook that runs a command.
    #[must_use]
    pub fn new(command: Vec<String>) -> Self {
        Self { command, timeout: timeout() }
    }
}

const fn timeout() -> Duration {
    Duration::from_secs(300)
}

/// Which hook it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HookKind {
    /// After the VM has an address.
    AfterBoot,
    /// After a lease.
    BeforeRelease,
    /// After the VM is gone.
    AfterDestroy,
}

impl HookKind {
    /// Returns the hook's key in a configuration, such as `after_boot`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AfterBoot => "after_boot",
            Self::BeforeRelease => "before_release",
            Self::AfterDestroy => "after_destroy",
        }
    }
}

impl std::fmt::Display for HookKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}
