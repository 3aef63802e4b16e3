//! The VMs and leases as the dashboard shows them, kept beside the records: the manager's loop is never asked for a list.
//!
//! Whoever asks again is told only what changed meanwhile, so that a page of ten thousand VMs stays cheap to keep fresh.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde::Serialize;
use vmpool::{
    model::{
        Change, Lease, LeaseId, RecordState, RequestId, RequestRecord, RequestStatus, Timestamp, VmName,
        VmRecord,
    },
    store::{Batch, Snapshot},
};

use super::lives::Life;

/// How many removals are remembered: whoever asks later than that is told everything.
const GONE: usize = 4_096;

/// The VMs and leases that are recorded; clones show the same.
#[derive(Debug, Clone)]
pub(crate) struct Board(Arc<Mutex<Rows>>);

#[derive(Debug)]
struct Rows {
    /// Grows with every change, also over restarts, since it begins with the time.
    revision: u64,
    /// The revision from which on all removals are known.
    since: u64,
    vms: BTreeMap<VmName, Kept>,
    leases: BTreeMap<LeaseId, (u64, LeaseRow)>,
    gone: VecDeque<(u64, Gone)>,
    /// The requests that wait.
    waiting: BTreeMap<RequestId, RequestRecord>,
}

#[derive(Debug)]
struct Kept {
    changed: u64,
    row: VmRow,
    life: Life,
}

#[derive(Debug, Clone)]
enum Gone {
    Vm(VmName),
    Lease(LeaseId),
}

/// A VM in one line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct VmRow {
    pub(crate) name: String,
    pub(crate) pool: String,
    pub(crate) provider: String,
    pub(crate) state: &'static str,
    /// In milliseconds since 1970, as all times here.
    pub(crate) since: i64,
    pub(crate) created: i64,
    pub(crate) uses: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) owner: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) lease: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) address: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) suspect: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) held_until: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) problem: Option<String>,
    /// The states it was in: the place of each among all states, and when it began, one after the other.
    pub(crate) life: Vec<i64>,
}

/// A lease in one line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct LeaseRow {
    pub(crate) id: String,
    pub(crate) vm: String,
    pub(crate) pool: String,
    pub(crate) owner: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) task: Option<String>,
    pub(crate) request: String,
    pub(crate) acquired: i64,
    pub(crate) expires: i64,
}

/// What changed since somebody asked last.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Delta {
    pub(crate) revision: u64,
    /// Whether this is everything: what was known before counts no more.
    pub(crate) full: bool,
    pub(crate) vms: Vec<VmRow>,
    pub(crate) leases: Vec<LeaseRow>,
    pub(crate) gone_vms: Vec<String>,
    pub(crate) gone_leases: Vec<String>,
}

/// What a batch changes of the board: taken before the batch is given away.
#[derive(Debug, Default)]
pub(crate) struct Changed {
    vms: Vec<(VmName, VmRow, RecordState, Timestamp)>,
    leases: Vec<(LeaseId, LeaseRow)>,
    gone: Vec<Gone>,
    /// Requests, and what they are if they wait.
    requests: Vec<(RequestId, Option<RequestRecord>)>,
}

impl Changed {
    pub(crate) fn of(batch: &Batch) -> Self {
        let mut changed = Self::default();
        for change in &batch.changes {
            match change {
                Change::PutVm(vm) => changed.vms.push((vm.name.clone(), vm_row(vm), vm.state, vm.since)),
                Change::PutLease(lease) => changed.leases.push((lease.id.clone(), lease_row(lease))),
                Change::RemoveVm(name) => changed.gone.push(Gone::Vm(name.clone())),
                Change::RemoveLease(id) => changed.gone.push(Gone::Lease(id.clone())),
                Change::PutRequest(request) => {
                    let waits = request.status == RequestStatus::Waiting;
                    changed.requests.push((request.id.clone(), waits.then(|| (**request).clone())));
                }
                Change::RemoveRequest(id) => changed.requests.push((id.clone(), None)),
                _ => {}
            }
        }
        changed
    }
}

impl Board {
    pub(crate) fn new(now: Timestamp) -> Self {
        let revision = u64::try_from(now.as_millis()).unwrap_or_default();
        let rows = Rows {
            revision,
            since: revision,
            vms: BTreeMap::new(),
            leases: BTreeMap::new(),
            gone: VecDeque::new(),
            waiting: BTreeMap::new(),
        };
        Self(Arc::new(Mutex::new(rows)))
    }

    /// Takes the records as they are; how VMs lived until now stays known.
    pub(crate) fn load(&self, snapshot: &Snapshot) {
        let mut rows = self.rows();
        rows.revision += 1;
        let (revision, mut before) = (rows.revision, std::mem::take(&mut rows.vms));
        rows.since = revision;
        rows.gone.clear();
        for vm in &snapshot.vms {
            let mut life = before.remove(&vm.name).map(|kept| kept.life).unwrap_or_default();
            life.enter(vm.state, vm.since);
            rows.vms.insert(vm.name.clone(), Kept { changed: revision, row: vm_row(vm), life });
        }
        let leases = snapshot.leases.iter();
        rows.leases = leases.map(|lease| (lease.id.clone(), (revision, lease_row(lease)))).collect();
        let waiting = snapshot.requests.iter().filter(|request| request.status == RequestStatus::Waiting);
        rows.waiting = waiting.map(|request| (request.id.clone(), request.clone())).collect();
    }

    /// Takes what became durable.
    pub(crate) fn apply(&self, changed: Changed) {
        let mut rows = self.rows();
        rows.revision += 1;
        let revision = rows.revision;
        for (name, row, state, since) in changed.vms {
            let mut life = rows.vms.remove(&name).map(|kept| kept.life).unwrap_or_default();
            life.enter(state, since);
            rows.vms.insert(name, Kept { changed: revision, row, life });
        }
        for (id, row) in changed.leases {
            rows.leases.insert(id, (revision, row));
        }
        for (id, request) in changed.requests {
            match request {
                Some(request) => drop(rows.waiting.insert(id, request)),
                None => drop(rows.waiting.remove(&id)),
            }
        }
        for gone in changed.gone {
            match &gone {
                Gone::Vm(name) => drop(rows.vms.remove(name)),
                Gone::Lease(id) => drop(rows.leases.remove(id)),
            }
            rows.gone.push_back((revision, gone));
        }
        while GONE < rows.gone.len() {
            if let Some((revision, _)) = rows.gone.pop_front() {
                rows.since = revision;
            }
        }
    }

    /// Tells what happened to VMs before they were looked at.
    pub(crate) fn remember(&self, past: impl IntoIterator<Item = (VmName, RecordState, Timestamp)>) {
        let mut rows = self.rows();
        rows.revision += 1;
        let revision = rows.revision;
        for (name, state, at) in past {
            if let Some(kept) = rows.vms.get_mut(&name) {
                kept.life.was(state, at);
                kept.changed = revision;
            }
        }
    }

    /// Returns what changed after a revision, everything if that is too long ago or of another daemon.
    pub(crate) fn delta(&self, after: Option<u64>) -> Delta {
        let rows = self.rows();
        let after = after.filter(|after| rows.since <= *after && *after <= rows.revision);
        let is_newer = |revision: u64| after.is_none_or(|after| after < revision);
        let vms = rows.vms.values().filter(|kept| is_newer(kept.changed));
        let leases = rows.leases.values().filter(|(changed, _)| is_newer(*changed));
        let mut delta = Delta {
            revision: rows.revision,
            full: after.is_none(),
            vms: vms.map(|kept| VmRow { life: kept.life.told(), ..kept.row.clone() }).collect(),
            leases: leases.map(|(_, row)| row.clone()).collect(),
            ..Delta::default()
        };
        for (_, gone) in rows.gone.iter().filter(|(revision, _)| after.is_some() && is_newer(*revision)) {
            // What is there again is told above.
            match gone {
                Gone::Vm(name) if !rows.vms.contains_key(name) => delta.gone_vms.push(name.to_string()),
                Gone::Lease(id) if !rows.leases.contains_key(id) => delta.gone_leases.push(id.to_string()),
                _ => {}
            }
        }
        delta
    }

    /// Returns a request that waits.
    pub(crate) fn waiting(&self, request: &RequestId) -> Option<RequestRecord> {
        self.rows().waiting.get(request).cloned()
    }

    /// Returns whether some request waits.
    pub(crate) fn somebody_waits(&self) -> bool {
        !self.rows().waiting.is_empty()
    }

    fn rows(&self) -> MutexGuard<'_, Rows> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn vm_row(vm: &VmRecord) -> VmRow {
    VmRow {
        name: vm.name.to_string(),
        pool: vm.pool.to_string(),
        provider: vm.provider.to_string(),
        state: vm.state.as_str(),
        since: vm.since.as_millis(),
        created: vm.created_at.as_millis(),
        uses: vm.uses,
        owner: vm.owner.as_ref().map(ToString::to_string),
        lease: vm.lease.as_ref().map(ToString::to_string),
        address: vm.node.as_ref().and_then(|node| node.addresses.first()).map(ToString::to_string),
        suspect: vm.suspect.clone(),
        held_until: vm.hold.as_ref().map(|hold| hold.until.as_millis()),
        problem: vm.problem.clone(),
        life: Vec::new(),
    }
}

fn lease_row(lease: &Lease) -> LeaseRow {
    LeaseRow {
        id: lease.id.to_string(),
        vm: lease.vm.to_string(),
        pool: lease.pool.to_string(),
        owner: lease.owner.to_string(),
        task: lease.task.as_ref().map(ToString::to_string),
        request: lease.request.to_string(),
        acquired: lease.acquired_at.as_millis(),
        expires: lease.expires_at.as_millis(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vm(name: &str, state: RecordState, millis: i64) -> VmRecord {
        let (pool, provider) = ("small".parse().unwrap(), "lab".parse().unwrap());
        let since = Timestamp::from_millis(millis);
        let record = VmRecord::intended(name.parse().unwrap(), pool, provider, Timestamp::from_millis(0));
        VmRecord { state, since, ..record }
    }

    fn put(board: &Board, vm: VmRecord) {
        let changes = vec![Change::PutVm(Box::new(vm))];
        board.apply(Changed::of(&Batch { changes, ..Batch::default() }));
    }

    fn remove(board: &Board, name: &str) {
        let changes = vec![Change::RemoveVm(name.parse().unwrap())];
        board.apply(Changed::of(&Batch { changes, ..Batch::default() }));
    }

    fn names(delta: &Delta) -> Vec<&str> {
        delta.vms.iter().map(|vm| vm.name.as_str()).collect()
    }

    #[test]
    fn only_what_changed_meanwhile_is_told() {
        let board = Board::new(Timestamp::from_millis(1_000));
        put(&board, vm("a", RecordState::Spawning, 1));
        put(&board, vm("b", RecordState::Spawning, 1));
        let first = board.delta(None);
        assert_eq!((first.full, names(&first)), (true, vec!["a", "b"]));
        put(&board, vm("b", RecordState::Ready, 2));
        remove(&board, "a");
        let next = board.delta(Some(first.revision));
        assert_eq!((next.full, names(&next), &next.gone_vms[..]), (false, vec!["b"], &["a".to_owned()][..]));
        assert_eq!(next.vms[0].life, [0, 1, 4, 2]);
        assert_eq!(names(&board.delta(Some(next.revision))), Vec::<&str>::new());
    }

    #[test]
    fn who_asks_with_the_revision_of_another_daemon_is_told_everything() {
        let board = Board::new(Timestamp::from_millis(1_000));
        put(&board, vm("a", RecordState::Ready, 1));
        for other in [0, 999, 5_000] {
            assert!(board.delta(Some(other)).full, "{other}");
        }
    }

    #[test]
    fn who_asks_after_more_removals_than_are_remembered_is_told_everything() {
        let board = Board::new(Timestamp::from_millis(1_000));
        let before = board.delta(None).revision;
        for _ in 0..=GONE {
            remove(&board, "a");
        }
        assert!(board.delta(Some(before)).full);
        assert!(!board.delta(Some(before + 1)).full);
    }

    #[test]
    fn records_that_are_loaded_again_keep_their_past() {
        let board = Board::new(Timestamp::from_millis(1_000));
        put(&board, vm("a", RecordState::Spawning, 1));
        board.load(&Snapshot { vms: vec![vm("a", RecordState::Ready, 7)], ..Snapshot::default() });
        assert_eq!(board.delta(None).vms[0].life, [0, 1, 4, 7]);
    }
}
