//! The sled store keeps the contract, and tells what is wrong with its directory.

mod crash;
mod full;
mod golden;
mod open;
mod power;
mod records;
mod trace;
mod trim;

use std::{path::Path, sync::Arc};

use async_trait::async_trait;
use tempfile::TempDir;
use vmpool_model::DomainName;
use vmpool_store::{
    Batch, Claim, Committed, RecordKind, Revision, SledOptions, SledStore, Snapshot, Store, StoreError,
};
use vmpool_testkit::store::{StoreHarness, sample};

struct Sled(TempDir);

impl Sled {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }
}

#[async_trait]
impl StoreHarness for Sled {
    async fn open(&mut self) -> Result<Arc<dyn Store>, StoreError> {
        Ok(Arc::new(SledStore::open(SledOptions::new(self.0.path()))?))
    }

    async fn damage(&mut self, domain: &DomainName, kind: RecordKind, id: &str) -> bool {
        let letter = kind.as_str().chars().next().unwrap();
        let key = format!("{domain}\0{letter}{id}");
        let database = raw(self.0.path());
        let is_there = database.insert(key, "{\"v\":1,").unwrap().is_some();
        database.flush().unwrap();
        is_there
    }
}

mod contract {
    vmpool_testkit::store_suite!(super::Sled::new());
}

/// Opens the database itself, as soon as the threads of a store that was dropped have let go of it.
fn raw(dir: &Path) -> sled::Db {
    let database = dir.join("sled");
    std::fs::File::open(database.join("db")).unwrap().lock().unwrap();
    sled::Config::new().path(database).open().unwrap()
}

fn main_domain() -> DomainName {
    sample::domain("main").unwrap()
}

fn open(dir: &Path) -> Result<SledStore, StoreError> {
    // What is copied and compared here is smaller without.
    SledStore::open(SledOptions::new(dir).with_reserve_bytes(0))
}

/// Commits one VM and one event.
async fn commit_one(store: &dyn Store, claim: &Claim, expected: Revision, number: u32) -> Committed {
    let changes = vec![sample::put_vm(number).unwrap()];
    store.commit(claim, Batch { expected, changes, events: vec![sample::event(number)] }).await.unwrap()
}

/// Makes a store with VMs `1..=count`, one commit each.
async fn fill(dir: &Path, count: u32) {
    let store = open(dir).unwrap();
    let claim = store.claim(&main_domain(), "test").await.unwrap();
    let mut revision = Revision(0);
    for number in 1..=count {
        revision = commit_one(&store, &claim, revision, number).await.revision;
    }
}

async fn load(dir: &Path) -> Result<Snapshot, StoreError> {
    open(dir)?.load(&main_domain()).await
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        match entry.file_type().unwrap().is_dir() {
            true => copy(&entry.path(), &to.join(entry.file_name())),
            false => drop(std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap()),
        }
    }
}

/// Returns every file below a directory with its bytes, but for the lock.
fn contents(dir: &Path) -> Vec<(std::path::PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(contents(&path)),
            false => found.push((path.clone(), std::fs::read(&path).unwrap())),
        }
    }
    found.sort();
    found
}
