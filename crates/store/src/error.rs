//! The error of every store.

use std::error::Error;

use crate::{Fence, Revision};

/// Says what went wrong with a store, whether the commit may have happened, and what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Another process has the store open.
    #[error("{place} is in use by another process{}: stop that one, or choose another directory", numbered(.process))]
    InUse {
        /// The store.
        place: String,
        /// The id of that process, if it is known.
        process: Option<u32>,
    },
    /// Something else is where the store's directory is to be.
    #[error("{place} is not a directory: move it away, or choose another directory")]
    NotADirectory {
        /// What is there instead.
        place: String,
    },
    /// A newer version of vmpool wrote the store.
    #[error("{place} was written in format {found}, this version reads up to {known}: use the newer vmpool")]
    NewerVersion {
        /// The store or the record.
        place: String,
        /// The format found.
        found: u32,
        /// The newest format that this version reads.
        known: u32,
    },
    /// Something in the store cannot be read.
    #[error("{place} is damaged: {reason}; nothing was changed, keep a copy before you repair it")]
    Damaged {
        /// The store or the record.
        place: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The disk is full.
    #[error("{place}: no space is left; nothing was written, make room and try again")]
    Full {
        /// The store.
        place: String,
    },
    /// Another owner has claimed the domain since.
    #[error("the ownership with fence {} was superseded by fence {}: this process must not write any more", .held.0, .current.0)]
    Fenced {
        /// The fence of the claim that was used.
        held: Fence,
        /// The fence of the claim that holds.
        current: Fence,
    },
    /// The domain is not at the revision that the batch expects.
    #[error("the records are at revision {}, not {}: load them again", .found.0, .expected.0)]
    Conflict {
        /// The revision that the batch expects.
        expected: Revision,
        /// The revision that the domain is at.
        found: Revision,
    },
    /// Reading or writing failed.
    #[error("{place}: {operation} failed{}", if *.unknown { " and may have happened" } else { "" })]
    Io {
        /// The store.
        place: String,
        /// What was tried.
        operation: &'static str,
        /// Whether a commit may have happened.
        unknown: bool,
        /// Why it failed.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
}

impl StoreError {
    /// Returns whether a failed commit may have happened.
    #[must_use]
    pub fn is_unknown(&self) -> bool {
        matches!(self, Self::Io { unknown: true, .. })
    }
}

fn numbered(process: &Option<u32>) -> String {
    process.map(|id| format!(" ({id})")).unwrap_or_default()
}
