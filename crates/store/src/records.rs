//! All records of a store as they are kept: for looking at them, saving them, and making a store of them again.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The format of an export that this version writes, and the newest that it reads.
pub const EXPORT_FORMAT: u32 = 1;

/// The first line of an export.
///
/// ```
/// let line = serde_json::to_string(&vmpool_store::ExportHead::new())?;
/// assert_eq!(line, r#"{"vmpool_export":1}"#);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportHead {
    /// The format of the lines that follow.
    pub vmpool_export: u32,
}

impl ExportHead {
    /// Returns the first line of an export that this version writes.
    #[must_use]
    pub fn new() -> Self {
        Self { vmpool_export: EXPORT_FORMAT }
    }
}

impl Default for ExportHead {
    fn default() -> Self {
        Self::new()
    }
}

/// The last line of an export: one that lacks it was broken off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportEnd {
    /// How many records there are before it.
    pub records: u64,
}

/// One record as it is kept, and one line of an export.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeptRecord {
    /// The domain that it belongs to.
    pub domain: String,
    /// What it is: `event`, `installation`, `lease`, `domain`, `pool`, `request` or `vm`.
    pub kind: String,
    /// Its name or id; of an event its cursor; nothing of what a domain has one of.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub id: String,
    /// Its body, such as `{"v":1,"vm":{…}}`, with all that is in it, whether this version knows it or not.
    pub body: Value,
}

/// A record that cannot be read, or does not fit the others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Misfit {
    /// Where it is.
    pub place: String,
    /// What is wrong with it.
    pub why: String,
}
