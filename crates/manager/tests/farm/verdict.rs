//! The first rule that was broken.

use std::sync::{Arc, Mutex};

use tokio::sync::Notify;

/// The first rule that was broken; clones share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Verdict(Arc<(Mutex<Option<String>>, Notify)>);

impl Verdict {
    /// Notes that a rule was broken; the first one counts.
    pub(crate) fn violate(&self, what: impl Into<String>) {
        self.0.0.lock().unwrap().get_or_insert(what.into());
        self.0.1.notify_one();
    }

    /// Notes what a rule says.
    pub(crate) fn judge(&self, verdict: Result<(), String>) {
        if let Err(what) = verdict {
            self.violate(what);
        }
    }

    /// Waits until a rule is broken.
    pub(crate) async fn violated(&self) -> String {
        loop {
            if let Some(what) = self.0.0.lock().unwrap().clone() {
                return what;
            }
            self.0.1.notified().await;
        }
    }
}
