//! Opening a store: making it, or trying it out on a copy before sled may touch it.

use std::{fs, path::Path, sync::Arc};

use super::{
    SledOptions, body,
    database::{Database, Domains, guarded},
    fault::Fault,
    head::Head,
    key,
    meta::StoreMeta,
    place::{Place, copy_dir, remove_dir},
};
use crate::{StoreError, fail_point};

/// How much memory the cache of the copy may take that is tried out.
const TRIAL_CACHE: u64 = 8 << 20;

/// A store that can be worked on.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) database: Arc<Database>,
    /// The domains as they are in the database.
    pub(super) domains: Domains,
    /// The sequence of the last write in the database.
    pub(super) sequence: u64,
}

/// Opens the store in `place`, or makes it.
///
/// sled recovers a database by cutting off what it cannot read, and a database that is missing by
/// making an empty one. So a copy is opened first, and only if it holds everything that was
/// acknowledged is the database itself opened.
pub(super) fn open(place: &Place, options: &SledOptions) -> Result<(Opened, Head), StoreError> {
    let fault = |fault: Fault| fault.while_opening(place.dir());
    fail_point::reach("store.open.locked");
    remove_dir(&place.trial()).map_err(|err| fault(err.into()))?;
    let marked = place.is_marked()?;
    let head = match marked && !options.accept_loss {
        true => Some(Head::open(&place.head()).map_err(|err| unreadable_head(place, err.into()))?),
        false => None,
    };
    let acknowledged = head.as_ref().map_or(0, |(_, acknowledged)| *acknowledged);
    let data = place.sled().join("db");
    if fs::metadata(&data).is_ok_and(|data| 0 < data.len()) {
        let trial = try_out(place, options, acknowledged);
        remove_dir(&place.trial()).map_err(|err| fault(err.into()))?;
        fail_point::reach("store.open.tried");
        let in_use = !trial?.domains.is_empty();
        if in_use && !marked && !options.accept_loss {
            return Err(damaged(place.dir(), "vmpool-store.json is missing, although there are records"));
        }
    } else if marked && !options.accept_loss {
        return Err(damaged(&data, "the database is missing or empty"));
    }
    // What can be read of the copy can be read of the database.
    let mut opened = attach_in(place, &place.sled(), options, acknowledged, Database::domains)?;
    fail_point::reach("store.open.attached");
    if opened.sequence == 0 {
        write_first(&mut opened)?;
        fail_point::reach("store.make.written");
    }
    // What a crashed process had written, and was never acknowledged, is seen from now on.
    opened.database.flush().and_then(|()| opened.database.sync()).map_err(fault)?;
    place.sync(marked).map_err(fault)?;
    let head = match head {
        Some((head, _)) => head.write(opened.sequence).map(|()| head),
        None => Head::create(&place.head(), opened.sequence),
    };
    let head = head.map_err(|err| fault(err.into()))?;
    fail_point::reach("store.open.counted");
    if !marked {
        fail_point::reach("store.make.counted");
        place.mark().map_err(fault)?;
        fail_point::reach("store.make.marked");
    }
    Ok((opened, head))
}

/// Opens the database itself, and refuses it if writes up to `acknowledged` are missing.
pub(super) fn attach(place: &Place, options: &SledOptions, acknowledged: u64) -> Result<Opened, StoreError> {
    attach_in(place, &place.sled(), options, acknowledged, Database::scan)
}

fn try_out(place: &Place, options: &SledOptions, acknowledged: u64) -> Result<Opened, StoreError> {
    copy_dir(&place.sled(), &place.trial()).map_err(|err| Fault::from(err).while_opening(place.dir()))?;
    fail_point::reach("store.open.copied");
    // Each page is read once, and the memory is of more use to the database itself.
    let options = SledOptions { cache_bytes: options.cache_bytes.min(TRIAL_CACHE), ..options.clone() };
    attach_in(place, &place.trial(), &options, acknowledged, Database::scan)
}

fn attach_in(
    place: &Place,
    dir: &Path,
    options: &SledOptions,
    acknowledged: u64,
    domains: impl FnOnce(&Database) -> Result<Domains, StoreError>,
) -> Result<Opened, StoreError> {
    let fault = |fault: Fault| fault.while_opening(place.dir());
    let database = Database::open(place.dir(), dir, options.cache_bytes).map_err(fault)?;
    let read = || Ok((database.store_meta()?, domains(&database)?));
    let (meta, domains): (Option<StoreMeta>, _) = guarded(read).map_err(fault)??;
    let sequence = meta.map_or(0, |meta| meta.sequence);
    if sequence < acknowledged {
        let reason = format!(
            "the database ends at write {sequence}, but writes up to {acknowledged} were acknowledged"
        );
        return Err(damaged(&place.sled().join("db"), &reason));
    }
    Ok(Opened { database: Arc::new(database), domains, sequence })
}

/// Writes the record of the store into a new database.
fn write_first(opened: &mut Opened) -> Result<(), StoreError> {
    let database = &opened.database;
    let meta = StoreMeta { sequence: 1 };
    let body = body::encode("store", &meta).map_err(|err| body::not_encoded(&database.place, err))?;
    let write = || -> Result<(), Fault> {
        database.tree().insert(key::STORE, body)?;
        database.flush()?;
        database.sync()
    };
    let written = guarded(write).and_then(|written| written);
    written.map_err(|fault| fault.while_opening(&database.place))?;
    opened.sequence = 1;
    Ok(())
}

fn unreadable_head(place: &Place, fault: Fault) -> StoreError {
    match fault {
        Fault::Io(err) if err.kind() != std::io::ErrorKind::NotFound => {
            Fault::Io(err).while_opening(&place.head())
        }
        Fault::Io(err) => damaged(&place.head(), &err.to_string()),
        other => other.while_opening(&place.head()),
    }
}

fn damaged(place: &Path, reason: &str) -> StoreError {
    StoreError::Damaged { place: place.display().to_string(), reason: reason.to_owned() }
}
