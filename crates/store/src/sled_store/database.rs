//! One opened sled database and what is known of its contents.

use std::{
    collections::BTreeMap,
    fs::File,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    time::Duration,
};

use vmpool_model::DomainName;

use super::{
    body,
    fault::{self, Fault},
    key::{self, Kind},
    meta::{DomainMeta, StoreMeta},
};
use crate::StoreError;

/// How many events at each end of a log are read when a store is opened.
const BESIDE: u64 = 5000;

/// The domains by name.
pub(super) type Domains = BTreeMap<DomainName, DomainMeta>;

/// One opened database.
///
/// sled calls its data synced after `sync_file_range`, which neither empties the drive's cache nor
/// journals the file's size. So the file is open a second time, to be synced for good.
#[derive(Debug)]
pub(super) struct Database {
    /// The store's directory, for errors.
    pub(super) place: PathBuf,
    db: sled::Db,
    file: File,
}

impl Database {
    /// Opens the database in sled's directory `dir`; sled recovers it, which may write to it.
    pub(super) fn open(place: &Path, dir: &Path, cache_bytes: u64) -> Result<Self, Fault> {
        let config = sled::Config::new().path(dir).cache_capacity(cache_bytes).flush_every_ms(None);
        let db = open_when_released(&config)?;
        let file = File::open(dir.join("db"))?;
        Ok(Self { place: place.to_owned(), db, file })
    }

    pub(super) fn tree(&self) -> &sled::Tree {
        &self.db
    }

    /// Makes durable what was written before.
    pub(super) fn flush(&self) -> Result<(), Fault> {
        self.db.flush()?;
        Ok(())
    }

    /// Makes certain that the drive has what was flushed.
    pub(super) fn sync(&self) -> Result<(), Fault> {
        Ok(self.file.sync_data()?)
    }

    /// Reads the record of the store, if it was written.
    pub(super) fn store_meta(&self) -> Result<Option<StoreMeta>, StoreError> {
        match self.get(key::STORE)? {
            Some(body) => body::decode(&self.place, key::STORE, "store", &body).map(Some),
            None => Ok(None),
        }
    }

    /// Reads the records about all domains.
    pub(super) fn domains(&self) -> Result<Domains, StoreError> {
        let mut domains = Domains::new();
        let mut from = Vec::new();
        while let Some(item) = self.db.range(from.as_slice()..).next() {
            let (key, _) = item.map_err(|err| Fault::from(err).while_opening(&self.place))?;
            // The record of the store comes first, and belongs to no domain.
            from = key::after_domain(&key);
            let Some(name) = key::domain_of(&key) else { continue };
            let key = key::prefix(&name, Kind::Domain);
            if let Some(body) = self.get(&key)? {
                let meta: DomainMeta = body::decode(&self.place, &key, Kind::Domain.name(), &body)?;
                domains.insert(name, meta);
            }
        }
        Ok(domains)
    }

    /// Reads the records about all domains, and on the way all records and those events that later commits will be beside:
    /// what there is must be readable.
    pub(super) fn scan(&self) -> Result<Domains, StoreError> {
        let domains = self.domains()?;
        for (name, meta) in &domains {
            let old = key::event(name, meta.oldest.0)..key::event(name, meta.oldest.0.saturating_add(BESIDE));
            let young = key::event(name, meta.cursor.0.saturating_sub(BESIDE))..key::after_events(name);
            let records = key::after_events(name)..key::after_domain(&key::prefix(name, Kind::Domain));
            for range in [old, young, records] {
                for item in self.db.range(range) {
                    item.map_err(|err| Fault::from(err).while_opening(&self.place))?;
                }
            }
        }
        Ok(domains)
    }

    fn get(&self, key: &[u8]) -> Result<Option<sled::IVec>, StoreError> {
        self.db.get(key).map_err(|err| Fault::from(err).while_opening(&self.place))
    }
}

/// Runs what calls sled; a panic of sled becomes a fault.
pub(super) fn guarded<T>(run: impl FnOnce() -> T) -> Result<T, Fault> {
    catch_unwind(AssertUnwindSafe(run)).map_err(|panic| fault::of_panic(&*panic))
}

/// Opens the database; waits a little if it is locked, because threads of sled hold the file for a
/// moment after a database was closed, and no other process can: this one has the lock of the store.
fn open_when_released(config: &sled::Config) -> Result<sled::Db, Fault> {
    const TRIES: u32 = 200;
    let mut tries = 1;
    loop {
        match guarded(|| config.open())?.map_err(Fault::from) {
            Err(Fault::Locked) if tries < TRIES => tries += 1,
            other => return other,
        }
        #[expect(clippy::disallowed_methods, reason = "sled does not tell when its threads have let go")]
        std::thread::sleep(Duration::from_millis(5));
    }
}
