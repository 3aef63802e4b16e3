//! Refused attempts, for the event log: told with a pause between two, so that nobody fills the log or the disk.

use std::{
    future::pending,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::{mpsc, watch},
    time::timeout,
};
use vmpool::{
    manager::ManagerHandle,
    model::{EventKind, Owner},
};

use super::Access;

/// How long the next one waits at least after one was told.
const PAUSE: Duration = Duration::from_secs(10);

/// An attempt that was refused.
#[derive(Debug)]
struct Attempt {
    /// Who it was, if that is known.
    by: Option<Owner>,
    detail: String,
}

/// The attempts that were refused: one waits to be told, the others are counted.
#[derive(Debug)]
pub(super) struct Refusals {
    waiting: mpsc::Sender<Attempt>,
    taken: Mutex<Option<mpsc::Receiver<Attempt>>>,
    untold: AtomicU64,
}

impl Default for Refusals {
    fn default() -> Self {
        let (waiting, taken) = mpsc::channel(1);
        Self { waiting, taken: Mutex::new(Some(taken)), untold: AtomicU64::new(0) }
    }
}

impl Refusals {
    pub(super) fn note(&self, by: Option<Owner>, detail: String) {
        if self.waiting.try_send(Attempt { by, detail }).is_err() {
            self.untold.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Access {
    /// Tells the event log of refused attempts until the daemon stops.
    pub(crate) async fn tell_refusals(self, manager: ManagerHandle, mut stopping: watch::Receiver<bool>) {
        let refusals = &self.0.refusals;
        let taken = refusals.taken.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(mut taken) = taken else { return };
        let tell = async {
            while let Some(Attempt { by, mut detail }) = taken.recv().await {
                match refusals.untold.swap(0, Ordering::Relaxed) {
                    0 => {}
                    untold => detail += &format!("; {untold} more were refused since the last that was told"),
                }
                if let Err(err) = manager.by(by).note(EventKind::AccessRefused, detail).await {
                    tracing::warn!("a refused attempt is not in the event log: {err}");
                }
                // A wait that nothing ends early.
                let _ = timeout(PAUSE, pending::<()>()).await;
            }
        };
        tokio::select! {
            () = tell => {}
            _ = stopping.wait_for(|stopping| *stopping) => {}
        }
    }
}
