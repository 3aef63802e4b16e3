//! Records that an engine is not told, because they or what they refer to cannot be read.

use std::{collections::BTreeSet, str::FromStr};

use vmpool_engine::{Grant, Records, Refusal};
use vmpool_model::{
    Event, EventKind, LeaseId, PoolName, RequestId, RequestStatus, Timestamp, VmName, VmRecord,
};
use vmpool_store::{RecordKind, Snapshot, Unreadable};

use crate::wake::{Reply, Wake};

/// What is withheld from an engine.
#[derive(Debug, Clone, Default)]
pub(crate) struct Withheld {
    /// The records that cannot be read.
    pub(crate) unreadable: Vec<Unreadable>,
    /// The records of VMs that are leased, by leases that cannot be read: nothing may be done to these VMs.
    pub(crate) vms: Vec<VmRecord>,
    /// Requests that cannot be read, or were given such leases: they must not be made anew.
    requests: BTreeSet<RequestId>,
}

impl Withheld {
    /// Tells what an engine may know from what it must not.
    pub(crate) fn from(snapshot: Snapshot) -> (Records, Self) {
        let Snapshot { vms, leases, requests, pools, unreadable, .. } = snapshot;
        if unreadable.is_empty() {
            let records = Records { vms, leases, requests, pools, ..Records::default() };
            return (records, Self::default());
        }
        let lost: BTreeSet<LeaseId> = ids(&unreadable, RecordKind::Lease);
        let is_lost = |vm: &VmRecord| vm.lease.as_ref().is_some_and(|lease| lost.contains(lease));
        let (withheld, vms) = vms.into_iter().partition::<Vec<_>, _>(is_lost);
        let (unknown, requests) =
            requests.into_iter().partition::<Vec<_>, _>(|request| match &request.status {
                RequestStatus::Granted { leases, .. } => leases.iter().any(|lease| lost.contains(lease)),
                _ => false,
            });
        let mut fenced: BTreeSet<VmName> = ids(&unreadable, RecordKind::Vm);
        fenced.extend(withheld.iter().map(|vm| vm.name.clone()));
        let mut unknown_ids: BTreeSet<RequestId> = ids(&unreadable, RecordKind::Request);
        unknown_ids.extend(unknown.into_iter().map(|request| request.id));
        let unreadable_pools = ids(&unreadable, RecordKind::Pool);
        let records = Records { vms, leases, requests, pools, unreadable: fenced, unreadable_pools };
        (records, Self { unreadable, vms: withheld, requests: unknown_ids })
    }

    /// Refuses to make a request anew of which nothing is known but that it was made; gives all else back.
    pub(crate) fn refuse(&self, wake: Wake) -> Result<Wake, (Reply<Vec<Grant>>, Refusal)> {
        match wake {
            Wake::Acquire(acquire, _, reply) if self.requests.contains(&acquire.request) => {
                Err((reply, Refusal::RequestConflict { request: acquire.request }))
            }
            wake => Ok(wake),
        }
    }
}

/// Tells of the records that cannot be read, but for those of VMs, of which the engine tells.
pub(crate) fn events(unreadable: &[Unreadable], now: Timestamp) -> Vec<Event> {
    let others = unreadable.iter().filter(|record| record.kind != RecordKind::Vm);
    let event = |Unreadable { kind, id, why }: &Unreadable| {
        let mut event = Event::new(now, EventKind::RecordUnreadable);
        match kind {
            RecordKind::Lease => event.lease = LeaseId::new(id).ok(),
            RecordKind::Request => event.request = RequestId::new(id).ok(),
            RecordKind::Pool => event.pool = PoolName::new(id).ok(),
            _ => {}
        }
        event.detail = format!("the record of {kind} {id} is left alone: {why}");
        event
    };
    others.map(event).collect()
}

/// Returns the ids of one kind; nothing was ever kept under what is no id.
fn ids<T: Ord + FromStr>(unreadable: &[Unreadable], kind: RecordKind) -> BTreeSet<T> {
    unreadable
        .iter()
        .filter(|record| record.kind == kind)
        .filter_map(|record| record.id.parse().ok())
        .collect()
}
