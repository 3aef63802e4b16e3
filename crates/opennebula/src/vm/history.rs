//! Where a VM was, and what was done with it there.

use crate::document::Element;

/// One stay of a VM on a host.
///
/// Times are in seconds since the epoch, and 0 for what has not happened.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct HistoryRecord {
    /// The VM.
    pub vm_id: i32,
    /// The number of the stay, from 0.
    pub seq: i32,
    /// The host.
    pub host_id: i32,
    /// The name of the host.
    pub host: String,
    /// When the stay began.
    pub stime: i64,
    /// When the stay ended.
    pub etime: i64,
    /// When the VM began to run there.
    pub running_since: i64,
    /// When it ceased to run there.
    pub running_until: i64,
    /// The number of the action that ended the stay, or that was last done in it; 0 if there was none.
    pub action: i32,
}

impl HistoryRecord {
    /// Reads a `HISTORY` element; a field that is missing, as in short listings, is 0 or empty.
    #[must_use]
    pub fn read(element: &Element) -> Self {
        Self {
            vm_id: element.number("OID").unwrap_or(-1),
            seq: element.number("SEQ").unwrap_or(0),
            host_id: element.number("HID").unwrap_or(-1),
            host: element.text_of("HOSTNAME").to_owned(),
            stime: element.number("STIME").unwrap_or(0),
            etime: element.number("ETIME").unwrap_or(0),
            running_since: element.number("RSTIME").unwrap_or(0),
            running_until: element.number("RETIME").unwrap_or(0),
            action: element.number("ACTION").unwrap_or(0),
        }
    }
}
