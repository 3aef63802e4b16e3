//! One domain in memory.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use vmpool_model::{
    Change, Event, InstallationId, Lease, LeaseId, PoolName, PoolRecord, RequestId, RequestRecord, VmName,
    VmRecord,
};

use crate::{
    Batch, Committed, Cursor, EventPage, Fence, RecordKind, Revision, Snapshot, StoreError, StoredEvent,
    Unreadable, change,
};

#[derive(Debug, Default)]
pub(super) struct Rows {
    pub(super) fence: Fence,
    revision: Revision,
    installation: Option<InstallationId>,
    vms: BTreeMap<VmName, VmRecord>,
    leases: BTreeMap<LeaseId, Lease>,
    requests: BTreeMap<RequestId, RequestRecord>,
    pools: BTreeMap<PoolName, PoolRecord>,
    /// The records that count as damaged.
    damaged: BTreeSet<(RecordKind, String)>,
    /// The cursor of the last event, whether it is kept or not.
    cursor: Cursor,
    log: VecDeque<Event>,
}

impl Rows {
    /// Refuses a commit under a superseded claim, or on another revision.
    pub(super) fn check(&self, held: Fence, expected: Revision) -> Result<(), StoreError> {
        change::check_turn(held, self.fence, expected, self.revision)
    }

    /// Applies a batch whose changes and turn were checked; it cannot fail.
    pub(super) fn apply(&mut self, batch: Batch, keep_events: usize) -> Committed {
        for change in batch.changes {
            self.change(change);
        }
        self.revision.0 += 1;
        self.cursor.0 += u64::try_from(batch.events.len()).unwrap_or(u64::MAX);
        self.log.extend(batch.events);
        self.log.drain(..self.log.len().saturating_sub(keep_events));
        Committed { revision: self.revision, cursor: self.cursor }
    }

    pub(super) fn snapshot(&self) -> Snapshot {
        let unreadable = self.damaged.iter().map(|(kind, id)| Unreadable {
            kind: *kind,
            id: id.clone(),
            why: "the test asked for this damage".to_owned(),
        });
        Snapshot {
            revision: self.revision,
            cursor: self.cursor,
            installation: self.installation.clone(),
            vms: self.readable(RecordKind::Vm, &self.vms),
            leases: self.readable(RecordKind::Lease, &self.leases),
            requests: self.readable(RecordKind::Request, &self.requests),
            pools: self.readable(RecordKind::Pool, &self.pools),
            unreadable: unreadable.collect(),
        }
    }

    fn readable<K: AsRef<str>, T: Clone>(&self, kind: RecordKind, rows: &BTreeMap<K, T>) -> Vec<T> {
        let is_damaged =
            |id: &K| !self.damaged.is_empty() && self.damaged.contains(&(kind, id.as_ref().to_owned()));
        rows.iter().filter(|(id, _)| !is_damaged(id)).map(|(_, row)| row.clone()).collect()
    }

    /// Damages a record until it is written or removed; returns whether there is one.
    pub(super) fn damage(&mut self, kind: RecordKind, id: &str) -> bool {
        let is_there = match kind {
            RecordKind::Vm => self.vms.keys().any(|name| name.as_str() == id),
            RecordKind::Lease => self.leases.keys().any(|name| name.as_str() == id),
            RecordKind::Request => self.requests.keys().any(|name| name.as_str() == id),
            RecordKind::Pool => self.pools.keys().any(|name| name.as_str() == id),
        };
        is_there && self.damaged.insert((kind, id.to_owned()))
    }

    pub(super) fn events(&self, after: Cursor, limit: usize) -> EventPage {
        let kept = u64::try_from(self.log.len()).unwrap_or(u64::MAX);
        if kept == 0 {
            return EventPage::default();
        }
        let oldest = Cursor(self.cursor.0 - kept + 1);
        let first = after.0.saturating_add(1).max(oldest.0);
        let skip = usize::try_from(first - oldest.0).unwrap_or(usize::MAX);
        let events = self.log.iter().skip(skip).take(limit).zip(first..);
        let events =
            events.map(|(event, cursor)| StoredEvent { cursor: Cursor(cursor), event: event.clone() });
        EventPage { events: events.collect(), oldest }
    }

    fn change(&mut self, change: Change) {
        if !self.damaged.is_empty() {
            self.mend(&change);
        }
        match change {
            Change::PutInstallation(id) => self.installation = Some(id),
            Change::PutVm(vm) => drop(self.vms.insert(vm.name.clone(), *vm)),
            Change::RemoveVm(name) => drop(self.vms.remove(&name)),
            Change::PutLease(lease) => drop(self.leases.insert(lease.id.clone(), *lease)),
            Change::RemoveLease(id) => drop(self.leases.remove(&id)),
            Change::PutRequest(request) => drop(self.requests.insert(request.id.clone(), *request)),
            Change::RemoveRequest(id) => drop(self.requests.remove(&id)),
            Change::PutPool(pool) => drop(self.pools.insert(pool.name.clone(), *pool)),
            Change::RemovePool(name) => drop(self.pools.remove(&name)),
            // `change::check_all` refused the batch.
            _ => {}
        }
    }

    /// A record that is written or removed is not damaged any more.
    fn mend(&mut self, change: &Change) {
        let (kind, id) = match change {
            Change::PutVm(vm) => (RecordKind::Vm, vm.name.as_str()),
            Change::RemoveVm(name) => (RecordKind::Vm, name.as_str()),
            Change::PutLease(lease) => (RecordKind::Lease, lease.id.as_str()),
            Change::RemoveLease(id) => (RecordKind::Lease, id.as_str()),
            Change::PutRequest(request) => (RecordKind::Request, request.id.as_str()),
            Change::RemoveRequest(id) => (RecordKind::Request, id.as_str()),
            Change::PutPool(pool) => (RecordKind::Pool, pool.name.as_str()),
            Change::RemovePool(name) => (RecordKind::Pool, name.as_str()),
            _ => return,
        };
        self.damaged.remove(&(kind, id.to_owned()));
    }
}
