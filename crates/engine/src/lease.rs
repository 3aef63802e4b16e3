//! Leases: renewed, given back, expired.

use std::time::Duration;

use vmpool_model::{Change, EndedLease, EventKind, Lease, LeaseEnd, LeaseId, RecordState};

use crate::{Answer, Engine, Refusal, timers::Timer};

impl Engine {
    pub(crate) fn renew(&mut self, id: &LeaseId, fence: Option<u64>, ttl: Option<Duration>) -> Answer {
        let lease = match self.held_lease(id, fence) {
            Ok(lease) => lease.clone(),
            Err(refusal) => return Answer::Refused(refusal),
        };
        let max = self.pools.get(&lease.pool).map(|pool| pool.config.max_lease_ttl);
        let ttl = match (ttl, max) {
            (Some(ttl), Some(max)) if ttl.is_zero() || max < ttl => {
                return Answer::Refused(Refusal::TtlOutOfRange { pool: lease.pool, max });
            }
            (Some(ttl), _) => ttl,
            // Another configuration may allow less than when it was made; no lease ends for that.
            (None, max) => max.map_or(lease.ttl, |max| max.min(lease.ttl)),
        };
        let lease = Lease { ttl, expires_at: self.now + ttl, ..lease };
        self.timers.set(Timer::Lease(lease.id.clone()), Some(lease.expires_at));
        self.put_lease(lease.clone());
        Answer::Renewed(Box::new(lease))
    }

    pub(crate) fn release(&mut self, id: &LeaseId, fence: Option<u64>) -> Answer {
        let lease = match self.held_lease(id, fence) {
            Ok(lease) => lease.clone(),
            Err(refusal) => return Answer::Refused(refusal),
        };
        self.lease_event(EventKind::LeaseReleased, &lease, "");
        self.forget_lease(&lease, LeaseEnd::Released);
        self.released(lease);
        Answer::Accepted
    }

    /// Ends a lease that nobody renewed.
    pub(crate) fn expire(&mut self, id: &LeaseId) {
        let Some(lease) = self.leases.get(id).cloned() else { return };
        self.lease_event(EventKind::LeaseExpired, &lease, "");
        self.forget_lease(&lease, LeaseEnd::Expired);
        self.expired(lease);
    }

    /// Returns the lease that a holder names, unless it has ended or the holder is another one's.
    fn held_lease(&self, id: &LeaseId, fence: Option<u64>) -> Result<&Lease, Refusal> {
        let Some(lease) = self.leases.get(id) else { return Err(self.why_ended(id)) };
        match fence {
            Some(told) if told != lease.fence => {
                Err(Refusal::StaleFence { lease: id.clone(), told, current: lease.fence })
            }
            _ => Ok(lease),
        }
    }

    fn why_ended(&self, id: &LeaseId) -> Refusal {
        let request = self.ended.get(id).and_then(|request| self.requests.get(request));
        let ended = request.and_then(|request| request.status.ended().find(|ended| ended.lease == *id));
        match ended {
            Some(EndedLease { lease, vm, at, how }) => Refusal::LeaseEnded { lease, vm, at, how },
            None => Refusal::UnknownLease { lease: id.clone() },
        }
    }

    /// Removes a lease; its VM stays as it is, for the caller to deal with.
    pub(crate) fn forget_lease(&mut self, lease: &Lease, how: LeaseEnd) {
        self.keep_lease(&lease.id);
        if self.leases.remove(&lease.id).is_some() {
            self.wants_change(&lease.owner);
            self.owners.count_out(lease);
            self.begins.count_out(lease);
            self.lookup.release(lease);
            self.measure_lease(lease);
        }
        self.timers.set(Timer::Lease(lease.id.clone()), None);
        self.out.changes.push(Change::RemoveLease(lease.id.clone()));
        let now = self.now;
        let vm = self.vms.get(&lease.vm);
        let holds_it = vm.is_some_and(|vm| vm.record.lease.as_ref() == Some(&lease.id));
        if holds_it && vm.is_some_and(|vm| vm.record.state == RecordState::InUse) {
            self.forget_check(&lease.vm);
            self.edit(&lease.vm, |record| {
                record.lease = None;
                record.last_release = Some(now);
            });
        }
        self.request_lost(lease, how);
    }

    /// Lets the holder know of what its VM is suspected of, or no longer is.
    pub(crate) fn tell_holder(&mut self, id: &LeaseId, suspect: Option<String>) {
        let Some(lease) = self.leases.get(id).filter(|lease| lease.suspect != suspect).cloned() else {
            return;
        };
        self.put_lease(Lease { suspect, ..lease });
    }

    pub(crate) fn put_lease(&mut self, lease: Lease) {
        self.out.changes.push(Change::PutLease(Box::new(lease.clone())));
        self.keep_lease(&lease.id);
        self.leases.insert(lease.id.clone(), lease);
    }

    pub(crate) fn lease_event(&mut self, kind: EventKind, lease: &Lease, detail: &str) {
        self.event(kind, |event| {
            event.pool = Some(lease.pool.clone());
            event.vm = Some(lease.vm.clone());
            event.lease = Some(lease.id.clone());
            event.request = Some(lease.request.clone());
            event.owner = Some(lease.owner.clone());
            event.detail = detail.to_owned();
        });
    }
}
