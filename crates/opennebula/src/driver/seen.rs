//! Since when VMs are seen in a state.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

/// Since when VMs are seen in a state that they should not stay in.
///
/// How long a VM is in a state is not in its document, so what was seen counts.
#[derive(Debug, Default)]
pub(super) struct Seen(Mutex<BTreeMap<i32, Instant>>);

/// How many VMs are remembered; those that left the state in between are never asked about again.
const REMEMBERED: usize = 10_000;

impl Seen {
    /// Returns for how long a VM has been in the state: not at all when it is seen for the first time.
    pub(super) fn since(&self, id: i32) -> Duration {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if REMEMBERED <= seen.len() {
            // Ids grow, so the lowest one was seen first.
            seen.pop_first();
        }
        seen.entry(id).or_insert_with(Instant::now).elapsed()
    }

    /// Forgets a VM, which is in another state now.
    pub(super) fn forget(&self, id: i32) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
    }

    /// Forgets all VMs but some.
    pub(super) fn keep(&self, ids: &[i32]) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).retain(|id, _| ids.contains(id));
    }
}
