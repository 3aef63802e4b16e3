//! A store that is made of records.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use vmpool_model::DomainName;

use super::check::Checks;
use crate::{
    KeptRecord, Misfit, SledOptions, StoreError,
    sled_store::{
        body,
        fault::Fault,
        head::Head,
        key,
        meta::StoreMeta,
        open::{self, Opened},
        place::{Place, remove_dir, sync_dir},
    },
};

/// How many records are written at once.
const BATCH: usize = 1000;

/// A new store that records are put into; it is there once all of them are, or not at all.
///
/// # Examples
///
/// ```
/// use vmpool_store::{SledCopy, SledImport, SledOptions, SledStore};
/// # let dir = tempfile::tempdir()?;
/// # let (old, new) = (dir.path().join("old"), dir.path().join("new"));
/// drop(SledStore::open(SledOptions::new(&old))?);
/// let mut import = SledImport::begin(&new)?;
/// for record in SledCopy::take(&old)?.records().flatten() {
///     import.put(record)?;
/// }
/// assert_eq!(import.finish()?, 0);
/// SledStore::open(SledOptions::new(&new))?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct SledImport {
    into: PathBuf,
    /// Where it is made, beside where it will be.
    draft: PathBuf,
    opened: Option<(Opened, Place)>,
    waiting: Vec<(Vec<u8>, Vec<u8>)>,
    checks: Checks,
    records: u64,
}

impl SledImport {
    /// Begins a store that will be in `into`, which is not there yet or an empty directory.
    ///
    /// # Errors
    ///
    /// [`StoreError::Damaged`] if there is something already; [`StoreError::Full`] and [`StoreError::Io`] as for a store.
    pub fn begin(into: &Path) -> Result<Self, StoreError> {
        let fault = |err: io::Error| Fault::from(err).while_opening(into);
        match fs::read_dir(into) {
            Ok(mut entries) => {
                if entries.next().is_some() {
                    let reason = "it is not empty, and nothing is overwritten".to_owned();
                    return Err(StoreError::Damaged { place: into.display().to_string(), reason });
                }
            }
            Err(err) if err.kind() == io::ErrorKind::NotFound => {}
            Err(err) => return Err(fault(err)),
        }
        // Without a slash at the end.
        let into: PathBuf = into.components().collect();
        let mut draft = into.as_os_str().to_owned();
        draft.push(format!(".import-{}", std::process::id()));
        let draft = PathBuf::from(draft);
        remove_dir(&draft).map_err(|err| Fault::from(err).while_opening(&into))?;
        let place = Place::take(&draft)?;
        let (opened, _) = open::open(&place, &SledOptions::new(&draft))?;
        let (waiting, checks) = (Vec::new(), Checks::default());
        let opened = Some((opened, place));
        Ok(Self { into, draft, opened, waiting, checks, records: 0 })
    }

    /// Puts a record in.
    ///
    /// # Errors
    ///
    /// [`StoreError::Damaged`] if it cannot be read, so that no store is made that cannot be used; others if it cannot be
    /// written.
    pub fn put(&mut self, record: KeptRecord) -> Result<(), StoreError> {
        let damaged = |misfit: Misfit| StoreError::Damaged { place: misfit.place, reason: misfit.why };
        let domain = DomainName::new(record.domain.as_str()).ok();
        let key = domain.and_then(|domain| key::of(&domain, &record.kind, &record.id));
        let Some(key) = key else {
            let KeptRecord { domain, kind, id, .. } = &record;
            let place = format!("{kind} {id:?} of domain {domain:?}");
            return Err(damaged(Misfit {
                place,
                why: "this version does not know such a record".to_owned(),
            }));
        };
        if let Some(misfit) = self.checks.take(Path::new("the export"), &record) {
            return Err(damaged(misfit));
        }
        self.records += 1;
        self.waiting.push((key, record.body.to_string().into_bytes()));
        match self.waiting.len() < BATCH {
            true => Ok(()),
            false => self.write(),
        }
    }

    /// Makes the store durable and puts it where it is to be; returns how many records it has.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if that fails: then nothing is there.
    pub fn finish(mut self) -> Result<u64, StoreError> {
        self.write()?;
        let into = self.into.clone();
        let fault = |fault: Fault| fault.while_writing(&into, false);
        if let Some((mut opened, place)) = self.opened.take() {
            opened.sequence += 1;
            let meta = StoreMeta { sequence: opened.sequence };
            let body = body::encode("store", &meta).map_err(|err| body::not_encoded(&into, err))?;
            opened.database.tree().insert(key::STORE, body).map_err(|err| fault(err.into()))?;
            opened.database.flush().and_then(|()| opened.database.sync()).map_err(fault)?;
            place.sync(false).map_err(fault)?;
            Head::create(&place.head(), opened.sequence).map_err(|err| fault(err.into()))?;
        }
        fs::rename(&self.draft, &into).map_err(|err| fault(err.into()))?;
        let parent = into.parent().filter(|parent| !parent.as_os_str().is_empty());
        sync_dir(parent.unwrap_or(Path::new("."))).map_err(|err| fault(err.into()))?;
        Ok(self.records)
    }

    fn write(&mut self) -> Result<(), StoreError> {
        let Some((opened, _)) = &self.opened else { return Ok(()) };
        let mut batch = sled::Batch::default();
        self.waiting.drain(..).for_each(|(key, body)| batch.insert(key, body));
        let written = opened.database.tree().apply_batch(batch).map_err(Fault::from);
        written.map_err(|fault| fault.while_writing(&self.into, false))
    }
}

impl Drop for SledImport {
    fn drop(&mut self) {
        self.opened = None;
        // After a finished import it is not there any more.
        let _ = remove_dir(&self.draft);
    }
}
