//! The contract between vmpool and a store of records, and the stores that need no server.
//!
//! A [`Store`] keeps the records and the history of domains; whoever writes one runs
//! `vmpool_testkit::store_suite!` against it.
//!
//! | what | for |
//! |---|---|
//! | [`MemoryStore`] | tests and demos; its commits can be made to fail |
//! | `SledStore` | one host; durable, in a directory (feature `sled`, on by default) |
//!
//! [`VmPool`] is something simpler: a set of VM ids in a directory, with a cache over a provider.

mod batch;
mod change;
mod error;
#[doc(hidden)]
pub mod fail_point;
mod memory;
mod records;
#[cfg(feature = "sled")]
mod sled_store;
mod store;
mod vm_pool;

pub use vmpool_model as model;

#[cfg(feature = "sled")]
pub use crate::sled_store::{SledCopy, SledImport, SledOptions, SledStore};
pub use crate::{
    batch::{
        Batch, Claim, Committed, Cursor, EventPage, Fence, RecordKind, Revision, Snapshot, StoredEvent,
        Unreadable,
    },
    error::StoreError,
    memory::{CommitFault, MemoryStore},
    records::{EXPORT_FORMAT, ExportEnd, ExportHead, KeptRecord, Misfit},
    store::Store,
    vm_pool::{Gc3libsVms, Reservation, SavedVmPool, VmKey, VmPool, VmPoolError, VmPoolFiles},
};
