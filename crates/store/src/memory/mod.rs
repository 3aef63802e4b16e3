//! The store that keeps everything in memory, for tests and demos.

mod fault;
mod rows;

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use vmpool_model::DomainName;

pub use self::fault::CommitFault;
use self::rows::Rows;
use crate::{
    Batch, Claim, Committed, Cursor, EventPage, Fence, RecordKind, Snapshot, Store, StoreError, change,
};

/// How many events of each domain a [`MemoryStore`] keeps unless it is told otherwise.
const KEEP_EVENTS: usize = 100_000;

/// Keeps records in memory: fast, and gone with the process.
///
/// Clones share the records, so dropping one clone and going on with another stands for a restart.
/// [`fail_next`](Self::fail_next) makes the next commits fail, to test what their callers do then.
/// It keeps the newest 100,000 events of each domain; see [`with_keep_events`](Self::with_keep_events).
///
/// # Examples
///
/// ```
/// use vmpool_store::{Batch, MemoryStore, Store, model::{Change, DomainName, InstallationId}};
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// let store = MemoryStore::new();
/// let domain = DomainName::new("main")?;
/// let claim = store.claim(&domain, "host-1").await?;
/// let changes = vec![Change::PutInstallation(InstallationId::new("lab")?)];
/// store.commit(&claim, Batch { changes, ..Batch::default() }).await?;
/// assert_eq!(store.load(&domain).await?.installation, Some(InstallationId::new("lab")?));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct MemoryStore {
    shared: Arc<Mutex<Shared>>,
    keep_events: usize,
}

#[derive(Debug, Default)]
struct Shared {
    domains: BTreeMap<DomainName, Rows>,
    faults: VecDeque<CommitFault>,
    is_short: bool,
}

impl MemoryStore {
    /// Makes an empty store.
    #[must_use]
    pub fn new() -> Self {
        Self { shared: Arc::default(), keep_events: KEEP_EVENTS }
    }

    /// Keeps at most this many events of each domain, at least one.
    #[must_use]
    pub fn with_keep_events(self, keep_events: usize) -> Self {
        Self { keep_events: keep_events.max(1), ..self }
    }

    /// Makes the next commit that passes its checks fail; further calls are for the commits after it.
    pub fn fail_next(&self, fault: CommitFault) {
        self.lock().faults.push_back(fault);
    }

    /// Makes the store say whether it is short of room.
    pub fn set_short(&self, is_short: bool) {
        self.lock().is_short = is_short;
    }

    /// Makes a record unreadable until it is written or removed, as damage on a disk would; returns whether there is one.
    pub fn damage(&self, domain: &DomainName, kind: RecordKind, id: &str) -> bool {
        self.lock().domains.get_mut(domain).is_some_and(|rows| rows.damage(kind, id))
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        // No code under the lock can leave the records half changed.
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn claim(&self, domain: &DomainName, _holder: &str) -> Result<Claim, StoreError> {
        let mut shared = self.lock();
        let rows = shared.domains.entry(domain.clone()).or_default();
        rows.fence = Fence(rows.fence.0 + 1);
        Ok(Claim { domain: domain.clone(), fence: rows.fence })
    }

    async fn load(&self, domain: &DomainName) -> Result<Snapshot, StoreError> {
        Ok(self.lock().domains.get(domain).map(Rows::snapshot).unwrap_or_default())
    }

    async fn commit(&self, claim: &Claim, batch: Batch) -> Result<Committed, StoreError> {
        change::check_all(&batch.changes, "the store in memory")?;
        let mut shared = self.lock();
        let Shared { domains, faults, .. } = &mut *shared;
        let rows = domains.entry(claim.domain.clone()).or_default();
        rows.check(claim.fence, batch.expected)?;
        match faults.pop_front() {
            None => Ok(rows.apply(batch, self.keep_events)),
            Some(fault) => {
                if fault.applies() {
                    rows.apply(batch, self.keep_events);
                }
                Err(fault.error())
            }
        }
    }

    async fn prove(&self, claim: &Claim) -> Result<(), StoreError> {
        let current = self.lock().domains.get(&claim.domain).map(|rows| rows.fence).unwrap_or_default();
        change::check_fence(claim.fence, current)
    }

    fn is_short(&self) -> bool {
        self.lock().is_short
    }

    async fn events(
        &self,
        domain: &DomainName,
        after: Cursor,
        limit: usize,
    ) -> Result<EventPage, StoreError> {
        Ok(self.lock().domains.get(domain).map(|rows| rows.events(after, limit)).unwrap_or_default())
    }
}
