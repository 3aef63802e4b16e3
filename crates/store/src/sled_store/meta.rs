//! The records about the store itself and about each domain.

use serde::{Deserialize, Serialize};

use crate::{Committed, Cursor, Fence, Revision};

/// The record of the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct StoreMeta {
    /// Grows with every write; the file `head` says how far it had certainly come.
    pub(super) sequence: u64,
}

/// The record of a domain, written in every batch that changes the domain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct DomainMeta {
    pub(super) fence: Fence,
    pub(super) revision: Revision,
    /// The cursor of the last event, whether it is kept or not.
    pub(super) cursor: Cursor,
    /// The cursor of the oldest event that is kept; one after [`cursor`](Self::cursor) if there is none.
    pub(super) oldest: Cursor,
    /// Who has claimed the domain, for people.
    pub(super) holder: String,
}

impl Default for DomainMeta {
    fn default() -> Self {
        Self {
            fence: Fence(0),
            revision: Revision(0),
            cursor: Cursor(0),
            oldest: Cursor(1),
            holder: String::new(),
        }
    }
}

impl DomainMeta {
    pub(super) fn committed(&self) -> Committed {
        Committed { revision: self.revision, cursor: self.cursor }
    }

    pub(super) fn log(&self) -> Log {
        Log { oldest: self.oldest, last: self.cursor }
    }

    /// Returns how many of the oldest events are to be removed now.
    ///
    /// It is none until it is worth the while, so that not every commit removes something.
    pub(super) fn excess(&self, keep: u64) -> u64 {
        const MOST: u64 = 4096;
        let kept = self.cursor.0 + 1 - self.oldest.0;
        let excess = kept.saturating_sub(keep);
        match excess < (keep / 10).clamp(1, 1024) {
            true => 0,
            false => excess.min(MOST),
        }
    }
}

/// Which events of a domain can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Log {
    pub(super) oldest: Cursor,
    pub(super) last: Cursor,
}

impl Log {
    pub(super) fn is_empty(self) -> bool {
        self.last < self.oldest
    }
}
