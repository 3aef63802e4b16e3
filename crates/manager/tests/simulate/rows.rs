//! The records as the store has them, row by row.

use std::collections::BTreeMap;

use vmpool_manager::model::{
    Change, Lease, LeaseId, PoolName, PoolRecord, ProviderName, RecordState, RequestId, RequestRecord,
    VmName, VmRecord,
};

/// The records as the store has them.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    pub(crate) vms: BTreeMap<VmName, VmRecord>,
    pub(crate) leases: BTreeMap<LeaseId, Lease>,
    pub(crate) requests: BTreeMap<RequestId, RequestRecord>,
    pub(crate) pools: BTreeMap<PoolName, PoolRecord>,
}

impl Rows {
    pub(crate) fn apply(&mut self, change: &Change) {
        match change.clone() {
            Change::PutVm(vm) => drop(self.vms.insert(vm.name.clone(), *vm)),
            Change::RemoveVm(name) => drop(self.vms.remove(&name)),
            Change::PutLease(lease) => drop(self.leases.insert(lease.id.clone(), *lease)),
            Change::RemoveLease(id) => drop(self.leases.remove(&id)),
            Change::PutRequest(request) => drop(self.requests.insert(request.id.clone(), *request)),
            Change::RemoveRequest(id) => drop(self.requests.remove(&id)),
            Change::PutPool(pool) => drop(self.pools.insert(pool.name.clone(), *pool)),
            Change::RemovePool(name) => drop(self.pools.remove(&name)),
            _ => {}
        }
    }

    /// Returns the VMs of a pool.
    pub(crate) fn vms_of(&self, pool: &PoolName) -> impl Iterator<Item = &VmRecord> {
        self.vms.values().filter(move |vm| vm.pool == *pool)
    }

    /// Returns whether there are VMs at a provider.
    pub(crate) fn has_vms_at(&self, provider: &ProviderName) -> bool {
        self.vms.values().any(|vm| vm.provider == *provider)
    }

    /// Returns how many VMs of a pool there are, and how many of them are starting.
    pub(crate) fn count(&self, pool: &PoolName) -> Count {
        let starting = |vm: &&VmRecord| matches!(vm.state, RecordState::Spawning | RecordState::GotIp);
        // A record whose node is proven gone waits for its last hook, and takes no room.
        let all = self.vms_of(pool).filter(|vm| vm.gone_at.is_none()).count();
        Count { all, starting: self.vms_of(pool).filter(starting).count() }
    }
}

/// How many VMs of a pool there are.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Count {
    pub(crate) all: usize,
    pub(crate) starting: usize,
}

/// Says in one line what a change is.
pub(crate) fn brief(change: &Change) -> String {
    match change {
        Change::PutVm(vm) => {
            let node = vm.node.as_ref().map(|node| format!(" node {} {}", node.id, node.state));
            let owner = vm.owner.as_ref().map(|owner| format!(" of {owner}"));
            format!("{}={}{}{}", vm.name, vm.state, node.unwrap_or_default(), owner.unwrap_or_default())
        }
        Change::RemoveVm(name) => format!("-{name}"),
        Change::PutLease(lease) => format!("{} of {} until {}", lease.id, lease.vm, lease.expires_at),
        Change::RemoveLease(id) => format!("-{id}"),
        Change::PutRequest(request) => format!("{} {:?}", request.id, request.status),
        Change::RemoveRequest(id) => format!("-{id}"),
        change => format!("{change:?}"),
    }
}
