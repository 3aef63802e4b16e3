//! What can be read beside the thread that writes: events, in a thread of their own, and whose a domain is.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc},
};

use vmpool_model::DomainName;

use super::{
    database::{Database, Domains, guarded},
    job::ReadJob,
    meta::{DomainMeta, Log},
    read,
};
use crate::{Claim, EventPage, Fence, StoreError, change};

/// What may be seen beside the thread that writes: the database, and how far it is durable.
#[derive(Debug, Default, Clone)]
pub(super) struct Readable {
    inner: Arc<Mutex<Inner>>,
}

#[derive(Debug, Default)]
struct Inner {
    database: Option<Arc<Database>>,
    domains: BTreeMap<DomainName, Shown>,
}

/// What is durable of a domain.
#[derive(Debug)]
struct Shown {
    log: Log,
    fence: Fence,
}

impl Readable {
    /// Shows a database, all of its events, and all claims, which are durable.
    ///
    /// A claim must be shown before it is answered, since it may be relied upon from then on.
    pub(super) fn show(&self, database: &Arc<Database>, domains: &Domains) {
        let mut inner = self.lock();
        inner.database = Some(Arc::clone(database));
        let shown = |meta: &DomainMeta| Shown { log: meta.log(), fence: meta.fence };
        inner.domains = domains.iter().map(|(name, meta)| (name.clone(), shown(meta))).collect();
    }

    /// Hides the events that are about to be removed.
    pub(super) fn forget_oldest(&self, domains: &Domains) {
        for (name, shown) in &mut self.lock().domains {
            if let Some(meta) = domains.get(name) {
                shown.log.oldest = meta.oldest;
            }
        }
    }

    /// Hides everything until there is a database again.
    pub(super) fn hide(&self) {
        self.lock().database = None;
    }

    /// Proves that a claim holds.
    pub(super) fn prove(&self, claim: &Claim) -> Result<(), StoreError> {
        let inner = self.lock();
        if inner.database.is_none() {
            return Err(closed());
        }
        let current = inner.domains.get(&claim.domain).map(|shown| shown.fence).unwrap_or_default();
        change::check_fence(claim.fence, current)
    }

    /// Answers jobs until nobody can send any more.
    pub(super) fn serve(&self, jobs: &mpsc::Receiver<ReadJob>) {
        while let Ok(job) = jobs.recv() {
            let page = self.events(&job);
            drop(job.answer.send(page));
        }
    }

    fn events(&self, job: &ReadJob) -> Result<EventPage, StoreError> {
        let mut before: Option<Log> = None;
        loop {
            let (database, log) = {
                let inner = self.lock();
                let Some(database) = inner.database.clone() else {
                    return Err(closed());
                };
                (database, inner.domains.get(&job.domain).map(|shown| shown.log))
            };
            let Some(log) = log else {
                return Ok(EventPage::default());
            };
            let read = || read::events(&database, &job.domain, log, job.after, job.limit);
            match guarded(read).map_err(|fault| fault.while_reading(&database.place))?? {
                Some(page) => return Ok(page),
                // It was trimmed between the look at the log and the look into the database.
                None if before.is_none_or(|before| before.oldest < log.oldest) => before = Some(log),
                None => {
                    return Err(StoreError::Damaged {
                        place: format!("{}, domain {}", database.place.display(), job.domain),
                        reason: "an event is missing in the log".to_owned(),
                    });
                }
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // No code under the lock can leave it half changed.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn closed() -> StoreError {
    StoreError::Io {
        place: "the store".to_owned(),
        operation: "reading",
        unknown: false,
        source: "an earlier write failed and the database is closed; the next commit or load opens it".into(),
    }
}
