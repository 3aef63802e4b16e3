//! Reading records and events out of the tree.

use serde::de::DeserializeOwned;
use vmpool_model::{DomainName, Event};

use super::{
    body,
    database::Database,
    fault::Fault,
    key::{self, Kind},
    meta::{DomainMeta, Log},
};
use crate::{Cursor, EventPage, Snapshot, StoreError, StoredEvent};

/// Reads all records of a domain; nothing may be written meanwhile.
pub(super) fn load(
    database: &Database,
    domain: &DomainName,
    meta: &DomainMeta,
) -> Result<Snapshot, StoreError> {
    Ok(Snapshot {
        revision: meta.revision,
        cursor: meta.cursor,
        installation: all(database, domain, Kind::Installation)?.pop(),
        vms: all(database, domain, Kind::Vm)?,
        leases: all(database, domain, Kind::Lease)?,
        requests: all(database, domain, Kind::Request)?,
        pools: all(database, domain, Kind::Pool)?,
    })
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
        let event: Event = body::decode(&database.place, &key, Kind::Event.name(), &found)?;
        events.push(StoredEvent { cursor: Cursor(cursor), event });
    }
    Ok(Some(EventPage { events, oldest: log.oldest }))
}

fn all<T: DeserializeOwned>(
    database: &Database,
    domain: &DomainName,
    kind: Kind,
) -> Result<Vec<T>, StoreError> {
    let mut records = Vec::new();
    for item in database.tree().scan_prefix(key::prefix(domain, kind)) {
        let (key, found) = item.map_err(|err| unread(database, err))?;
        records.push(body::decode(&database.place, &key, kind.name(), &found)?);
    }
    Ok(records)
}

fn unread(database: &Database, err: sled::Error) -> StoreError {
    Fault::from(err).while_reading(&database.place)
}
