//! The arguments of the commands that run a daemon or read its configuration.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// Shows a pool at work: starts a daemon on a cloud in memory, leases VMs, uses them, gives them back
///
/// The daemon and its clients are processes of their own. The cloud and the records stay in the state directory, so a
/// second demo goes on from there.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:\n  vmpool demo\n  vmpool demo --state-dir /tmp/demo --keep")]
pub(crate) struct DemoArgs {
    /// Where the cloud and the records of the demo stay
    #[arg(long, value_name = "DIR", default_value = "vmpool-state/demo")]
    pub(crate) state_dir: PathBuf,
    /// Leaves the daemon running and says how to use and stop it
    #[arg(long)]
    pub(crate) keep: bool,
    /// Where the daemon listens; port 0 picks a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    pub(crate) listen: std::net::SocketAddr,
}

/// Runs the daemon
///
/// SIGTERM and ctrl-c end it in good order; SIGHUP has it read its configuration again, as `vmpool reload` does. It prints the address it listens on. Logs go to standard error; RUST_LOG, such
/// as RUST_LOG=debug, overrides what the configuration says about them.
#[derive(Debug, Args)]
#[command(after_long_help = "Example:\n  vmpool serve --config vmpool.toml")]
pub(crate) struct ServeArgs {
    /// The configuration file
    #[arg(long, short, env = "VMPOOL_CONFIG", value_name = "FILE")]
    pub(crate) config: PathBuf,
}

/// What can be done with a configuration.
#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Checks a configuration file and changes nothing
    #[command(after_long_help = "Example:\n  vmpool config check vmpool.toml")]
    Check {
        /// The configuration file
        file: PathBuf,
    },
    /// Prints the default configuration, with its keys explained
    #[command(after_long_help = "Example:\n  vmpool config default > vmpool.toml")]
    Default,
    /// Prints the JSON Schema of the configuration, for editors, or the reference of its keys
    #[command(
        after_long_help = "Examples:\n  vmpool config schema > vmpool.schema.json\n  vmpool config schema --markdown"
    )]
    Schema {
        /// Prints the reference of every key, for people
        #[arg(long)]
        markdown: bool,
    },
}
