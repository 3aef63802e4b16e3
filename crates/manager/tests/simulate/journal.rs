//! What happened in a life, and the first rule that was broken.

use std::sync::{Arc, Mutex};

use tokio::{sync::Notify, time::Instant};

/// What happened, in order; clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Journal(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    began: Instant,
    lines: Option<Mutex<Vec<String>>>,
    violation: Mutex<Option<String>>,
    violated: Notify,
    /// The last moment, in milliseconds, and how much happened at it.
    moment: Mutex<(u128, u32)>,
}

/// How much may happen within one millisecond.
const MOST: u32 = 20_000;

impl Journal {
    /// Begins a journal; its lines are kept only if they are wanted, since they take most of the time.
    pub(crate) fn new(is_told: bool) -> Self {
        Self(Arc::new(Shared {
            began: Instant::now(),
            lines: is_told.then(Mutex::default),
            violation: Mutex::default(),
            violated: Notify::new(),
            moment: Mutex::default(),
        }))
    }

    /// Notes what happened.
    pub(crate) fn note(&self, line: impl FnOnce() -> String) {
        let at = self.0.began.elapsed().as_millis();
        self.count(at);
        if let Some(lines) = &self.0.lines {
            lines.lock().unwrap().push(format!("{at:>9} {}", line()));
        }
    }

    /// Notices who is so busy that time cannot pass.
    fn count(&self, at: u128) {
        let mut moment = self.0.moment.lock().unwrap();
        *moment = if moment.0 == at { (at, moment.1 + 1) } else { (at, 0) };
        if moment.1 == MOST {
            drop(moment);
            self.violate("so much happens at once that time stands still");
        }
    }

    /// Notes that a rule was broken; the first one counts.
    pub(crate) fn violate(&self, what: impl Into<String>) {
        let what = what.into();
        self.note(|| format!("BROKEN: {what}"));
        self.0.violation.lock().unwrap().get_or_insert(what);
        self.0.violated.notify_one();
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
            if let Some(what) = self.0.violation.lock().unwrap().clone() {
                return what;
            }
            self.0.violated.notified().await;
        }
    }

    /// Hands over all lines.
    pub(crate) fn story(&self) -> Vec<String> {
        self.0.lines.as_ref().map(|lines| std::mem::take(&mut *lines.lock().unwrap())).unwrap_or_default()
    }
}
