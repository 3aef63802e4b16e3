//! The contract between vmpool and a store of records.

mod batch;
mod error;
mod store;

pub use crate::{
    batch::{Batch, Claim, Committed, Cursor, EventPage, Fence, Revision, Snapshot, StoredEvent},
    error::StoreError,
    store::Store,
};
