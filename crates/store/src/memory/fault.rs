//! The ways in which a commit to the store in memory can be made to fail.

use std::io;

use crate::StoreError;

/// How a commit is to fail; see [`MemoryStore::fail_next`](crate::MemoryStore::fail_next).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum CommitFault {
    /// The commit fails and certainly did not happen.
    NotApplied,
    /// No space is left; the commit did not happen.
    Full,
    /// The commit happens, but its caller is told that this is unknown.
    UnknownButApplied,
    /// The commit does not happen, but its caller is told that this is unknown.
    UnknownAndNotApplied,
}

impl CommitFault {
    pub(super) fn applies(self) -> bool {
        self == Self::UnknownButApplied
    }

    pub(super) fn error(self) -> StoreError {
        let place = "the store in memory".to_owned();
        let unknown = match self {
            Self::Full => return StoreError::Full { place },
            Self::NotApplied => false,
            Self::UnknownButApplied | Self::UnknownAndNotApplied => true,
        };
        let source = Box::new(io::Error::other("the test asked for this failure"));
        StoreError::Io { place, operation: "committing", unknown, source }
    }
}
