//! The store in memory, as slow as a disk that syncs, which shows every commit to the rules.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use fastrand::Rng;
use vmpool_manager::{
    model::DomainName,
    store::{Batch, Claim, Committed, Cursor, EventPage, MemoryStore, Snapshot, Store, StoreError},
};

use crate::{ledger::Ledger, stopwatch::Stopwatch, verdict::Verdict, wall, world::pass};

/// How long a commit takes, in milliseconds.
const SYNC: std::ops::Range<u64> = 1..5;

/// A store in memory that is watched.
#[derive(Debug)]
pub(crate) struct WatchedStore {
    inner: MemoryStore,
    ledger: Arc<Mutex<Ledger>>,
    verdict: Verdict,
    stopwatch: Stopwatch,
    rng: Mutex<Rng>,
    /// The fence of the newest claim.
    fence: AtomicU64,
}

impl WatchedStore {
    pub(crate) fn new(
        ledger: &Arc<Mutex<Ledger>>,
        verdict: &Verdict,
        stopwatch: &Stopwatch,
        rng: Rng,
    ) -> Self {
        Self {
            inner: MemoryStore::new(),
            ledger: Arc::clone(ledger),
            verdict: verdict.clone(),
            stopwatch: stopwatch.clone(),
            rng: Mutex::new(rng),
            fence: AtomicU64::new(0),
        }
    }

    async fn sync(&self) {
        let millis = self.rng.lock().unwrap().u64(SYNC);
        pass(Duration::from_millis(millis)).await;
    }
}

#[async_trait]
impl Store for WatchedStore {
    async fn claim(&self, domain: &DomainName, holder: &str) -> Result<Claim, StoreError> {
        let claim = self.inner.claim(domain, holder).await?;
        self.fence.store(claim.fence.0, Ordering::Relaxed);
        Ok(claim)
    }

    async fn load(&self, domain: &DomainName) -> Result<Snapshot, StoreError> {
        self.inner.load(domain).await
    }

    async fn commit(&self, claim: &Claim, batch: Batch) -> Result<Committed, StoreError> {
        self.sync().await;
        // A manager that has crashed may have a commit on its way: it is refused.
        if claim.fence.0 != self.fence.load(Ordering::Relaxed) {
            return self.inner.commit(claim, batch).await;
        }
        let verdict =
            self.stopwatch.measure("checking the rules", || self.ledger.lock().unwrap().commit(&batch));
        self.verdict.judge(verdict);
        let begun = wall::worked();
        let committed = self.inner.commit(claim, batch).await;
        self.stopwatch.add("the store in memory", begun);
        if let Err(err) = &committed {
            self.verdict.violate(format!("a commit failed: {err}"));
        }
        committed
    }

    async fn prove(&self, claim: &Claim) -> Result<(), StoreError> {
        self.inner.prove(claim).await
    }

    async fn events(
        &self,
        domain: &DomainName,
        after: Cursor,
        limit: usize,
    ) -> Result<EventPage, StoreError> {
        self.inner.events(domain, after, limit).await
    }
}
