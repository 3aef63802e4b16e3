//! The arguments of the commands about leases and requests.

use std::{ffi::OsString, time::Duration};

use clap::{Args, Subcommand};
use vmpool_api::duration::parse;

use super::operate::Who;

/// Leases a VM, or several at once, and runs a command with them if one is given
///
/// Without a command it prints the lease, which ends after its time to live unless `vmpool renew` extends it.
///
/// With a command it runs the command on this host, with the VM in the environment variables VMPOOL_VM, VMPOOL_ADDRESS,
/// VMPOOL_ADDRESSES (comma-separated), VMPOOL_LEASE, VMPOOL_FENCE, VMPOOL_POOL, VMPOOL_NODE_ID, VMPOOL_EXPIRES_AT and
/// VMPOOL_URL. Of several VMs these are the first one's, and VMPOOL_VMS, VMPOOL_ALL_ADDRESSES (one of each VM) and
/// VMPOOL_LEASES have all, separated by commas, in the same order.
/// The leases are renewed while the command runs and released when it ends, and its exit code is passed on; 128 + n stands
/// for signal n. SIGINT and SIGTERM reach the command.
#[derive(Debug, Args)]
#[command(
    after_long_help = "Examples:\n  vmpool acquire builders\n  vmpool acquire builders --wait 5m --task build-17 -- ./run-tests.sh\n  \
                       vmpool acquire builders --wait 0s --output json | jq -r .lease.id\n  vmpool acquire small,big --priority 10\n  \
                       vmpool acquire --label arch=x86_64 --label ssd --count 3 -- ./run-cluster.sh"
)]
pub(crate) struct AcquireArgs {
    /// The pool; or several with commas between, the one liked best first
    #[arg(value_name = "POOL,…", required_unless_present_any = ["more_pools", "labels"])]
    pub(crate) pools: Option<Pools>,
    /// One more pool that is as good; may be repeated
    #[arg(long = "pool", value_name = "POOL", value_delimiter = ',')]
    pub(crate) more_pools: Vec<String>,
    /// What the pool must be good for, such as arch=x86_64; may be repeated, and then all must be
    #[arg(long = "label", value_name = "LABEL")]
    pub(crate) labels: Vec<String>,
    /// How many VMs, all at once or none
    #[arg(long, value_name = "NUMBER", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) count: u32,
    /// Who is served first: the higher number
    #[arg(long, value_name = "NUMBER", default_value_t = 0, allow_negative_numbers = true)]
    pub(crate) priority: i32,
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
    /// An id of your own: the same id again is the same request and yields the same lease; of several leases those that last,
    /// and it tells which ended
    #[arg(long, value_name = "ID")]
    pub(crate) request: Option<String>,
    /// The command to run with the VM
    #[arg(last = true, value_name = "COMMAND")]
    pub(crate) command: Vec<OsString>,
}

/// Pools with commas between: one word, because a second one is more likely a command whose `--` was forgotten.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pools(pub(crate) Vec<String>);

impl From<String> for Pools {
    fn from(text: String) -> Self {
        Self(text.split(',').map(str::to_owned).collect())
    }
}

/// Extends a lease, or several at once
///
/// Of several leases, each that can be renewed is, and the exit code is that of the first one that cannot.
#[derive(Debug, Args)]
#[command(
    after_long_help = "Examples:\n  vmpool renew \"$VMPOOL_LEASE\" --ttl 30m\n  vmpool renew 1-17 1-18 1-19"
)]
pub(crate) struct RenewArgs {
    /// The lease, as `vmpool acquire` printed it; or several
    #[arg(value_name = "LEASE", required = true)]
    pub(crate) leases: Vec<String>,
    /// The fencing token that came with the one lease: another one is refused
    #[arg(long, value_name = "NUMBER")]
    pub(crate) fence: Option<u64>,
    /// How long the lease lasts from now on [default: as long as it was given for]
    #[arg(long, value_name = "TIME", value_parser = parse)]
    pub(crate) ttl: Option<Duration>,
}

/// Gives a VM back, or several at once
///
/// Of several leases, each that can be released is, and the exit code is that of the first one that cannot.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:\n  vmpool release \"$VMPOOL_LEASE\"\n  vmpool release 1-17 1-18 1-19")]
pub(crate) struct ReleaseArgs {
    /// The lease, as `vmpool acquire` printed it; or several
    #[arg(value_name = "LEASE", required = true)]
    pub(crate) leases: Vec<String>,
    /// The fencing token that came with the one lease: another one is refused
    #[arg(long, value_name = "NUMBER")]
    pub(crate) fence: Option<u64>,
    /// Who does it
    #[command(flatten)]
    pub(crate) who: Who,
}

/// What can be done with requests.
#[derive(Debug, Subcommand)]
pub(crate) enum RequestCommand {
    /// Lists the requests that wait or are remembered, with what they wait for
    #[command(after_long_help = "Example:\n  vmpool request ls")]
    Ls,
    /// Shows one request
    #[command(after_long_help = "Example:\n  vmpool request show build-17")]
    Show {
        /// The request
        id: String,
    },
    /// Withdraws a request; leases that it was given meanwhile are released
    #[command(after_long_help = "Example:\n  vmpool request cancel build-17")]
    Cancel {
        /// The request
        id: String,
        /// Who does it
        #[command(flatten)]
        who: Who,
    },
}

#[cfg(test)]
mod tests {
    use clap::{Args as _, Command};

    use super::*;

    fn pools(words: &[&str]) -> Option<Vec<String>> {
        let command = AcquireArgs::augment_args(Command::new("acquire"));
        let matches = command.try_get_matches_from([&["acquire"], words].concat()).ok()?;
        matches.get_one::<Pools>("pools").map(|pools| pools.0.clone())
    }

    #[test]
    fn pools_are_one_word_and_the_usage_says_so() {
        assert_eq!(pools(&["small,big"]), Some(vec!["small".to_owned(), "big".to_owned()]));
        assert_eq!(pools(&["small", "big"]), None);
        let mut command = AcquireArgs::augment_args(Command::new("acquire"));
        let usage = command.render_usage().to_string();
        assert!(usage.contains("[POOL,…] [-- <COMMAND>...]"), "{usage}");
    }
}
