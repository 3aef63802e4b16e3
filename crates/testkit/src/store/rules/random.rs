//! The rule that a store behaves like a map, whatever is written to it.

use std::collections::BTreeMap;

use fastrand::Rng;
use vmpool_model::{Change, Event};
use vmpool_store::{Batch, Claim, Cursor, Revision, Snapshot, Store};

use crate::store::{RuleResult, StoreHarness, sample, sample::Sample};

/// How many different records of each kind there are: few, so that batches touch the same ones.
const IDS: u32 = 12;

#[derive(Default)]
struct Model {
    revision: Revision,
    cursor: Cursor,
    installation: Option<u32>,
    /// The number that determines each record, by id.
    rows: [BTreeMap<u32, u32>; 4],
    log: Vec<Event>,
}

/// Two hundred random batches, some of them refused, with the store reopened now and then: the store
/// shows exactly what a map shows.
pub async fn random_batches_are_loaded_like_the_model(harness: &mut impl StoreHarness) -> RuleResult {
    let mut rng = Rng::with_seed(7);
    let mut store = harness.open().await?;
    let mut claim = store.claim(&sample::domain("main")?, "test").await?;
    let mut model = Model::default();
    for turn in 0..200 {
        let batch = model.random_batch(&mut rng)?;
        match rng.u32(0..12) {
            0 => {
                let stale = Batch { expected: Revision(batch.expected.0 + 1), ..batch.0 };
                assert!(store.commit(&claim, stale).await.is_err(), "turn {turn}");
            }
            1 => {
                let old = std::mem::replace(&mut claim, store.claim(&sample::domain("main")?, "test").await?);
                assert!(store.commit(&old, batch.0).await.is_err(), "turn {turn}");
            }
            2 => {
                drop(store);
                store = harness.open().await?;
            }
            _ => {
                let done = store.commit(&claim, batch.0.clone()).await?;
                model.apply(batch);
                (model.revision, model.cursor) = (done.revision, done.cursor);
            }
        }
        model.check(&*store, &claim, turn).await?;
    }
    Ok(())
}

/// A batch, and the same changes as the model understands them.
struct RandomBatch(Batch, Vec<(usize, u32, Option<u32>)>);

impl std::ops::Deref for RandomBatch {
    type Target = Batch;

    fn deref(&self) -> &Batch {
        &self.0
    }
}

impl Model {
    fn random_batch(&self, rng: &mut Rng) -> Sample<RandomBatch> {
        let mut changes = Vec::new();
        let mut rows = Vec::new();
        for _ in 0..rng.usize(0..8) {
            let (kind, id, number) = (rng.usize(0..5), rng.u32(0..IDS), rng.u32(..));
            let keep = kind == 4 || rng.u8(0..3) != 0;
            rows.push((kind, id, keep.then_some(number)));
            changes.push(change(kind, id, keep.then_some(number))?);
        }
        let events = (0..rng.usize(0..4)).map(|_| sample::event(rng.u32(..))).collect();
        Ok(RandomBatch(Batch { expected: self.revision, changes, events }, rows))
    }

    fn apply(&mut self, batch: RandomBatch) {
        for (kind, id, number) in batch.1 {
            match (kind, number) {
                (4, number) => self.installation = number,
                (_, Some(number)) => drop(self.rows[kind].insert(id, number)),
                (_, None) => drop(self.rows[kind].remove(&id)),
            }
        }
        self.log.extend(batch.0.events);
    }

    async fn check(&self, store: &dyn Store, claim: &Claim, turn: u32) -> RuleResult {
        let [vms, leases, requests, pools] = &self.rows;
        let expected = Snapshot {
            unreadable: Vec::new(),
            revision: self.revision,
            cursor: self.cursor,
            installation: self.installation.map(|number| sample::installation(number % 5)).transpose()?,
            vms: vms.iter().map(|(id, number)| vm(*id, *number)).collect::<Result<_, _>>()?,
            leases: leases.iter().map(|(id, number)| lease(*id, *number)).collect::<Result<_, _>>()?,
            requests: requests.iter().map(|(id, number)| request(*id, *number)).collect::<Result<_, _>>()?,
            pools: pools.iter().map(|(id, number)| pool(*id, *number)).collect::<Result<_, _>>()?,
        };
        assert_eq!(store.load(&claim.domain).await?, expected, "turn {turn}");
        let page = store.events(&claim.domain, Cursor(0), usize::MAX).await?;
        let log: Vec<_> = page.events.into_iter().map(|stored| stored.event).collect();
        assert_eq!(log, self.log, "turn {turn}");
        Ok(())
    }
}

fn change(kind: usize, id: u32, number: Option<u32>) -> Sample<Change> {
    Ok(match (kind, number) {
        (0, Some(number)) => Change::PutVm(Box::new(vm(id, number)?)),
        (0, None) => Change::RemoveVm(sample::vm(id)?.name),
        (1, Some(number)) => Change::PutLease(Box::new(lease(id, number)?)),
        (1, None) => Change::RemoveLease(sample::lease(id)?.id),
        (2, Some(number)) => Change::PutRequest(Box::new(request(id, number)?)),
        (2, None) => Change::RemoveRequest(sample::request(id)?.id),
        (3, Some(number)) => Change::PutPool(Box::new(pool(id, number)?)),
        (3, None) => Change::RemovePool(sample::pool(id)?.name),
        (_, number) => Change::PutInstallation(sample::installation(number.unwrap_or(0) % 5)?),
    })
}

fn vm(id: u32, number: u32) -> Sample<vmpool_model::VmRecord> {
    Ok(vmpool_model::VmRecord { name: sample::vm(id)?.name, ..sample::vm(number)? })
}

fn pool(id: u32, number: u32) -> Sample<vmpool_model::PoolRecord> {
    Ok(vmpool_model::PoolRecord { name: sample::pool(id)?.name, ..sample::pool(number)? })
}

fn lease(id: u32, number: u32) -> Sample<vmpool_model::Lease> {
    Ok(vmpool_model::Lease { id: sample::lease(id)?.id, ..sample::lease(number)? })
}

fn request(id: u32, number: u32) -> Sample<vmpool_model::RequestRecord> {
    Ok(vmpool_model::RequestRecord { id: sample::request(id)?.id, ..sample::request(number)? })
}
