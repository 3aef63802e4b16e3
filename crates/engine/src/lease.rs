//! Leases: renewed, given back, expired.

use std::time::Duration;

use vmpool_model::{Change, EventKind, Lease, LeaseId, RecordState, Transition, config::OnRelease};

use crate::{Answer, Engine, Refusal, pool, timers::Timer};

impl Engine {
    pub(crate) fn renew(&mut self, id: &LeaseId, fence: Option<u64>, ttl: Option<Duration>) -> Answer {
        let Some(lease) = self.leases.get_mut(id) else {
            return Answer::Refused(Refusal::UnknownLease { lease: id.clone() });
        };
        if let Some(told) = fence.filter(|fence| *fence != lease.fence) {
            return Answer::Refused(Refusal::StaleFence { lease: id.clone(), told, current: lease.fence });
        }
        let ttl = ttl.unwrap_or(lease.ttl);
        if let Some(max) = self.pools.get(&lease.pool).map(|pool| pool.config.max_lease_ttl)
            && (ttl.is_zero() || max < ttl)
        {
            return Answer::Refused(Refusal::TtlOutOfRange { pool: lease.pool.clone(), max });
        }
        lease.ttl = ttl;
        lease.expires_at = self.now + ttl;
        let lease = lease.clone();
        self.timers.set(Timer::Lease(lease.id.clone()), Some(lease.expires_at));
        self.out.changes.push(Change::PutLease(Box::new(lease.clone())));
        Answer::Renewed(Box::new(lease))
    }

    pub(crate) fn release(&mut self, id: &LeaseId, fence: Option<u64>) -> Answer {
        let Some(lease) = self.leases.get(id).cloned() else {
            return Answer::Refused(Refusal::UnknownLease { lease: id.clone() });
        };
        if let Some(told) = fence.filter(|fence| *fence != lease.fence) {
            return Answer::Refused(Refusal::StaleFence { lease: id.clone(), told, current: lease.fence });
        }
        self.lease_event(EventKind::LeaseReleased, &lease);
        self.forget_lease(&lease);
        let Some(vm) = self.vms.get(&lease.vm) else { return Answer::Accepted };
        let is_usable = vm.record.suspect.is_none() && pool::is_running(&vm.record);
        match vm.config.on_release {
            OnRelease::Reuse if is_usable => {
                self.transit(&lease.vm, Transition::Release, |_| {});
                self.advance(&lease.vm);
            }
            OnRelease::Reuse | OnRelease::Clean | OnRelease::Destroy => {
                self.terminate(&lease.vm, "its lease was released")
            }
        }
        Answer::Accepted
    }

    /// Ends a lease that nobody renewed. What its holder left behind is unknown, so the VM is not used again.
    pub(crate) fn expire(&mut self, id: &LeaseId) {
        let Some(lease) = self.leases.get(id).cloned() else { return };
        self.lease_event(EventKind::LeaseExpired, &lease);
        self.forget_lease(&lease);
        self.terminate(&lease.vm, "its lease expired");
    }

    /// Removes a lease; its VM stays as it is, for the caller to deal with.
    pub(crate) fn forget_lease(&mut self, lease: &Lease) {
        if self.leases.remove(&lease.id).is_some() {
            self.owners.count_out(lease);
        }
        self.timers.set(Timer::Lease(lease.id.clone()), None);
        self.out.changes.push(Change::RemoveLease(lease.id.clone()));
        let now = self.now;
        let vm = self.vms.get(&lease.vm);
        let holds_it = vm.is_some_and(|vm| vm.record.lease.as_ref() == Some(&lease.id));
        if holds_it && vm.is_some_and(|vm| vm.record.state == RecordState::InUse) {
            self.edit(&lease.vm, |record| {
                record.lease = None;
                record.last_release = Some(now);
            });
        }
        self.request_lost(lease);
    }

    pub(crate) fn lease_event(&mut self, kind: EventKind, lease: &Lease) {
        self.event(kind, |event| {
            event.pool = Some(lease.pool.clone());
            event.vm = Some(lease.vm.clone());
            event.lease = Some(lease.id.clone());
            event.request = Some(lease.request.clone());
            event.owner = Some(lease.owner.clone());
        });
    }
}
