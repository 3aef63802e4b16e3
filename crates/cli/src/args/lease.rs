//! The arguments of the commands about leases.

use std::{ffi::OsString, time::Duration};

use clap::Args;
use vmpool_api::duration::parse;

/// Leases a VM, and runs a command with it if one is given
///
/// Without a command it prints the lease, which ends after its time to live unless `vmpool renew` extends it.
///
/// With a command it runs the command on this host, with the VM in the environment variables VMPOOL_VM, VMPOOL_ADDRESS,
/// VMPOOL_ADDRESSES (comma-separated), VMPOOL_LEASE, VMPOOL_POOL, VMPOOL_NODE_ID, VMPOOL_EXPIRES_AT and VMPOOL_URL.
/// The lease is renewed while the command runs and released when it ends, and its exit code is passed on; 128 + n stands
/// for signal n. SIGINT and SIGTERM reach the command.
#[derive(Debug, Args)]
#[command(
    after_long_help = "Examples:\n  vmpool acquire builders\n  vmpool acquire builders --wait 5m --task build-17 -- ./run-tests.sh\n  \
                       vmpool acquire builders --wait 0s --output json"
)]
pub(crate) struct AcquireArgs {
    /// The pool
    pub(crate) pool: String,
    /// How long to wait for a VM; 0s fails at once if none is ready
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = parse)]
    pub(crate) wait: Duration,
    /// Who holds the lease [default: the user]
    #[arg(long, env = "VMPOOL_OWNER")]
    pub(crate) owner: Option<String>,
    /// A used VM is given again only to the same owner and the same sandbox
    #[arg(long)]
    pub(crate) sandbox: Option<String>,
    /// What the lease is for, such as the id of a build
    #[arg(long)]
    pub(crate) task: Option<String>,
    /// How long the lease lasts without renewal [default: the pool's]
    #[arg(long, value_name = "TIME", value_parser = parse)]
    pub(crate) ttl: Option<Duration>,
    /// An id of your own: the same id again is the same request and yields the same lease
    #[arg(long, value_name = "ID")]
    pub(crate) request: Option<String>,
    /// The command to run with the VM
    #[arg(last = true, value_name = "COMMAND")]
    pub(crate) command: Vec<OsString>,
}

/// Extends a lease
#[derive(Debug, Args)]
#[command(after_long_help = "Example:\n  vmpool renew \"$VMPOOL_LEASE\" --ttl 30m")]
pub(crate) struct RenewArgs {
    /// The lease, as `vmpool acquire` printed it
    pub(crate) lease: String,
    /// How long the lease lasts from now on [default: as long as it was given for]
    #[arg(long, value_name = "TIME", value_parser = parse)]
    pub(crate) ttl: Option<Duration>,
}

/// Destroys a VM, leased or not
#[derive(Debug, Args)]
#[command(after_long_help = "Example:\n  vmpool terminate builders-7f3a --reason hangs")]
pub(crate) struct TerminateArgs {
    /// The VM
    pub(crate) vm: String,
    /// Why, for the people who read the events
    #[arg(long, value_name = "TEXT", default_value = "terminated by an operator")]
    pub(crate) reason: String,
}
