//! The error of a pool of VM ids.

use std::{collections::BTreeMap, io, path::PathBuf};

use vmpool_model::{Failure, NodeId};

/// Says what went wrong with a [`VmPool`](crate::VmPool).
///
/// Only [`NotFound`](Self::NotFound) says anything about whether a VM exists; in particular, refused
/// credentials and a missing driver never do.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum VmPoolError {
    /// The provider does not know the VM; it may still be in the pool.
    #[error("the provider knows no VM {id}")]
    NotFound {
        /// The VM.
        id: NodeId,
    },
    /// The provider refused the credentials; nothing is known of any VM.
    #[error("VM {id} cannot be looked up: the credentials were refused")]
    Authentication {
        /// The VM that was asked for.
        id: NodeId,
        /// What the driver said.
        #[source]
        source: Failure,
    },
    /// The provider could not be asked; nothing is known of the VM.
    #[error("VM {id} cannot be looked up")]
    Driver {
        /// The VM that was asked for.
        id: NodeId,
        /// What the driver said.
        #[source]
        source: Failure,
    },
    /// The VM is not in the cache, and the pool has no driver to ask.
    #[error("VM {id} cannot be looked up: the pool has no driver, give it one with `with_driver`")]
    NoDriver {
        /// The VM that was asked for.
        id: NodeId,
    },
    /// The provider answered with another VM than the one it was asked for; nothing was kept.
    #[error("asked for VM {asked}, the provider answered with VM {found}")]
    WrongNode {
        /// The VM that was asked for.
        asked: NodeId,
        /// The VM in the answer.
        found: NodeId,
    },
    /// The id is too long for a file name.
    #[error("the id {id} is too long to be kept in a file of its own")]
    IdTooLong {
        /// The id.
        id: NodeId,
    },
    /// As many VMs as the pool may have are in it or reserved; nothing was added.
    #[error("the pool has or reserved all of its {limit} VMs: remove one first")]
    LimitReached {
        /// The limit.
        limit: usize,
    },
    /// The path cannot be that of a pool: its last part is not a name.
    #[error("{} cannot be a pool: a pool needs a directory with a name", .path.display())]
    NoName {
        /// The path.
        path: PathBuf,
    },
    /// No pool can be written to the directory; nothing is ever overwritten.
    #[error("no pool can be written to {}: {why}; choose another directory", .path.display())]
    Occupied {
        /// The directory.
        path: PathBuf,
        /// Why not.
        why: &'static str,
    },
    /// A newer version of vmpool wrote the file.
    #[error("{} was written in format {found}, this version reads up to {known}: use the newer vmpool", .path.display())]
    NewerVersion {
        /// The file.
        path: PathBuf,
        /// The format found.
        found: u32,
        /// The newest format that this version reads.
        known: u32,
    },
    /// A file of the pool cannot be read; nothing was changed.
    #[error("{} is damaged: {reason}", .path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// Files of a pool cannot be read, or those of a directory cannot be imported; nothing was changed.
    #[error("{} damaged: {}", counted(.files.len()), told(.files))]
    DamagedFiles {
        /// The files, each with what is wrong with it.
        files: BTreeMap<PathBuf, String>,
    },
    /// Reading or writing the pool's directory failed.
    #[error("{operation} failed at {}: {message}", .path.display())]
    Io {
        /// What was tried.
        operation: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// The kind of failure.
        kind: io::ErrorKind,
        /// What the system said.
        message: String,
    },
}

fn counted(files: usize) -> String {
    match files {
        1 => "1 file is".to_owned(),
        files => format!("{files} files are"),
    }
}

fn told(files: &BTreeMap<PathBuf, String>) -> String {
    let files = files.iter().map(|(path, why)| format!("{}: {why}", path.display()));
    files.collect::<Vec<_>>().join("; ")
}

impl VmPoolError {
    /// Returns whether the provider does not know the VM.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::NotFound { .. })
    }

    pub(super) fn io(operation: &'static str, path: impl Into<PathBuf>, err: &io::Error) -> Self {
        Self::Io { operation, path: path.into(), kind: err.kind(), message: err.to_string() }
    }
}
