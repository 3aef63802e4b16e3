//! Requests that are served: their leases, given all at once or not at all, and remembered for a while.

use vmpool_model::{
    Change, EndedLease, EventKind, Lease, LeaseEnd, LeaseId, RequestRecord, RequestStatus, Transition, VmName,
};

use crate::{Engine, Grant, timers::Timer, vm::Vm};

impl Engine {
    /// Leases free VMs, all or none; `None` if one turns out not to be free.
    pub(crate) fn grant(&mut self, request: RequestRecord, vms: &[VmName]) -> Option<Vec<Grant>> {
        let is_free = |vm| self.vms.get(vm).is_some_and(Vm::is_free);
        if !vms.iter().all(is_free) {
            debug_assert!(false, "{} was to be given {vms:?}, which are not free", request.id);
            return None;
        }
        self.dequeue(&request);
        let leases: Vec<_> = vms.iter().filter_map(|vm| self.lease_out(&request, vm)).collect();
        self.timers.set(Timer::Request(request.id.clone()), None);
        let ids = leases.iter().map(|lease| lease.id.clone()).collect();
        self.put_request(RequestRecord {
            status: RequestStatus::Granted { leases: ids, ended: Vec::new() },
            ..request
        });
        Some(leases.iter().filter_map(|lease| self.grant_of(&lease.id)).collect())
    }

    /// Leases one free VM.
    fn lease_out(&mut self, request: &RequestRecord, vm: &VmName) -> Option<Lease> {
        let number = self.number();
        let of = self.vms.get(vm)?;
        let ttl = request.ttl.min(of.config.max_lease_ttl);
        let pool = of.record.pool.clone();
        let lease = Lease {
            id: LeaseId::new(format!("lease-{number}-{}", self.suffix())).ok()?,
            vm: vm.clone(),
            pool,
            owner: request.owner.clone(),
            sandbox: request.sandbox.clone(),
            task: request.task.clone(),
            request: request.id.clone(),
            acquired_at: self.now,
            expires_at: self.now + ttl,
            ttl,
            fence: number,
            suspect: None,
        };
        let taken = self.transit(vm, Transition::Acquire, |record| {
            record.lease = Some(lease.id.clone());
            record.owner = Some(lease.owner.clone());
            record.sandbox.clone_from(&lease.sandbox);
            record.uses = record.uses.saturating_add(1);
            record.dirty_since = None;
        });
        if !taken {
            return None;
        }
        self.timers.set(Timer::Lease(lease.id.clone()), Some(lease.expires_at));
        self.out.changes.push(Change::PutLease(Box::new(lease.clone())));
        self.owners.count_in(&lease);
        self.begins.count_in(&lease);
        self.lookup.lease(&lease);
        self.wants_change(&lease.owner);
        self.keep_lease(&lease.id);
        self.leases.insert(lease.id.clone(), lease.clone());
        self.lease_event(EventKind::LeaseGranted, &lease, "");
        self.advance(vm);
        Some(lease)
    }

    /// Returns a lease with how to reach its VM, if it lasts.
    pub(crate) fn grant_of(&self, lease: &LeaseId) -> Option<Grant> {
        let lease = self.leases.get(lease)?;
        let node = self.vms.get(&lease.vm)?.record.node.clone()?;
        Some(Grant { lease: lease.clone(), node })
    }

    /// Notes that a lease ended: its request remembers it, and has ended once none of its leases lasts.
    pub(crate) fn request_lost(&mut self, lease: &Lease, how: LeaseEnd) {
        let Some(request) = self.requests.get(&lease.request).cloned() else { return };
        let RequestStatus::Granted { leases, ended } = &request.status else { return };
        let (lasts, at) = (leases.iter().any(|lease| self.leases.contains_key(lease)), self.now);
        let (lease, vm, mut before) = (lease.id.clone(), lease.vm.clone(), ended.clone());
        if lasts {
            before.push(EndedLease { lease, vm, at, how });
            let status = RequestStatus::Granted { leases: leases.clone(), ended: before };
            return self.put_request(RequestRecord { status, ..request });
        }
        let leases = leases.iter().filter(|_| 1 < leases.len()).cloned().collect();
        let status = RequestStatus::Ended { lease, leases, vm, at, how, before };
        self.timers.set(Timer::Request(request.id.clone()), Some(self.now + self.spec.request_memory));
        self.put_request(RequestRecord { status, ..request });
    }
}
