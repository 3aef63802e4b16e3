//! VMs whose records are removed without proof that their nodes are gone.

use vmpool_model::{Change, EventKind, Lease, LeaseEnd, VmName};

use crate::{Answer, Engine, Refusal};

impl Engine {
    /// Removes a VM's record, whatever its state and whether or not it can be read, and ends its lease. If there is a node
    /// after all, it belongs to nobody from now on, and is destroyed as such.
    pub(crate) fn forget(&mut self, name: &VmName, reason: &str) -> Answer {
        let pool = self.vms.get(name).map(|vm| vm.record.pool.clone());
        let is_unreadable = self.unreadable.contains(name);
        if pool.is_none() && !is_unreadable {
            return Answer::Refused(Refusal::UnknownVm { vm: name.clone() });
        }
        // Only who holds a VM whose record cannot be read must be looked for.
        let leases: Vec<Lease> = match self.vms.get(name) {
            Some(vm) => vm.record.lease.iter().filter_map(|lease| self.leases.get(lease)).cloned().collect(),
            None => self.leases.sorted().filter(|lease| lease.vm == *name).cloned().collect(),
        };
        for lease in leases {
            self.lease_event(EventKind::LeaseReleased, &lease, &format!("the VM is forgotten: {reason}"));
            self.forget_lease(&lease, LeaseEnd::Forgotten);
        }
        let detail = match self.vms.get(name).filter(|_| self.is_adrift(name)) {
            Some(vm) => format!(
                "{reason}; nobody looks for its node, because provider {} is not configured",
                vm.record.provider
            ),
            None => reason.to_owned(),
        };
        self.event(EventKind::VmForgotten, |event| {
            event.pool = pool;
            event.vm = Some(name.clone());
            event.detail = detail;
        });
        let pool = match self.vms.get(name) {
            Some(vm) if vm.record.is_gone() => None,
            Some(vm) => Some((vm.record.pool.clone(), Some(vm.record.provider.clone()))),
            // Nobody knows where its node may be.
            None => self.pool_by_name_of(name).map(|pool| (pool, None)),
        };
        if let Some((pool, provider)) = pool {
            self.look_for_forgotten(&pool, provider.as_ref());
        }
        self.go_on_counting(name);
        self.remove(name);
        if is_unreadable {
            self.seek_unreadable(name);
            self.unreadable.remove(name);
            self.count_unreadable();
            // Its pool has room for another one, and so may others have.
            self.touched.extend(self.pools.keys().cloned());
            self.unserved = true;
            self.out.changes.push(Change::RemoveVm(name.clone()));
        }
        Answer::Accepted
    }
}
