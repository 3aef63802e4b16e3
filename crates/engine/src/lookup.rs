//! Finding VMs by what clients know of them: an address, or the task that one is leased for.

use std::{collections::BTreeSet, net::IpAddr, ops::Bound};

use vmpool_model::{Lease, PoolName, TaskId, VmName, VmRecord};

use crate::{Engine, table::Table};

/// Where VMs are found.
#[derive(Debug)]
pub(crate) struct Lookup {
    /// The VMs with each address; `None` stands before all names.
    by_address: BTreeSet<(IpAddr, Option<VmName>)>,
    /// The leases for each task: their fences, and their VMs.
    by_task: Table<TaskId, Vec<(u64, VmName)>>,
}

impl Lookup {
    pub(crate) fn new(seed: u64) -> Self {
        Self { by_address: BTreeSet::new(), by_task: Table::new(seed) }
    }

    /// Notes a lease that begins.
    pub(crate) fn lease(&mut self, lease: &Lease) {
        let Some(task) = &lease.task else { return };
        let entry = (lease.fence, lease.vm.clone());
        match self.by_task.get_mut(task) {
            Some(leases) => leases.push(entry),
            None => drop(self.by_task.insert(task.clone(), vec![entry])),
        }
    }

    /// Forgets a lease that was noted.
    pub(crate) fn release(&mut self, lease: &Lease) {
        let Some(task) = &lease.task else { return };
        let Some(leases) = self.by_task.get_mut(task) else { return };
        leases.retain(|(fence, vm)| (*fence, vm) != (lease.fence, &lease.vm));
        if leases.is_empty() {
            self.by_task.remove(task);
        }
    }
}

impl Engine {
    /// Returns the VMs whose names begin with this.
    pub(crate) fn vms_named(&self, prefix: &str) -> impl Iterator<Item = &VmRecord> {
        let from = self.vms.range::<str, _>((Bound::Included(prefix), Bound::Unbounded));
        from.take_while(move |(name, _)| name.as_str().starts_with(prefix)).map(|(_, vm)| &vm.record)
    }

    /// Returns how many VMs a pool has.
    pub(crate) fn count_of(&self, pool: &PoolName) -> usize {
        self.pools.get(pool).map_or(0, |pool| pool.counts().iter().sum())
    }

    /// Returns the VMs whose node has an address, by name; several may while an address changes hands.
    pub fn vms_with_address(&self, address: IpAddr) -> impl Iterator<Item = &VmRecord> {
        let from = self.lookup.by_address.range((address, None)..);
        let its = from.take_while(move |(its, _)| *its == address);
        its.filter_map(|(_, vm)| self.vm(vm.as_ref()?))
    }

    /// Returns the VM that is leased for a task; that of the oldest lease if there are several.
    #[must_use]
    pub fn vm_of_task(&self, task: &TaskId) -> Option<&VmRecord> {
        let (_, vm) = self.lookup.by_task.get(task)?.iter().min_by_key(|(fence, _)| *fence)?;
        self.vm(vm)
    }

    /// Returns the VMs that are leased for a task, in no particular order.
    pub fn vms_of_task(&self, task: &TaskId) -> impl Iterator<Item = &VmRecord> {
        self.leases_of_task(task).filter_map(|(_, vm)| self.vm(vm))
    }

    /// Returns the fence and the VM of each lease for a task.
    pub(crate) fn leases_of_task(&self, task: &TaskId) -> impl Iterator<Item = (u64, &VmName)> {
        let leases = self.lookup.by_task.get(task).into_iter().flatten();
        leases.map(|(fence, vm)| (*fence, vm))
    }

    /// Notes the addresses that a VM has from now on.
    pub(crate) fn readdress(&mut self, name: &VmName, to: &[IpAddr]) {
        let node = self.vms.get(name).and_then(|vm| vm.record.node.as_ref());
        let from = node.map(|node| &*node.addresses).unwrap_or_default();
        if from == to {
            return;
        }
        for address in from {
            self.lookup.by_address.remove(&(*address, Some(name.clone())));
        }
        self.address(name, to);
    }

    /// Notes the addresses of a VM that had none.
    pub(crate) fn address(&mut self, name: &VmName, addresses: &[IpAddr]) {
        let addresses = addresses.iter().map(|address| (*address, Some(name.clone())));
        self.lookup.by_address.extend(addresses);
    }

    /// Returns whether VMs are found by what their records and leases say.
    pub(crate) fn looks_up_right(&self) -> bool {
        let known = self.vms.values().filter_map(|vm| Some((&vm.record.name, vm.record.node.as_ref()?)));
        let by_address = known
            .flat_map(|(name, node)| node.addresses.iter().map(|address| (*address, Some(name.clone()))));
        let is_found = |lease: &&Lease| {
            let leases = lease.task.as_ref().and_then(|task| self.lookup.by_task.get(task));
            leases.is_some_and(|leases| leases.contains(&(lease.fence, lease.vm.clone())))
        };
        let with_task: Vec<_> = self.leases.values().filter(|lease| lease.task.is_some()).collect();
        let found: usize = self.lookup.by_task.values().map(Vec::len).sum();
        by_address.collect::<BTreeSet<_>>() == self.lookup.by_address
            && found == with_task.len()
            && with_task.iter().all(is_found)
    }
}

#[cfg(test)]
mod tests {
    use vmpool_model::{
        Acquire, InstallationId, Node, NodeId, NodeView, Owner, PoolName, ProviderName, RecordState,
        RequestId, Timestamp,
        config::{PoolConfig, ProviderConfig},
        states::NodeState,
    };

    use super::*;
    use crate::{Answer, Input, Records, Spec};

    fn address(last: u8) -> IpAddr {
        [10, 0, 0, last].into()
    }

    fn task(name: &str) -> TaskId {
        TaskId::new(name).unwrap()
    }

    /// An engine with three VMs, two of which have one address.
    fn engine() -> Engine {
        let (provider, pool) = (ProviderName::new("lab").unwrap(), PoolName::new("small").unwrap());
        let mut spec = Spec::new(InstallationId::new("test").unwrap(), 1, 7);
        spec.providers.insert(provider.clone(), ProviderConfig::new("dummy"));
        spec.pools.insert(pool.clone(), PoolConfig::new(provider.clone(), "template", 3));
        let vms = [("small-b", 1), ("small-a", 1), ("small-c", 2)].map(|(name, last)| {
            let name = VmName::new(name).unwrap();
            let mut vm = VmRecord::intended(name, pool.clone(), provider.clone(), Timestamp::default());
            let mut node = Node::new(NodeId::new(vm.name.as_str()).unwrap(), "node", NodeState::Running);
            node.private_ips.push(address(last));
            (vm.node, vm.state) = (Some(NodeView::from(&node)), RecordState::Ready);
            vm
        });
        Engine::recover(spec, Records { vms: vms.into(), ..Records::default() }, Timestamp::default())
    }

    fn acquire(engine: &mut Engine, request: &str) -> Lease {
        let pool = PoolName::new("small").unwrap();
        let acquire = Acquire::new(RequestId::new(request).unwrap(), pool, Owner::new("ann").unwrap());
        let acquire = acquire.with_task(Some(task("build-7")));
        match engine.step(Timestamp::default(), Input::Acquire(Box::new(acquire))).answer {
            Answer::Granted(mut grants) => grants.remove(0).lease,
            answer => unreachable!("{answer:?}"),
        }
    }

    #[test]
    fn vms_with_an_address_are_found_by_name() {
        let mut engine = engine();
        let names = |engine: &Engine, last| {
            engine.vms_with_address(address(last)).map(|vm| vm.name.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(names(&engine, 1), ["small-a", "small-b"]);
        let vm = VmName::new("small-a").unwrap();
        engine.readdress(&vm, &[address(9), address(3)]);
        assert_eq!([1, 9, 3, 4].map(|last| names(&engine, last).len()), [1, 1, 1, 0]);
        let vm = VmName::new("small-b").unwrap();
        let _ = engine.step(Timestamp::default(), Input::Forget { vm, reason: String::new() });
        assert_eq!(names(&engine, 1), [""; 0]);
    }

    #[test]
    fn the_vm_of_a_task_is_that_of_its_oldest_lease() {
        let mut engine = engine();
        assert_eq!(engine.vm_of_task(&task("build-7")), None);
        let leases = ["r1", "r2"].map(|request| acquire(&mut engine, request));
        assert_eq!(engine.vms_of_task(&task("build-7")).count(), 2);
        for lease in leases {
            assert_eq!(engine.vm_of_task(&task("build-7")).map(|vm| &vm.name), Some(&lease.vm));
            assert_eq!(engine.check(), Ok(()));
            let _ = engine.step(Timestamp::default(), Input::Release { lease: lease.id, fence: None });
        }
        assert_eq!(engine.vm_of_task(&task("build-7")), None);
        assert_eq!(engine.lookup.by_task.len(), 0);
    }

    #[test]
    fn what_is_found_wrongly_is_told() {
        let damages: [fn(&mut Lookup); 3] = [
            |lookup| drop(lookup.by_address.pop_first()),
            |lookup| lookup.by_task.clear(),
            |lookup| lookup.by_task.values_mut().for_each(|leases| leases[0].0 += 1),
        ];
        for damage in damages {
            let mut engine = engine();
            acquire(&mut engine, "r1");
            assert_eq!(engine.check(), Ok(()));
            damage(&mut engine.lookup);
            assert!(engine.check().is_err_and(|found| found.contains("not found")));
        }
    }
}
