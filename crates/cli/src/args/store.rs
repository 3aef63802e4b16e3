//! The arguments of the commands about stored files.

use std::path::PathBuf;

use clap::Subcommand;

/// What can be done with stored files.
#[derive(Debug, Subcommand)]
pub(crate) enum StoreCommand {
    /// Takes over what another system stored
    #[command(
        subcommand,
        after_long_help = "Example:\n  vmpool store import gc3libs /var/lib/gc3libs/vmpool --into vms --dry-run"
    )]
    Import(ImportCommand),
    /// Lists the VMs of a VmPool: their ids and preferred addresses
    ///
    /// No provider and no daemon is asked, and programs that use the directory at the same time are not disturbed.
    ///
    /// A damaged file hides no other: the VMs of all others are listed, the damaged ones are named with what is wrong with
    /// each, and the exit code is 10.
    #[command(
        after_long_help = "Examples:\n  vmpool store ls vms\n  vmpool store ls vms --output json | jq -r '.vms[].id'"
    )]
    Ls {
        /// The directory of the VmPool
        dir: PathBuf,
    },
}

/// What can be imported.
#[derive(Debug, Subcommand)]
pub(crate) enum ImportCommand {
    /// Takes over the directory of gc3libs' VMPool, as a VmPool of vmpool
    ///
    /// Each file there is a VM: its name is the id, its content the preferred address or nothing. Hidden files, directories
    /// and what editors leave are skipped and told. The old directory is not changed, and nothing is overwritten: all VMs are
    /// imported, or none.
    ///
    /// If files are damaged, because they cannot be read or what they say is no address, all of them are named and nothing is
    /// imported; with --skip-damaged the VMs of all others are.
    #[command(
        after_long_help = "Examples:\n  vmpool store import gc3libs /var/lib/gc3libs/vmpool --into vms --dry-run\n  \
                           vmpool store import gc3libs /var/lib/gc3libs/vmpool --into vms\n  \
                           vmpool store import gc3libs /var/lib/gc3libs/vmpool --into vms --skip-damaged"
    )]
    Gc3libs {
        /// The directory of gc3libs
        dir: PathBuf,
        /// The new directory, which is not there yet or empty
        #[arg(long, value_name = "DIR")]
        into: PathBuf,
        /// Shows what would be imported and what is damaged, and writes nothing
        #[arg(long)]
        dry_run: bool,
        /// Leaves damaged files out and imports the others
        #[arg(long)]
        skip_damaged: bool,
    },
}
