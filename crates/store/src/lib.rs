//! The contract between vmpool and a store of records, and the stores that need no server.
//!
//! A [`Store`] keeps the records and the history of domains; whoever writes one runs
//! `vmpool_testkit::store_suite!` against it.
//!
//! | what | for |
//! |---|---|
//! | [`MemoryStore`] | tests and demos; its commits can be made to fail |

mod batch;
mod change;
mod error;
mod memory;
mod store;

pub use vmpool_model as model;

pub use crate::{
    batch::{Batch, Claim, Committed, Cursor, EventPage, Fence, Revision, Snapshot, StoredEvent},
    error::StoreError,
    memory::{CommitFault, MemoryStore},
    store::Store,
};
