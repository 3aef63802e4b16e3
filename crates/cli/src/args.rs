//! What can be typed: the commands and their arguments.

#[cfg(feature = "serve")]
mod daemon;
#[cfg(all(test, feature = "serve"))]
mod guides;
mod lease;
mod listing;
#[cfg(feature = "serve")]
mod node;
mod operate;
#[cfg(feature = "sim")]
mod sim;
#[cfg(feature = "serve")]
mod store;
mod token;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

#[cfg(feature = "serve")]
pub(crate) use self::listing::ProviderCheckArgs;
#[cfg(feature = "sim")]
pub(crate) use self::sim::{BothArgs, CloudapiArgs, OpennebulaArgs, SimCommand, WorldArgs};
#[cfg(feature = "serve")]
pub(crate) use self::{
    daemon::{ConfigCommand, DemoArgs, ServeArgs},
    node::{At, DoctorArgs, NodeCommand, NodeCreateArgs},
    store::{ImportCommand, StoreCommand},
};
pub(crate) use self::{
    lease::{AcquireArgs, ReleaseArgs, RenewArgs, RequestCommand},
    listing::{EventsArgs, LeaseCommand, PoolCommand, ProviderCommand, TopArgs, VmCommand},
    operate::{DrainArgs, ForgetArgs, HoldArgs, ReloadArgs, TerminateArgs, UndrainArgs, UnholdArgs, user},
    token::TokenCommand,
};

/// Where the daemon is unless the command line or the environment says otherwise.
pub(crate) const DEFAULT_URL: &str = "http://127.0.0.1:7717";

/// Keeps pools of virtual machines ready on private clouds and hands them out.
#[derive(Debug, Parser)]
#[command(
    name = "vmpool",
    bin_name = "vmpool",
    version,
    arg_required_else_help = true,
    after_help = "Exit codes are listed in docs/cli.md. Every command explains itself: vmpool COMMAND --help",
    after_long_help = "Examples:\n  vmpool demo\n  vmpool serve --config vmpool.toml\n  vmpool acquire builders -- make check\n\n\
                       Exit codes are listed in docs/cli.md."
)]
pub(crate) struct Arguments {
    /// What applies to every command that asks a daemon.
    #[command(flatten)]
    pub(crate) global: Global,
    /// The command.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What applies to every command that asks a daemon.
#[derive(Debug, Clone, Args)]
pub(crate) struct Global {
    /// The daemon's address
    #[arg(
        long,
        global = true,
        env = "VMPOOL_URL",
        value_name = "URL",
        default_value = DEFAULT_URL,
        help_heading = "Options of every command that asks a daemon"
    )]
    pub(crate) url: String,
    /// A file with the token that says who asks; VMPOOL_TOKEN may hold the token itself [default: what a daemon on this host
    /// leaves for its own user]
    #[arg(
        long,
        global = true,
        env = "VMPOOL_TOKEN_FILE",
        value_name = "FILE",
        help_heading = "Options of every command that asks a daemon"
    )]
    pub(crate) token_file: Option<PathBuf>,
    /// A file with certificates in PEM that are trusted over https:// beside those of the system: of an authority, or the
    /// daemon's own
    #[arg(
        long,
        global = true,
        env = "VMPOOL_CA_FILE",
        value_name = "FILE",
        help_heading = "Options of every command that asks a daemon"
    )]
    pub(crate) ca_file: Option<PathBuf>,
    /// A file with a certificate in PEM that says over https:// who asks, where the daemon takes certificates
    #[arg(
        long,
        global = true,
        env = "VMPOOL_CERTIFICATE_FILE",
        value_name = "FILE",
        help_heading = "Options of every command that asks a daemon"
    )]
    pub(crate) certificate_file: Option<PathBuf>,
    /// The file with the private key of that certificate
    #[arg(
        long,
        global = true,
        env = "VMPOOL_KEY_FILE",
        value_name = "FILE",
        help_heading = "Options of every command that asks a daemon"
    )]
    pub(crate) key_file: Option<PathBuf>,
    /// How results are printed
    #[arg(
        long,
        short,
        global = true,
        value_enum,
        value_name = "FORMAT",
        default_value_t = Format::Table,
        help_heading = "Options of every command that asks a daemon"
    )]
    pub(crate) output: Format,
    /// When output is colored: NO_COLOR in the environment is as never, where nothing else is said
    #[arg(
        long,
        global = true,
        value_enum,
        value_name = "WHEN",
        default_value_t = clap::ColorChoice::Auto,
        help_heading = "Options of every command"
    )]
    pub(crate) color: clap::ColorChoice,
    /// Prints results and errors only, no notices
    #[arg(long, short, global = true, help_heading = "Options of every command that asks a daemon")]
    pub(crate) quiet: bool,
}

/// How results are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// A table for people
    Table,
    /// A table with more columns, where there are more
    Wide,
    /// JSON, exactly as the daemon's API answers: a list of pools is {"pools": [...]}
    Json,
    /// JSON, a line for each thing that is listed
    Jsonl,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    #[cfg(feature = "serve")]
    Demo(DemoArgs),
    #[cfg(feature = "serve")]
    Serve(ServeArgs),
    /// Checks a configuration file, or prints the default one
    #[cfg(feature = "serve")]
    #[command(
        subcommand,
        after_long_help = "Examples:\n  vmpool config default > vmpool.toml\n  vmpool config check vmpool.toml"
    )]
    Config(ConfigCommand),
    /// Exports, checks and imports stored records
    #[cfg(feature = "serve")]
    #[command(
        subcommand,
        after_long_help = "Examples:\n  vmpool store check /var/lib/vmpool\n  vmpool store export /var/lib/vmpool --to export.jsonl"
    )]
    Store(StoreCommand),
    /// Lists, shows, makes and ends nodes of a provider, without a daemon and whether or not they belong to a pool
    #[cfg(feature = "serve")]
    #[command(
        subcommand,
        after_long_help = "Examples:\n  vmpool node ls --provider lab\n  vmpool node destroy 7 --provider lab"
    )]
    Node(NodeCommand),
    #[cfg(feature = "serve")]
    Doctor(DoctorArgs),
    /// Simulates a cloud on this host, for testing what speaks to a real one
    #[cfg(feature = "sim")]
    #[command(subcommand, after_long_help = "Example:\n  vmpool sim opennebula")]
    Sim(SimCommand),
    /// Simulates a cloud on this host, in a program that was built with the feature sim
    #[cfg(not(feature = "sim"))]
    #[command(hide = true, after_long_help = "Example:\n  vmpool sim both")]
    Sim {
        /// What a program with the feature understands
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        words: Vec<String>,
    },
    /// What asks a daemon.
    #[command(flatten)]
    Ask(Ask),
    /// Prints the completions of a shell
    #[command(
        after_long_help = "Example:\n  vmpool completions bash > ~/.local/share/bash-completion/completions/vmpool"
    )]
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Writes a man page of every command into a directory
    #[command(after_long_help = "Example:\n  vmpool man ~/.local/share/man/man1")]
    Man {
        /// The directory, which is made if it is not there
        dir: PathBuf,
    },
}

impl Command {
    /// Returns the name of a command that asks no daemon, and those of the [`Global`] options that it does not take.
    pub(crate) fn without_options(&self) -> Option<(&'static str, &'static [&'static str])> {
        let none =
            ["url", "token_file", "ca_file", "certificate_file", "key_file", "output", "quiet"].as_slice();
        #[cfg(feature = "serve")]
        let local = none.get(..5).unwrap_or_default();
        match self {
            #[cfg(feature = "serve")]
            Self::Demo(_) => Some(("demo", none)),
            #[cfg(feature = "serve")]
            Self::Serve(_) => Some(("serve", none)),
            #[cfg(feature = "serve")]
            Self::Config(_) => Some(("config", none)),
            Self::Sim { .. } => Some(("sim", none)),
            Self::Completions { .. } => Some(("completions", none)),
            #[cfg(feature = "serve")]
            Self::Store(_) => Some(("store", local)),
            #[cfg(feature = "serve")]
            Self::Node(_) => Some(("node", local)),
            #[cfg(feature = "serve")]
            Self::Ask(Ask::Provider(ProviderCommand::Check(_))) => Some(("provider check", local)),
            #[cfg(feature = "serve")]
            Self::Doctor(_) => None,
            Self::Man { .. } => Some(("man", none)),
            Self::Ask(_) => None,
        }
    }
}

/// The commands that ask a daemon.
#[derive(Debug, Subcommand)]
pub(crate) enum Ask {
    Acquire(AcquireArgs),
    Renew(RenewArgs),
    Release(ReleaseArgs),
    /// Lists requests, shows one, or withdraws one
    #[command(
        subcommand,
        after_long_help = "Examples:\n  vmpool request ls\n  vmpool request cancel build-17"
    )]
    Request(RequestCommand),
    /// Says why a request waits: the limit that binds, and since when
    #[command(after_long_help = "Example:\n  vmpool explain build-17")]
    Explain {
        /// The request
        request: String,
    },
    Terminate(TerminateArgs),
    Hold(HoldArgs),
    Unhold(UnholdArgs),
    Forget(ForgetArgs),
    Drain(DrainArgs),
    Undrain(UndrainArgs),
    /// Lists pools, or shows one
    #[command(subcommand, after_long_help = "Examples:\n  vmpool pool ls\n  vmpool pool show builders")]
    Pool(PoolCommand),
    /// Lists VMs, shows one, or prints what happened to one
    #[command(
        subcommand,
        after_long_help = "Examples:\n  vmpool vm ls --pool builders --state ready\n  vmpool vm show builders-7f3a"
    )]
    Vm(VmCommand),
    /// Lists providers, shows or checks one, or accepts the loss of one's nodes
    #[command(
        subcommand,
        after_long_help = "Examples:\n  vmpool provider ls\n  vmpool provider check lab\n  vmpool provider accept-loss lab"
    )]
    Provider(ProviderCommand),
    /// Lists leases
    #[command(
        subcommand,
        after_long_help = "Example:\n  vmpool lease ls --output json | jq -r '.leases[].id'"
    )]
    Lease(LeaseCommand),
    /// Makes tokens, lists them, or revokes one
    #[command(
        subcommand,
        after_long_help = "Examples:\n  vmpool token create ci --role user > ci.token\n  vmpool token ls\n  vmpool token revoke ci"
    )]
    Token(TokenCommand),
    /// Says who the daemon takes you for, and what you may do
    #[command(after_long_help = "Example:\n  vmpool whoami")]
    Whoami,
    Events(EventsArgs),
    Top(TopArgs),
    /// Shows every pool with its VMs, all in one
    #[command(after_long_help = "Example:\n  vmpool info")]
    Info,
    Reload(ReloadArgs),
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn commands(command: &clap::Command, path: &str, found: &mut Vec<(String, clap::Command)>) {
        found.push((path.to_owned(), command.clone()));
        for sub in command.get_subcommands() {
            commands(sub, &format!("{path} {}", sub.get_name()), found);
        }
    }

    fn all() -> Vec<(String, clap::Command)> {
        let mut found = Vec::new();
        commands(&Arguments::command(), "vmpool", &mut found);
        found
    }

    #[test]
    fn the_command_line_is_well_formed() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn every_command_and_argument_says_what_it_is_for() {
        for (path, command) in all() {
            assert!(command.get_about().is_some(), "{path} has no help");
            for argument in command.get_arguments() {
                assert!(argument.get_help().is_some(), "{path}: {} has no help", argument.get_id());
            }
            let about = command.get_about().map(ToString::to_string).unwrap_or_default();
            assert!(!about.ends_with('.') && !about.contains('`'), "{path}: {about:?} is no help text");
        }
    }

    #[test]
    fn every_command_shows_an_example_that_parses() {
        for (path, command) in all() {
            let help = command.get_after_long_help().map(ToString::to_string).unwrap_or_default();
            let examples: Vec<&str> =
                help.lines().map(str::trim).filter(|line| line.starts_with("vmpool ")).collect();
            assert!(!examples.is_empty(), "{path} has no example");
            for example in examples {
                // What the shell would do with redirections and quotes is not ours to test.
                let words = example.split(" > ").next().unwrap().split(" | ").next().unwrap();
                let words = words.split_whitespace().map(|word| word.trim_matches('"'));
                assert!(Arguments::try_parse_from(words).is_ok(), "{example}");
            }
        }
    }
}
