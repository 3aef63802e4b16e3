//! The tests of the stores, in one binary.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking, in its helpers, too"
)]

mod memory;
#[cfg(feature = "sled")]
mod sled_store;
mod vm_pool;
