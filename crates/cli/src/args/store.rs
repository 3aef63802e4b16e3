//! The arguments of the commands about stored files.

use std::path::PathBuf;

use clap::Subcommand;

/// What can be done with stored files.
#[derive(Debug, Subcommand)]
pub(crate) enum StoreCommand {
    /// Takes over what another system stored, or an export
    #[command(
        subcommand,
        after_long_help = "Examples:\n  vmpool store import gc3libs /var/lib/gc3libs/vmpool --into vms --dry-run\n  \
                           vmpool store import records export.jsonl --into /var/lib/vmpool"
    )]
    Import(ImportCommand),
    /// Writes all records of a daemon's state directory as lines of JSON
    ///
    /// The daemon must be stopped. The directory is only read, from a copy of it in TMPDIR, so it may be a backup on a file
    /// system that is read-only. The lines are described in docs/operations.md; tokens are not among them.
    #[command(after_long_help = "Examples:\n  vmpool store export /var/lib/vmpool --to export.jsonl\n  \
                           vmpool store export /var/lib/vmpool | jq -r 'select(.kind == \"lease\") | .body.lease.owner'")]
    Export {
        /// The state directory of the daemon, or a copy of it
        dir: PathBuf,
        /// The file to write, which is not there yet [default: standard output]
        #[arg(long, value_name = "FILE")]
        to: Option<PathBuf>,
    },
    /// Reads every record of a daemon's state directory, and tells which cannot be read or do not fit the others
    ///
    /// The daemon must be stopped. The directory is only read, from a copy of it in TMPDIR. The exit code is 0 if all is as
    /// it should be, and 10 if something is not.
    #[command(after_long_help = "Example:\n  vmpool store check /var/lib/vmpool")]
    Check {
        /// The state directory of the daemon, or a copy of it
        dir: PathBuf,
    },
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
    /// Makes the state directory of a daemon of an export
    ///
    /// All records are imported or none, and nothing is overwritten. A daemon that is started with the directory goes on as
    /// the one would that was exported: never let both run.
    #[command(
        after_long_help = "Example:\n  vmpool store import records export.jsonl --into /var/lib/vmpool"
    )]
    Records {
        /// The export
        file: PathBuf,
        /// The new state directory, which is not there yet or empty
        #[arg(long, value_name = "DIR")]
        into: PathBuf,
    },
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
