//! The thread that reads events, so that reading history holds up no commit.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc},
};

use vmpool_model::DomainName;

use super::{
    database::{Database, Domains, guarded},
    job::ReadJob,
    meta::Log,
    read,
};
use crate::{EventPage, StoreError};

/// What the reading thread may see: the database, and how far it is durable.
#[derive(Debug, Default, Clone)]
pub(super) struct Readable {
    inner: Arc<Mutex<Inner>>,
}

#[derive(Debug, Default)]
struct Inner {
    database: Option<Arc<Database>>,
    logs: BTreeMap<DomainName, Log>,
}

impl Readable {
    /// Shows a database and all of its events, which are durable.
    pub(super) fn show(&self, database: &Arc<Database>, domains: &Domains) {
        let mut inner = self.lock();
        inner.database = Some(Arc::clone(database));
        inner.logs = domains.iter().map(|(name, meta)| (name.clone(), meta.log())).collect();
    }

    /// Hides the events that are about to be removed.
    pub(super) fn forget_oldest(&self, domains: &Domains) {
        for (name, log) in &mut self.lock().logs {
            if let Some(meta) = domains.get(name) {
                log.oldest = meta.oldest;
            }
        }
    }

    /// Hides everything until there is a database again.
    pub(super) fn hide(&self) {
        self.lock().database = None;
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
                (database, inner.logs.get(&job.domain).copied())
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
