//! The arguments of the commands that speak to a provider without a daemon.

use std::{path::PathBuf, time::Duration};

use clap::{Args, Subcommand};
use vmpool_api::duration::parse;

/// Which provider, and of which configuration.
#[derive(Debug, Args)]
pub(crate) struct At {
    /// The configuration file with the provider
    #[arg(long, short, env = "VMPOOL_CONFIG", value_name = "FILE", default_value = "vmpool.toml")]
    pub(crate) config: PathBuf,
    /// The provider [default: the only one]
    #[arg(long, short, value_name = "NAME")]
    pub(crate) provider: Option<String>,
}

/// What can be done with the nodes of a provider, whether or not they belong to a pool.
#[derive(Debug, Subcommand)]
pub(crate) enum NodeCommand {
    /// Lists all nodes of the account, and says which belong to a pool
    #[command(
        after_long_help = "Examples:\n  vmpool node ls --provider lab\n  vmpool node ls --config /etc/vmpool/vmpool.toml --output json"
    )]
    Ls {
        #[command(flatten)]
        at: At,
    },
    /// Shows one node with all that the provider tells about it
    #[command(after_long_help = "Example:\n  vmpool node show 7 --provider lab")]
    Show {
        /// Its id at the provider, or its name if no other node has it
        node: String,
        #[command(flatten)]
        at: At,
    },
    Create(NodeCreateArgs),
    /// Destroys a node
    ///
    /// It asks first. A node that belongs to a pool is replaced by its daemon, and its lease, if it has one, loses it: `vmpool
    /// terminate` is the better way then.
    #[command(
        after_long_help = "Examples:\n  vmpool node destroy 7 --provider lab\n  vmpool node destroy web-1 --provider lab --yes"
    )]
    Destroy {
        /// Its id at the provider, or its name if no other node has it
        node: String,
        /// Asks nobody
        #[arg(long, short)]
        yes: bool,
        #[command(flatten)]
        at: At,
    },
    /// Reboots a running node
    #[command(after_long_help = "Example:\n  vmpool node reboot 7 --provider lab")]
    Reboot {
        /// Its id at the provider, or its name if no other node has it
        node: String,
        #[command(flatten)]
        at: At,
    },
    /// Starts a stopped node
    #[command(after_long_help = "Example:\n  vmpool node start 7 --provider lab")]
    Start {
        /// Its id at the provider, or its name if no other node has it
        node: String,
        #[command(flatten)]
        at: At,
    },
    /// Stops a running node, which keeps its disk
    #[command(after_long_help = "Example:\n  vmpool node stop 7 --provider lab")]
    Stop {
        /// Its id at the provider, or its name if no other node has it
        node: String,
        #[command(flatten)]
        at: At,
    },
}

/// Creates a node that belongs to no pool
///
/// Nobody looks after it: it costs what it costs until it is destroyed with `vmpool node destroy`.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:\n  vmpool node create --template small --provider lab\n  \
                       vmpool node create --template small --name web-1 --label role=web --wait 5m --provider lab")]
pub(crate) struct NodeCreateArgs {
    /// What it is made from; its meaning is the driver's
    #[arg(long, short)]
    pub(crate) template: String,
    /// Its name [default: the driver chooses one]
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// A mark of the node; may be repeated
    #[arg(long = "label", value_name = "KEY=VALUE", value_parser = label)]
    pub(crate) labels: Vec<(String, String)>,
    /// The size, by the provider's id, if it is not the template's
    #[arg(long, value_name = "ID")]
    pub(crate) size: Option<String>,
    /// The image, by the provider's id, if it is not the template's
    #[arg(long, value_name = "ID")]
    pub(crate) image: Option<String>,
    /// How long to wait until it runs and has an address [default: not at all]
    #[arg(long, value_name = "TIME", value_parser = parse)]
    pub(crate) wait: Option<Duration>,
    #[command(flatten)]
    pub(crate) at: At,
}

fn label(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("KEY=VALUE is expected".to_owned()),
    }
}

/// Checks whether a daemon can run here, and how the one that runs is
///
/// It looks at the configuration, the state directory and its disk, the limits of the process, the clock, the daemon and each
/// provider, changes nothing, and says what to do about what it finds. It exits with 0 if nothing failed, warnings included,
/// else with 1.
#[derive(Debug, Args)]
#[command(
    after_long_help = "Examples:\n  vmpool doctor --config /etc/vmpool/vmpool.toml\n  vmpool doctor --output json\n  \
                       vmpool doctor --no-providers"
)]
pub(crate) struct DoctorArgs {
    /// The configuration file
    #[arg(long, short, env = "VMPOOL_CONFIG", value_name = "FILE", default_value = "vmpool.toml")]
    pub(crate) config: PathBuf,
    /// Asks no provider
    #[arg(long)]
    pub(crate) no_providers: bool,
}
