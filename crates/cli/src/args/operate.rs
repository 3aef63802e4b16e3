//! The arguments of the commands of an operator.

use std::time::Duration;

use clap::Args;
use vmpool_api::duration::parse;

/// Who does what an operator does.
#[derive(Debug, Args)]
pub(crate) struct Who {
    /// Who does it, for the people who read the events [default: the user]
    #[arg(long, env = "VMPOOL_OWNER", value_name = "NAME")]
    by: Option<String>,
}

impl Who {
    /// Returns the name, which is the user's if none was given.
    pub(crate) fn name(self) -> String {
        self.by.unwrap_or_else(user)
    }
}

/// Returns the name of the user, or where the environment has none, as in a container, the user's number.
pub(crate) fn user() -> String {
    let named = std::env::var("USER").ok().filter(|user| !user.is_empty());
    named.unwrap_or_else(|| format!("uid-{}", rustix::process::getuid().as_raw()))
}

/// Destroys a VM, leased or not
#[derive(Debug, Args)]
#[command(
    after_long_help = "Examples:\n  vmpool terminate builders-7f3a --reason hangs\n  vmpool terminate builders-7f3a --only-if ready"
)]
pub(crate) struct TerminateArgs {
    /// The VM
    pub(crate) vm: String,
    /// Why, for the people who read the events
    #[arg(long, value_name = "TEXT", default_value = "terminated by an operator")]
    pub(crate) reason: String,
    /// The state that the VM must be in, such as ready; terminating asks the provider again
    #[arg(long, value_name = "STATE")]
    pub(crate) only_if: Option<String>,
    /// Who does it
    #[command(flatten)]
    pub(crate) who: Who,
}

/// Keeps a VM for debugging: at once, or when its lease ends
///
/// A held VM is neither leased nor destroyed until it is given up with `vmpool unhold` or its time is over.
#[derive(Debug, Args)]
#[command(after_long_help = "Example:\n  vmpool hold builders-7f3a --reason flaky-disk --time 4h")]
pub(crate) struct HoldArgs {
    /// The VM
    pub(crate) vm: String,
    /// Why, for the people who find it; without it, a VM that is held keeps the reason it has
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
    /// For how long, max_hold_time of the pool at most; the VM is destroyed after that [default: 24h]
    #[arg(long, value_name = "TIME", value_parser = parse)]
    pub(crate) time: Option<Duration>,
    /// Who does it
    #[command(flatten)]
    pub(crate) who: Who,
}

/// Gives a held VM up: it is cleaned, checked and used again, or destroyed if a release of it would have destroyed it
///
/// What its last lease left behind is cleaned by the hook before_release of its pool, if there is one and it has not run for
/// that lease yet. What was done to the VM by hand is not: terminate one that was changed.
#[derive(Debug, Args)]
#[command(after_long_help = "Example:\n  vmpool unhold builders-7f3a")]
pub(crate) struct UnholdArgs {
    /// The VM
    pub(crate) vm: String,
    /// Who does it
    #[command(flatten)]
    pub(crate) who: Who,
}

/// Removes the record of a VM without proof that its node is gone
///
/// For nodes that a provider will never again say anything about. A lease of the VM ends. If the node is there after all,
/// it is found and destroyed as any node of ours that belongs to no record.
#[derive(Debug, Args)]
#[command(after_long_help = "Example:\n  vmpool forget builders-7f3a --reason the-rack-burned")]
pub(crate) struct ForgetArgs {
    /// The VM
    pub(crate) vm: String,
    /// Why; it is kept in the events
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: String,
    /// Who does it
    #[command(flatten)]
    pub(crate) who: Who,
}

/// Brings a pool to its end: nothing is made or leased any more, and what is not in use is destroyed
///
/// It stays so, also when the daemon is restarted, until `vmpool undrain`.
#[derive(Debug, Args)]
#[command(
    after_long_help = "Examples:\n  vmpool drain builders --reason new-image\n  vmpool drain builders --wait 1h"
)]
pub(crate) struct DrainArgs {
    /// The pool
    pub(crate) pool: String,
    /// Why, for the people whose requests are refused; without it, a pool that is drained keeps the reason it has
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
    /// How long to wait until the pool has no VM any more [default: not at all]
    #[arg(long, value_name = "TIME", value_parser = parse)]
    pub(crate) wait: Option<Duration>,
    /// Who does it
    #[command(flatten)]
    pub(crate) who: Who,
}

/// Lets a drained pool work again
#[derive(Debug, Args)]
#[command(after_long_help = "Example:\n  vmpool undrain builders")]
pub(crate) struct UndrainArgs {
    /// The pool
    pub(crate) pool: String,
    /// Who does it
    #[command(flatten)]
    pub(crate) who: Who,
}

/// Has the daemon read its configuration again; one that does not fit changes nothing
#[derive(Debug, Args)]
#[command(after_long_help = "Example:\n  vmpool reload")]
pub(crate) struct ReloadArgs {
    /// Who does it
    #[command(flatten)]
    pub(crate) who: Who,
}
