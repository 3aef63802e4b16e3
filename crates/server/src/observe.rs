//! Seeing what becomes durable, on its way into the store.

use std::sync::Arc;

use async_trait::async_trait;
use tokio::time::Instant;
use vmpool::{
    manager::SystemClock,
    model::{DomainName, Timestamp},
    store::{Batch, Claim, Committed, Cursor, EventPage, Snapshot, Store, StoreError},
};

use crate::{
    dashboard::{Board, Changed, History},
    metrics::{Happened, Metrics},
};

/// A store whose commits are measured, and whose batches are counted once they are durable.
///
/// The log is written anyway, so nothing is read back for it, and no commit waits for anybody.
#[derive(Debug)]
pub(crate) struct ObservedStore {
    inner: Arc<dyn Store>,
    metrics: Metrics,
    board: Board,
}

impl ObservedStore {
    pub(crate) fn new(inner: Arc<dyn Store>, metrics: Metrics, board: Board) -> Self {
        Self { inner, metrics, board }
    }
}

#[async_trait]
impl Store for ObservedStore {
    async fn claim(&self, domain: &DomainName, holder: &str) -> Result<Claim, StoreError> {
        self.inner.claim(domain, holder).await
    }

    async fn load(&self, domain: &DomainName) -> Result<Snapshot, StoreError> {
        let snapshot = self.inner.load(domain).await?;
        self.board.load(&snapshot);
        Ok(snapshot)
    }

    async fn commit(&self, claim: &Claim, batch: Batch) -> Result<Committed, StoreError> {
        let (happened, changed) = (Happened::of(&batch), Changed::of(&batch));
        let began = Instant::now();
        let committed = self.inner.commit(claim, batch).await;
        self.metrics.commit(began.elapsed(), committed.is_ok().then_some(&happened));
        // After a commit that may have happened the records are loaded again.
        if committed.is_ok() {
            self.board.apply(changed);
        }
        committed
    }

    async fn prove(&self, claim: &Claim) -> Result<(), StoreError> {
        self.inner.prove(claim).await
    }

    fn is_short(&self) -> bool {
        self.inner.is_short()
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

/// What is known of the daemon beside its manager.
#[derive(Debug, Clone)]
pub(crate) struct Watched {
    pub(crate) started_at: Timestamp,
    pub(crate) clock: Arc<SystemClock>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) metrics: Metrics,
    pub(crate) board: Board,
    pub(crate) history: History,
}
