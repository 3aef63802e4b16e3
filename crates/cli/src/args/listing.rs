//! The arguments of the commands that list and show.

use clap::{Args, Subcommand};
use vmpool_api::VmFilter;

use super::operate::Who;

/// What can be done with pools.
#[derive(Debug, Subcommand)]
pub(crate) enum PoolCommand {
    /// Lists the pools
    #[command(after_long_help = "Examples:\n  vmpool pool ls\n  vmpool pool ls --output wide")]
    Ls,
    /// Shows one pool
    #[command(after_long_help = "Example:\n  vmpool pool show builders --output json")]
    Show {
        /// The pool
        name: String,
    },
}

/// What can be done with VMs.
#[derive(Debug, Subcommand)]
pub(crate) enum VmCommand {
    /// Lists the VMs
    #[command(
        after_long_help = "Examples:\n  vmpool vm ls --pool builders --state ready,held\n  vmpool vm ls --task build-17"
    )]
    Ls(Which),
    /// Shows one VM
    #[command(after_long_help = "Example:\n  vmpool vm show builders-7f3a")]
    Show {
        /// The VM
        name: String,
    },
    /// Prints all that happened to a VM and is still known, also when the VM is gone
    #[command(after_long_help = "Example:\n  vmpool vm history builders-7f3a")]
    History {
        /// The VM
        name: String,
    },
}

/// What can be done with providers.
#[derive(Debug, Subcommand)]
pub(crate) enum ProviderCommand {
    /// Lists the providers
    #[command(after_long_help = "Example:\n  vmpool provider ls")]
    Ls,
    /// Shows one provider
    #[command(after_long_help = "Example:\n  vmpool provider show lab")]
    Show {
        /// The provider
        name: String,
    },
    #[cfg(feature = "serve")]
    Check(ProviderCheckArgs),
    /// Says that the nodes that are missing all at once are lost indeed
    ///
    /// Too many missing nodes look like a fault of the provider, so nothing is done about them until somebody says this or
    /// they are seen again.
    #[command(after_long_help = "Example:\n  vmpool provider accept-loss lab")]
    AcceptLoss {
        /// The provider
        name: String,
        /// Who does it
        #[command(flatten)]
        who: Who,
    },
}

/// Checks providers of a configuration without a daemon: connects, logs in, lists, and says what is missing
///
/// Nothing is made or changed at the provider. It exits with 0 if nothing failed, else with 12.
#[cfg(feature = "serve")]
#[derive(Debug, Args)]
#[command(
    after_long_help = "Examples:\n  vmpool provider check\n  vmpool provider check lab --config /etc/vmpool/vmpool.toml"
)]
pub(crate) struct ProviderCheckArgs {
    /// The provider [default: all]
    pub(crate) name: Option<String>,
    /// The configuration file with the provider
    #[arg(long, short, env = "VMPOOL_CONFIG", value_name = "FILE", default_value = "vmpool.toml")]
    pub(crate) config: std::path::PathBuf,
}

/// Which VMs are listed.
#[derive(Debug, Default, Args)]
pub(crate) struct Which {
    /// Only those of this pool
    #[arg(long)]
    pub(crate) pool: Option<String>,
    /// Only those in one of these states, such as ready or in_use
    #[arg(long, value_name = "STATE,…", value_delimiter = ',')]
    pub(crate) state: Vec<String>,
    /// Only those with this IP address
    #[arg(long)]
    pub(crate) address: Option<String>,
    /// Only those whose lease is for this task
    #[arg(long)]
    pub(crate) task: Option<String>,
    /// Only those that this owner uses or used last
    #[arg(long)]
    pub(crate) owner: Option<String>,
}

impl From<Which> for VmFilter {
    fn from(which: Which) -> Self {
        let mut filter = Self::default().with_states(which.state);
        (filter.pool, filter.address) = (which.pool, which.address);
        (filter.task, filter.owner) = (which.task, which.owner);
        filter
    }
}

/// What can be done with leases.
#[derive(Debug, Clone, Copy, Subcommand)]
pub(crate) enum LeaseCommand {
    /// Lists the leases
    #[command(after_long_help = "Example:\n  vmpool lease ls --output json | jq -r '.leases[].id'")]
    Ls,
}

/// Prints what happened, and what happens
///
/// The oldest event comes first. With --output json or jsonl each event is one line.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:\n  vmpool events\n  vmpool events --follow --output json")]
pub(crate) struct EventsArgs {
    /// Goes on printing until ctrl-c
    #[arg(long, short)]
    pub(crate) follow: bool,
    /// Only events after this one; every event is printed with its cursor
    #[arg(long, value_name = "CURSOR")]
    pub(crate) after: Option<u64>,
}

/// Shows pools, who waits and what happens, live
///
/// Keys: q quits, p pauses, the arrows choose a pool and enter shows it whole. Where there is no terminal, and with --output
/// json, it prints once.
#[derive(Debug, Args)]
#[command(
    after_long_help = "Examples:\n  vmpool top\n  vmpool top builders --interval 500ms\n  vmpool top | cat"
)]
pub(crate) struct TopArgs {
    /// Only this pool, its requests and its events
    pub(crate) pool: Option<String>,
    /// How often the daemon is asked
    #[arg(long, value_name = "TIME", default_value = "2s", value_parser = interval)]
    pub(crate) interval: std::time::Duration,
}

fn interval(text: &str) -> Result<std::time::Duration, String> {
    match vmpool_api::duration::parse(text) {
        Ok(time) if time.is_zero() => Err("a time above 0 is expected".to_owned()),
        Ok(time) => Ok(time),
        Err(err) => Err(err.to_string()),
    }
}
