//! The arguments of the commands that list and show.

use clap::{Args, Subcommand};

/// What can be done with pools.
#[derive(Debug, Subcommand)]
pub(crate) enum PoolCommand {
    /// Lists the pools
    #[command(after_long_help = "Example:\n  vmpool pool ls")]
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
    #[command(after_long_help = "Example:\n  vmpool vm ls --pool builders --state ready")]
    Ls(VmFilter),
    /// Shows one VM
    #[command(after_long_help = "Example:\n  vmpool vm show builders-7f3a")]
    Show {
        /// The VM
        name: String,
    },
}

/// Which VMs are listed.
#[derive(Debug, Default, Args)]
pub(crate) struct VmFilter {
    /// Only those of this pool
    #[arg(long)]
    pub(crate) pool: Option<String>,
    /// Only those in this state, such as ready or in_use
    #[arg(long)]
    pub(crate) state: Option<String>,
}

/// What can be done with leases.
#[derive(Debug, Clone, Copy, Subcommand)]
pub(crate) enum LeaseCommand {
    /// Lists the leases
    #[command(after_long_help = "Example:\n  vmpool lease ls --output json")]
    Ls,
}

/// Prints what happened, and what happens
///
/// The oldest event comes first. With --output json each event is one line.
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
