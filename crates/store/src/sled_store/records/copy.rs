//! A store that is only looked at.

use std::{
    fs::{self, DirBuilder, File, TryLockError},
    io,
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
};

use super::check::Checks;
use crate::{
    KeptRecord, Misfit, StoreError,
    sled_store::{
        database::{Database, guarded},
        fault::Fault,
        head::Head,
        key::{self, Kind},
        place::{copy_dir, remove_dir},
    },
};

/// How much memory the cache of the copy may take.
const CACHE: u64 = 8 << 20;

/// The directory of a sled store, of which a copy is read: nothing in it is changed, and it may be read-only.
///
/// While it lives, no daemon can open the store, unless the directory has no file `lock`, as a copy may.
/// The copy is in the system's folder for temporary files, which `TMPDIR` names, and takes as much room as the database.
///
/// # Examples
///
/// ```
/// use vmpool_store::{SledCopy, SledOptions, SledStore};
/// # let dir = tempfile::tempdir()?;
/// # let path = dir.path().join("store");
/// drop(SledStore::open(SledOptions::new(&path))?);
/// let copy = SledCopy::take(&path)?;
/// assert_eq!(copy.records().count(), 0);
/// assert_eq!(copy.check(|_| {})?, []);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct SledCopy {
    dir: PathBuf,
    /// Closed before its files are removed.
    database: Option<Database>,
    scratch: PathBuf,
    /// Locked as long as it is open.
    _lock: Option<File>,
}

impl SledCopy {
    /// Takes a copy of the store in `dir`.
    ///
    /// # Errors
    ///
    /// [`StoreError::InUse`] if a daemon has it open, [`StoreError::Damaged`] if there is no store or its database cannot be
    /// opened, [`StoreError::Full`] if there is no room for the copy, and [`StoreError::Io`] for all else.
    pub fn take(dir: &Path) -> Result<Self, StoreError> {
        let fault = |err: io::Error| Fault::from(err).while_opening(dir);
        let sled = dir.join("sled");
        if !fs::metadata(sled.join("db")).is_ok_and(|data| 0 < data.len()) {
            let reason = "there is no store in it, or none that anything was written to".to_owned();
            return Err(StoreError::Damaged { place: dir.display().to_string(), reason });
        }
        let lock = lock(dir)?;
        let scratch = scratch().map_err(fault)?;
        let mut copy = Self { dir: dir.to_owned(), database: None, scratch, _lock: lock };
        copy_dir(&sled, &copy.scratch).map_err(fault)?;
        let opened = guarded(|| Database::open(dir, &copy.scratch, CACHE)).and_then(|opened| opened);
        copy.database = Some(opened.map_err(|fault| fault.while_opening(dir))?);
        Ok(copy)
    }

    /// Returns how many entries there are, among them that of the store itself; this reads all of them.
    #[must_use]
    pub fn count(&self) -> u64 {
        let tree = self.database.as_ref().map(Database::tree);
        tree.map_or(0, |tree| u64::try_from(tree.len()).unwrap_or(u64::MAX))
    }

    /// Returns all records, by domain, kind and id; one that is no record of vmpool's is a misfit.
    pub fn records(&self) -> impl Iterator<Item = Result<KeptRecord, Misfit>> {
        let entries = self.database.iter().flat_map(|database| database.tree().iter());
        // The record of the store itself counts the writes of this directory.
        let entries = entries.filter(|entry| entry.as_ref().ok().is_none_or(|(key, _)| key != key::STORE));
        entries.map(|entry| match entry {
            Ok((key, body)) => kept(&key, &body).map_err(|why| self.misfit(&key, why)),
            Err(err) => Err(Misfit { place: self.dir.display().to_string(), why: err.to_string() }),
        })
    }

    /// Reads every record and looks whether they fit together; tells what does not.
    ///
    /// Looked at are the marker and the file `head`, which say how much there must be; each record by itself; that every lease
    /// has its VM and every leased VM its lease; and that no event is missing between the oldest and the newest.
    /// `progress` is told after each record how many were read.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the look breaks off.
    pub fn check(&self, mut progress: impl FnMut(u64)) -> Result<Vec<Misfit>, StoreError> {
        let Some(database) = &self.database else { return Ok(Vec::new()) };
        let mut misfits = self.loss(database)?;
        let mut checks = Checks::default();
        for (read, record) in (1..).zip(self.records()) {
            match record {
                Ok(record) => misfits.extend(checks.take(&self.dir, &record)),
                Err(misfit) => misfits.push(misfit),
            }
            progress(read);
        }
        misfits.extend(checks.end(&self.dir));
        Ok(misfits)
    }

    /// Tells whether the database lacks what was acknowledged, and whether that can be known.
    fn loss(&self, database: &Database) -> Result<Vec<Misfit>, StoreError> {
        let (marker, head) = (self.dir.join("vmpool-store.json"), self.dir.join("head"));
        let misfit = |path: &Path, why: String| Misfit { place: path.display().to_string(), why };
        let mut found = Vec::new();
        if !marker.is_file() {
            found.push(misfit(&marker, "it is missing, although there are records".to_owned()));
        }
        let sequence = guarded(|| database.store_meta());
        let sequence = sequence.map_err(|fault| fault.while_opening(&self.dir))?;
        let sequence = match sequence {
            Ok(meta) => meta.map_or(0, |meta| meta.sequence),
            Err(err) => {
                found.push(misfit(&self.dir.join("sled"), err.to_string()));
                return Ok(found);
            }
        };
        match Head::look(&head) {
            Ok(acknowledged) if acknowledged <= sequence => {}
            Ok(acknowledged) => found.push(misfit(
                &head,
                format!("writes up to {acknowledged} were acknowledged, the database ends at {sequence}"),
            )),
            Err(err) => found.push(misfit(&head, format!("it cannot be read: {err}"))),
        }
        Ok(found)
    }

    fn misfit(&self, key: &[u8], why: String) -> Misfit {
        Misfit { place: format!("{}, record {}", self.dir.display(), key::show(key)), why }
    }
}

impl Drop for SledCopy {
    fn drop(&mut self) {
        self.database = None;
        // It is in the folder for what may be removed by anybody.
        let _ = remove_dir(&self.scratch);
    }
}

/// Keeps daemons away, where there is a file to do so.
fn lock(dir: &Path) -> Result<Option<File>, StoreError> {
    let path = dir.join("lock");
    let file = match File::open(&path) {
        Ok(file) => file,
        Err(err) if err.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(err) => return Err(Fault::from(err).while_opening(&path)),
    };
    match file.try_lock_shared() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => {
            let process = fs::read_to_string(&path).ok().and_then(|id| id.trim().parse().ok());
            Err(StoreError::InUse { place: dir.display().to_string(), process })
        }
        Err(TryLockError::Error(err)) => Err(Fault::from(err).while_opening(&path)),
    }
}

/// Makes a directory that nobody else can read.
fn scratch() -> io::Result<PathBuf> {
    let mut number = 0_u32;
    loop {
        let path = std::env::temp_dir().join(format!("vmpool-copy-{}-{number}", std::process::id()));
        match DirBuilder::new().mode(0o700).create(&path) {
            Err(err) if err.kind() == io::ErrorKind::AlreadyExists => number += 1,
            made => return made.map(|()| path),
        }
    }
}

/// Makes a record of an entry; says why it is none.
fn kept(key: &[u8], body: &[u8]) -> Result<KeptRecord, String> {
    let (domain, kind, id) = key::parts(key).ok_or("no version of vmpool knows such a key")?;
    let id = match kind {
        Kind::Event => {
            let cursor: [u8; 8] = id.try_into().map_err(|_| "the key of an event has no cursor")?;
            u64::from_be_bytes(cursor).to_string()
        }
        _ => String::from_utf8(id.to_vec()).map_err(|_| "the key of the record is no text")?,
    };
    let body = serde_json::from_slice(body).map_err(|err| format!("it is not a record: {err}"))?;
    Ok(KeptRecord { domain: domain.to_string(), kind: kind.name().to_owned(), id, body })
}
