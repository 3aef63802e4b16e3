//! Reading records and events out of the tree.

use serde::de::DeserializeOwned;
use vmpool_model::{
    DomainName, Event, EventKind, InstallationId, Lease, PoolRecord, RequestRecord, Timestamp, VmRecord,
};

use super::{
    body,
    database::Database,
    fault::Fault,
    key::{self, Kind},
    meta::{DomainMeta, Log},
};
use crate::{Cursor, EventPage, RecordKind, Snapshot, StoreError, StoredEvent, Unreadable};

/// Reads all records of a domain; nothing may be written meanwhile.
pub(super) fn load(
    database: &Database,
    domain: &DomainName,
    meta: &DomainMeta,
) -> Result<Snapshot, StoreError> {
    let mut unreadable = Vec::new();
    let mut reader = Reader { database, domain, unreadable: &mut unreadable };
    let vms = reader.all(Kind::Vm, RecordKind::Vm, |vm: &VmRecord| vm.name.as_str())?;
    let leases = reader.all(Kind::Lease, RecordKind::Lease, |lease: &Lease| lease.id.as_str())?;
    let requests =
        reader.all(Kind::Request, RecordKind::Request, |request: &RequestRecord| request.id.as_str())?;
    let pools = reader.all(Kind::Pool, RecordKind::Pool, |pool: &PoolRecord| pool.name.as_str())?;
    Ok(Snapshot {
        revision: meta.revision,
        cursor: meta.cursor,
        installation: installation(database, domain)?,
        vms,
        leases,
        requests,
        pools,
        unreadable,
    })
}

/// Reads the record that a domain has one of.
fn installation(database: &Database, domain: &DomainName) -> Result<Option<InstallationId>, StoreError> {
    let key = key::prefix(domain, Kind::Installation);
    let found = database.tree().get(&key).map_err(|err| unread(database, err))?;
    found.map(|body| body::decode(&database.place, &key, Kind::Installation.name(), &body)).transpose()
}

/// Reads events; `Ok(None)` if one that was to be there is not, as it was trimmed meanwhile, or lost.
pub(super) fn events(
    database: &Database,
    domain: &DomainName,
    log: Log,
    after: Cursor,
    limit: usize,
) -> Result<Option<EventPage>, StoreError> {
    if log.is_empty() {
        return Ok(Some(EventPage::default()));
    }
    let mut events = Vec::new();
    let first = after.0.saturating_add(1).max(log.oldest.0);
    for cursor in (first..=log.last.0).take(limit) {
        let key = key::event(domain, cursor);
        let Some(found) = database.tree().get(&key).map_err(|err| unread(database, err))? else {
            return Ok(None);
        };
        let event = body::decode(&database.place, &key, Kind::Event.name(), &found);
        let event = event.unwrap_or_else(|err| unreadable_event(&events, &err));
        events.push(StoredEvent { cursor: Cursor(cursor), event });
    }
    Ok(Some(EventPage { events, oldest: log.oldest }))
}

/// Reads when an event happened; `None` if there is none at this place, and an error if it cannot be read.
pub(super) fn event_time(
    database: &Database,
    domain: &DomainName,
    cursor: Cursor,
) -> Option<Result<Timestamp, StoreError>> {
    let key = key::event(domain, cursor.0);
    let found = database.tree().get(&key).map_err(|err| unread(database, err)).transpose()?;
    let event = found.and_then(|body| body::decode(&database.place, &key, Kind::Event.name(), &body));
    Some(event.map(|event: Event| event.at))
}

/// Stands for an event that cannot be read, so that the history around it can be: it happened after the one before.
fn unreadable_event(before: &[StoredEvent], err: &StoreError) -> Event {
    let at = before.last().map(|before| before.event.at).unwrap_or_default();
    let mut event = Event::new(at, EventKind::Unknown);
    event.detail = err.to_string();
    event
}

/// Reads the records of a domain of which there are many.
struct Reader<'a> {
    database: &'a Database,
    domain: &'a DomainName,
    unreadable: &'a mut Vec<Unreadable>,
}

impl Reader<'_> {
    /// Reads the records of one kind; puts aside those that cannot be read, or that stand under the name of another.
    fn all<T: DeserializeOwned>(
        &mut self,
        kind: Kind,
        named: RecordKind,
        id: impl Fn(&T) -> &str,
    ) -> Result<Vec<T>, StoreError> {
        let mut records = Vec::new();
        let prefix = key::prefix(self.domain, kind);
        for item in self.database.tree().scan_prefix(&prefix) {
            let (key, found) = item.map_err(|err| unread(self.database, err))?;
            let kept_as = String::from_utf8_lossy(&key[prefix.len()..]);
            let why = match body::decode(&self.database.place, &key, kind.name(), &found) {
                Ok(record) if id(&record) == kept_as => {
                    records.push(record);
                    continue;
                }
                Ok(record) => {
                    format!(
                        "{}, record {}: it says that it is {}",
                        self.place(),
                        key::show(&key),
                        id(&record)
                    )
                }
                Err(err) => err.to_string(),
            };
            self.unreadable.push(Unreadable { kind: named, id: kept_as.into_owned(), why });
        }
        Ok(records)
    }

    fn place(&self) -> std::path::Display<'_> {
        self.database.place.display()
    }
}

fn unread(database: &Database, err: sled::Error) -> StoreError {
    Fault::from(err).while_reading(&database.place)
}
