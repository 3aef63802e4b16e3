//! A model of the store: rows that changes are applied to.

use std::collections::BTreeMap;

use vmpool_engine::{Engine, Records};
use vmpool_model::{
    Change, Lease, LeaseId, PoolName, PoolRecord, RequestId, RequestRecord, VmName, VmRecord,
};

#[derive(Debug, Clone, Default)]
pub(crate) struct Store {
    pub(crate) vms: BTreeMap<VmName, VmRecord>,
    pub(crate) leases: BTreeMap<LeaseId, Lease>,
    pub(crate) requests: BTreeMap<RequestId, RequestRecord>,
    pub(crate) pools: BTreeMap<PoolName, PoolRecord>,
}

impl Store {
    pub(crate) fn apply(&mut self, change: &Change) {
        match change.clone() {
            Change::PutVm(vm) => drop(self.vms.insert(vm.name.clone(), *vm)),
            Change::RemoveVm(vm) => drop(self.vms.remove(&vm)),
            Change::PutLease(lease) => drop(self.leases.insert(lease.id.clone(), *lease)),
            Change::RemoveLease(lease) => drop(self.leases.remove(&lease)),
            Change::PutRequest(request) => drop(self.requests.insert(request.id.clone(), *request)),
            Change::RemoveRequest(request) => drop(self.requests.remove(&request)),
            Change::PutPool(pool) => drop(self.pools.insert(pool.name.clone(), *pool)),
            Change::RemovePool(pool) => drop(self.pools.remove(&pool)),
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn records(&self) -> Records {
        Records {
            vms: self.vms.values().cloned().collect(),
            leases: self.leases.values().cloned().collect(),
            requests: self.requests.values().cloned().collect(),
            pools: self.pools.values().cloned().collect(),
            ..Records::default()
        }
    }

    /// Who looks while decisions are being written must be shown what is written.
    pub(crate) fn is_shown_by(&self, engine: &Engine) -> Result<(), String> {
        let shown = engine.durable();
        ensure!(shown.vms().eq(self.vms.values()), "a VM is shown that is not written: {:#?}", self.vms);
        ensure!(shown.leases().eq(self.leases.values()), "a lease is shown that is not written");
        for pool in engine.pools() {
            let written = self.vms.values().filter(|vm| vm.pool == pool.name);
            ensure!(shown.vms_of_pool(&pool.name).eq(written), "{} is shown with other VMs", pool.name);
        }
        let mut vms = self.vms.iter();
        ensure!(vms.all(|(name, vm)| shown.vm(name) == Some(vm)), "a VM is not shown by its name");
        for lease in self.leases.values().chain(engine.leases()) {
            ensure!(
                shown.lease(&lease.id) == self.leases.get(&lease.id),
                "{} is not as it is written",
                lease.id
            );
            let Some(task) = &lease.task else { continue };
            let of_task = self.leases.values().filter(|lease| lease.task.as_ref() == Some(task));
            let oldest = of_task.min_by_key(|lease| lease.fence).and_then(|lease| self.vms.get(&lease.vm));
            ensure!(shown.vm_of_task(task) == oldest, "{task} is not for {oldest:?}");
        }
        for address in
            self.vms.values().chain(engine.vms()).filter_map(|vm| vm.node.as_ref()?.addresses.first())
        {
            let has_it =
                |vm: &&VmRecord| vm.node.as_ref().is_some_and(|node| node.addresses.contains(address));
            let written = self.vms.values().filter(has_it);
            ensure!(shown.vms_with_address(*address).eq(written), "{address} is not as it is written");
        }
        Ok(())
    }

    /// What the engine knows must be what is written, or a crash would lose it.
    pub(crate) fn is_what(&self, engine: &Engine) -> Result<(), String> {
        ensure!(engine.vms().eq(self.vms.values()), "a change of a VM is not written: {:#?}", self.vms);
        ensure!(engine.leases().eq(self.leases.values()), "a change of a lease is not written");
        ensure!(engine.requests().eq(self.requests.values()), "a change of a request is not written");
        for view in engine.pools() {
            let written = self.pools.get(&view.name);
            let same = written.and_then(|pool| pool.drain.clone()) == view.drain
                && written.and_then(|pool| pool.removed_at) == view.removed_at;
            ensure!(same, "a change of a pool is not written: {view:?} is {written:?}");
        }
        Ok(())
    }
}
