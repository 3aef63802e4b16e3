//! The context of a trace, for drivers that speak HTTP to pass on.

use std::sync::OnceLock;

/// What says which trace a call belongs to.
static SOURCE: OnceLock<fn() -> Option<String>> = OnceLock::new();

/// Returns what a request that is made now sends as its header `traceparent`, as W3C Trace Context has it; `None` if nobody
/// traces.
///
/// It is that of the task that calls: ask before another task is spawned.
///
/// # Examples
///
/// ```
/// assert_eq!(vmpool_driver::traceparent(), None);
/// ```
#[must_use]
pub fn traceparent() -> Option<String> {
    SOURCE.get().and_then(|source| source())
}

/// Says what tells which trace a call belongs to; the first one that is said is kept. Returns whether this was it.
pub fn trace_with(source: fn() -> Option<String>) -> bool {
    SOURCE.set(source).is_ok()
}
