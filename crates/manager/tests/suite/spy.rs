//! A store and a driver that note what is asked of them, and can be held up.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use async_trait::async_trait;
use tokio::sync::Semaphore;
use vmpool_dummy::DummyDriver;
use vmpool_manager::{
    driver::{
        Capabilities, Catalog, CreateRequest, Driver, DriverError, DriverInfo, HintStream, Listing,
        PowerAction,
    },
    model::{Change, DomainName, Node, NodeId, Timestamp},
    store::{Batch, Claim, Committed, Cursor, EventPage, MemoryStore, Snapshot, Store, StoreError},
};

/// What happened, in order.
#[derive(Debug, Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    pub(crate) fn note(&self, what: impl Into<String>) {
        self.0.lock().unwrap().push(what.into());
    }

    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

/// What a driver is to do with its next call of a kind.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Trick {
    Hang,
    Panic,
    /// Take so many seconds before anything happens.
    Wait(u64),
}

/// A driver that notes creates, destroys and listings.
#[derive(Debug)]
pub(crate) struct SpyDriver {
    inner: DummyDriver,
    log: Log,
    tricks: Mutex<VecDeque<(&'static str, Trick)>>,
    tokenless: AtomicBool,
    listings: AtomicUsize,
    most_listings: AtomicUsize,
}

impl SpyDriver {
    pub(crate) fn new(inner: DummyDriver, log: Log) -> Self {
        Self {
            inner,
            log,
            tricks: Mutex::default(),
            tokenless: AtomicBool::new(false),
            listings: AtomicUsize::new(0),
            most_listings: AtomicUsize::new(0),
        }
    }

    /// How many listings were under way at once at most.
    pub(crate) fn most_listings(&self) -> usize {
        self.most_listings.load(Ordering::SeqCst)
    }

    /// Lets the driver say from now on that it cannot put a token on a node.
    pub(crate) fn deny_tokens(&self) {
        self.tokenless.store(true, Ordering::SeqCst);
    }

    pub(crate) fn trick(&self, operation: &'static str, trick: Trick) {
        self.tricks.lock().unwrap().push_back((operation, trick));
    }

    async fn play(&self, operation: &'static str) {
        let trick = {
            let mut tricks = self.tricks.lock().unwrap();
            let place = tricks.iter().position(|(of, _)| *of == operation);
            place.and_then(|place| tricks.remove(place))
        };
        match trick {
            Some((_, Trick::Hang)) => std::future::pending().await,
            Some((_, Trick::Panic)) => panic!("the driver was told to panic"),
            Some((_, Trick::Wait(seconds))) => crate::world::pass(crate::world::seconds(seconds)).await,
            None => {}
        }
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl Driver for SpyDriver {
    fn info(&self) -> &DriverInfo {
        self.inner.info()
    }

    fn capabilities(&self) -> Capabilities {
        let mut capabilities = self.inner.capabilities();
        capabilities.create_with_token &= !self.tokenless.load(Ordering::SeqCst);
        capabilities
    }

    async fn list(&self) -> Result<Listing, DriverError> {
        self.log.note("list");
        let now = self.listings.fetch_add(1, Ordering::SeqCst) + 1;
        self.most_listings.fetch_max(now, Ordering::SeqCst);
        self.play("list").await;
        let listing = self.inner.list().await;
        self.listings.fetch_sub(1, Ordering::SeqCst);
        listing
    }

    async fn get(&self, id: &NodeId) -> Result<Node, DriverError> {
        self.log.note("get");
        self.play("get").await;
        self.inner.get(id).await
    }

    async fn create(&self, request: &CreateRequest) -> Result<Node, DriverError> {
        self.log.note(format!("create {}", request.name.as_deref().unwrap()));
        self.play("create").await;
        self.inner.create(request).await
    }

    async fn destroy(&self, id: &NodeId) -> Result<(), DriverError> {
        self.log.note("destroy");
        self.play("destroy").await;
        self.inner.destroy(id).await
    }

    async fn power(&self, id: &NodeId, action: PowerAction) -> Result<(), DriverError> {
        self.inner.power(id, action).await
    }

    async fn catalog(&self) -> Result<Catalog, DriverError> {
        self.inner.catalog().await
    }

    async fn set_expiry(&self, id: &NodeId, at: Timestamp) -> Result<(), DriverError> {
        self.inner.set_expiry(id, at).await
    }

    async fn hints(&self) -> Result<Box<dyn HintStream>, DriverError> {
        self.log.note("hints");
        self.play("hints").await;
        self.inner.hints().await
    }
}

/// A store that notes commits, and commits only as fast as the test lets it.
#[derive(Debug)]
pub(crate) struct SpyStore {
    inner: MemoryStore,
    log: Log,
    gate: Semaphore,
    panics: AtomicBool,
    loses_claim: AtomicBool,
}

impl SpyStore {
    pub(crate) fn new(inner: MemoryStore, log: Log) -> Self {
        Self {
            inner,
            log,
            gate: Semaphore::new(Semaphore::MAX_PERMITS),
            panics: AtomicBool::new(false),
            loses_claim: AtomicBool::new(false),
        }
    }

    /// Lets the next commit panic.
    pub(crate) fn panic_once(&self) {
        self.panics.store(true, Ordering::SeqCst);
    }

    /// Lets the answer to the next claim be lost, but not the claim.
    pub(crate) fn lose_claim_once(&self) {
        self.loses_claim.store(true, Ordering::SeqCst);
    }

    /// Lets no commit end from now on.
    pub(crate) fn close_gate(&self) {
        self.gate.forget_permits(Semaphore::MAX_PERMITS);
    }

    /// Lets so many commits end.
    pub(crate) fn let_through(&self, commits: usize) {
        self.gate.add_permits(commits);
    }
}

#[async_trait]
impl Store for SpyStore {
    async fn claim(&self, domain: &DomainName, holder: &str) -> Result<Claim, StoreError> {
        let claim = self.inner.claim(domain, holder).await?;
        match self.loses_claim.swap(false, Ordering::SeqCst) {
            true => Err(StoreError::Io {
                place: "the spy".to_owned(),
                operation: "claiming",
                unknown: true,
                source: "the test asked for this failure".into(),
            }),
            false => Ok(claim),
        }
    }

    async fn load(&self, domain: &DomainName) -> Result<Snapshot, StoreError> {
        self.inner.load(domain).await
    }

    async fn commit(&self, claim: &Claim, batch: Batch) -> Result<Committed, StoreError> {
        assert!(!self.panics.swap(false, Ordering::SeqCst), "the store was told to panic");
        self.gate.acquire().await.unwrap().forget();
        let names = batch.changes.iter().filter_map(|change| match change {
            Change::PutVm(vm) => Some(format!("{}={}", vm.name, vm.state)),
            Change::PutLease(lease) => Some(format!("lease of {}", lease.vm)),
            Change::PutRequest(request) => Some(format!("request {}", request.id)),
            _ => None,
        });
        let what = format!("commit {}", names.collect::<Vec<_>>().join(" "));
        let committed = self.inner.commit(claim, batch).await;
        self.log.note(if committed.is_ok() { what } else { format!("failed {what}") });
        committed
    }

    async fn prove(&self, claim: &Claim) -> Result<(), StoreError> {
        self.log.note("prove");
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
