//! The store in memory, which is slow, fails, and shows every commit to the rules.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, Ordering},
};

use async_trait::async_trait;
use fastrand::Rng;
use vmpool_manager::{
    model::DomainName,
    store::{Batch, Claim, Committed, Cursor, EventPage, MemoryStore, Snapshot, Store, StoreError},
};

use crate::{
    journal::Journal,
    ledger::Ledger,
    rows::brief,
    scenario::StoreLuck,
    world::{pass, up_to},
};

/// A store in memory that is watched, and that fails.
#[derive(Debug)]
pub(crate) struct WatchedStore {
    inner: Mutex<Arc<MemoryStore>>,
    luck: StoreLuck,
    ledger: Arc<Mutex<Ledger>>,
    journal: Journal,
    rng: Mutex<Rng>,
    is_calm: AtomicBool,
    is_out: AtomicBool,
}

/// What becomes of a commit.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Luck {
    Good,
    Refused,
    Full,
    Lost,
    AnswerLost,
}

impl WatchedStore {
    pub(crate) fn new(luck: StoreLuck, ledger: &Arc<Mutex<Ledger>>, journal: &Journal, rng: Rng) -> Self {
        Self {
            inner: Mutex::new(empty()),
            luck,
            ledger: Arc::clone(ledger),
            journal: journal.clone(),
            rng: Mutex::new(rng),
            is_calm: AtomicBool::new(false),
            is_out: AtomicBool::new(false),
        }
    }

    pub(crate) fn calm(&self) {
        self.is_calm.store(true, Ordering::Relaxed);
        self.is_out.store(false, Ordering::Relaxed);
    }

    /// Loses all records; whoever starts next finds a store that nobody has used.
    pub(crate) fn lose(&self) {
        self.journal.note(|| "store: lost".to_owned());
        *self.inner.lock().unwrap() = empty();
    }

    fn inner(&self) -> Arc<MemoryStore> {
        Arc::clone(&self.inner.lock().unwrap())
    }

    /// Lets every write fail, or none.
    pub(crate) fn set_out(&self, is_out: bool) {
        self.journal.note(|| format!("store: out of order: {is_out}"));
        self.is_out.store(is_out && !self.is_calm.load(Ordering::Relaxed), Ordering::Relaxed);
    }

    fn roll(&self) -> Luck {
        let mut rng = self.rng.lock().unwrap();
        if self.is_out.load(Ordering::Relaxed) {
            return if rng.bool() { Luck::Full } else { Luck::Refused };
        }
        if self.is_calm.load(Ordering::Relaxed) || self.luck.fails <= rng.f64() {
            return Luck::Good;
        }
        [Luck::Refused, Luck::Full, Luck::Lost, Luck::AnswerLost][rng.usize(0..4)]
    }

    async fn take_time(&self) {
        let time = up_to(self.luck.slowest, &mut self.rng.lock().unwrap());
        if !time.is_zero() {
            pass(time).await;
        }
    }
}

#[async_trait]
impl Store for WatchedStore {
    async fn claim(&self, domain: &DomainName, holder: &str) -> Result<Claim, StoreError> {
        self.take_time().await;
        match self.roll() {
            Luck::Good => {}
            Luck::AnswerLost => {
                let claim = self.inner().claim(domain, holder).await?;
                self.journal
                    .note(|| format!("store: {holder} claims with {:?}, and is not told", claim.fence));
                return Err(failed("claiming", true));
            }
            _ => return Err(failed("claiming", false)),
        }
        let claim = self.inner().claim(domain, holder).await?;
        self.journal.note(|| format!("store: {holder} claims with {:?}", claim.fence));
        self.take_time().await;
        self.ledger.lock().unwrap().owners.claimed(holder, claim.fence);
        Ok(claim)
    }

    async fn load(&self, domain: &DomainName) -> Result<Snapshot, StoreError> {
        self.take_time().await;
        self.inner().load(domain).await
    }

    async fn commit(&self, claim: &Claim, batch: Batch) -> Result<Committed, StoreError> {
        self.take_time().await;
        let luck = self.roll();
        match luck {
            Luck::Good | Luck::AnswerLost => {}
            Luck::Full => return Err(StoreError::Full { place: "the store".to_owned() }),
            Luck::Refused | Luck::Lost => return Err(failed("committing", luck == Luck::Lost)),
        }
        let committed = self.inner().commit(claim, batch.clone()).await;
        match &committed {
            Ok(_) => {
                self.journal.note(|| {
                    let changes: Vec<_> = batch.changes.iter().map(brief).collect();
                    let events = batch.events.iter().map(|event| format!("{} {}", event.kind, event.detail));
                    let events = events.collect::<Vec<_>>().join("; ");
                    format!("commit {:?} {luck:?}: {} [{events}]", claim.fence, changes.join(", "))
                });
                let verdict = self.ledger.lock().unwrap().commit(&batch);
                self.journal.judge(verdict);
            }
            Err(err) => self.journal.note(|| format!("commit {:?} failed: {err}", claim.fence)),
        }
        self.take_time().await;
        match (committed, luck) {
            (Ok(_), Luck::AnswerLost) => Err(failed("committing", true)),
            (Ok(committed), _) => {
                self.ledger.lock().unwrap().owners.proven(claim.fence);
                Ok(committed)
            }
            (Err(err), _) => Err(err),
        }
    }

    async fn prove(&self, claim: &Claim) -> Result<(), StoreError> {
        self.take_time().await;
        match self.roll() {
            Luck::Good => {}
            _ => return Err(failed("proving a claim", false)),
        }
        let proven = self.inner().prove(claim).await;
        self.take_time().await;
        proven
    }

    fn is_short(&self) -> bool {
        self.inner().is_short()
    }

    async fn events(
        &self,
        domain: &DomainName,
        after: Cursor,
        limit: usize,
    ) -> Result<EventPage, StoreError> {
        self.inner().events(domain, after, limit).await
    }
}

fn empty() -> Arc<MemoryStore> {
    Arc::new(MemoryStore::new().with_keep_events(100))
}

fn failed(operation: &'static str, unknown: bool) -> StoreError {
    let source = "the dice say so".into();
    StoreError::Io { place: "the store".to_owned(), operation, unknown, source }
}
