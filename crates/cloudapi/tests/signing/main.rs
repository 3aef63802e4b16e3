//! Signing against the vectors, and keys in every form in which people have them.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests may panic")]

mod agent;
mod find;
mod forms;
mod vectors;

use std::path::PathBuf;

/// Returns the folder with the keys, which are made for these tests alone.
fn keys() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/keys")
}
