//! What goes into a store and comes out of it.

use serde::{Deserialize, Serialize};
use vmpool_model::{Change, DomainName, Event, InstallationId, Lease, PoolRecord, RequestRecord, VmRecord};

/// Grows with every claim of a domain: a write with an older fence is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct Fence(pub u64);

/// Grows with every commit to a domain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct Revision(pub u64);

/// A place in the event log; `Cursor(0)` is before the first event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct Cursor(pub u64);

/// The ownership of a domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The domain.
    pub domain: DomainName,
    /// The fence of this ownership.
    pub fence: Fence,
}

/// What is written together: all of it or nothing.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Batch {
    /// The revision that the domain must be at.
    pub expected: Revision,
    /// The changes, in order: a later one of the same record wins.
    pub changes: Vec<Change>,
    /// The events, in order.
    pub events: Vec<Event>,
}

/// What a commit made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Committed {
    /// The domain's revision now.
    pub revision: Revision,
    /// The cursor of the last event in the log now.
    pub cursor: Cursor,
}

/// All records of a domain at one revision.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Snapshot {
    /// The revision.
    pub revision: Revision,
    /// The cursor of the last event in the log.
    pub cursor: Cursor,
    /// The installation's id, once it was written.
    pub installation: Option<InstallationId>,
    /// The VM records, by name.
    pub vms: Vec<VmRecord>,
    /// The leases, by id.
    pub leases: Vec<Lease>,
    /// The requests, by id.
    pub requests: Vec<RequestRecord>,
    /// What is remembered of pools, by name.
    pub pools: Vec<PoolRecord>,
    /// The records that are there and cannot be read, by kind and id: nothing of them is known, and no other record
    /// suffers from them.
    pub unreadable: Vec<Unreadable>,
}

/// A record that is there and cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    /// What kind of record it is.
    pub kind: RecordKind,
    /// The name or id that it is kept under.
    pub id: String,
    /// Why it cannot be read, for people.
    pub why: String,
}

/// The kinds of records of a domain of which there are many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum RecordKind {
    /// A VM.
    Vm,
    /// A lease.
    Lease,
    /// A request.
    Request,
    /// What is remembered of a pool.
    Pool,
}

impl RecordKind {
    /// Returns the kind as text, such as `lease`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Vm => "vm",
            Self::Lease => "lease",
            Self::Request => "request",
            Self::Pool => "pool",
        }
    }
}

impl std::fmt::Display for RecordKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

/// An event and its place in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEvent {
    /// The place: give it to [`Store::events`](crate::Store::events) to read on after it.
    pub cursor: Cursor,
    /// The event.
    pub event: Event,
}

/// A part of the event log.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EventPage {
    /// The events, oldest first.
    pub events: Vec<StoredEvent>,
    /// The cursor of the oldest event that is still kept, `Cursor(0)` if there is none; what was before it
    /// was trimmed.
    pub oldest: Cursor,
}
