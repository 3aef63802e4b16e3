//! The arguments of the commands about tokens.

use std::time::Duration;

use clap::{Args, Subcommand};
use vmpool_api::{Role, duration::parse};

/// What can be done with tokens.
#[derive(Debug, Subcommand)]
pub(crate) enum TokenCommand {
    Create(CreateArgs),
    /// Lists the tokens, those included that ended not long ago
    #[command(after_long_help = "Example:\n  vmpool token ls --output json")]
    Ls,
    /// Revokes a token: from now on it is not taken any more
    #[command(after_long_help = "Example:\n  vmpool token revoke ci")]
    Revoke {
        /// The token's name or its id
        name: String,
    },
}

/// Makes a token and prints it; it is not shown again
///
/// Who has the token is what its role says: a reader sees everything, a user leases for its owner and sees what is its own,
/// an operator acts on VMs and pools and for any owner, an admin does everything.
#[derive(Debug, Args)]
#[command(
    after_long_help = "Examples:\n  vmpool token create ci --role user > ci.token\n  vmpool token create ada --role operator --ttl 720h"
)]
pub(crate) struct CreateArgs {
    /// Its name, which events tell
    pub(crate) name: String,
    /// What it allows: reader, user, operator or admin
    #[arg(long, value_name = "ROLE")]
    pub(crate) role: Role,
    /// Whom leases belong to that are acquired with it [default: its name]
    #[arg(long)]
    pub(crate) owner: Option<String>,
    /// For how long it is in force [default: until it is revoked]
    #[arg(long, value_name = "TIME", value_parser = parse)]
    pub(crate) ttl: Option<Duration>,
}
