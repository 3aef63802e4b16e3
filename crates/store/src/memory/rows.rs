//! One domain in memory.

use std::collections::{BTreeMap, VecDeque};

use vmpool_model::{
    Change, Event, InstallationId, Lease, LeaseId, PoolName, PoolRecord, RequestId, RequestRecord, VmName,
    VmRecord,
};

use crate::{
    Batch, Committed, Cursor, EventPage, Fence, Revision, Snapshot, StoreError, StoredEvent, change,
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
        Snapshot {
            revision: self.revision,
            cursor: self.cursor,
            installation: self.installation.clone(),
            vms: self.vms.values().cloned().collect(),
            leases: self.leases.values().cloned().collect(),
            requests: self.requests.values().cloned().collect(),
            pools: self.pools.values().cloned().collect(),
        }
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
}
