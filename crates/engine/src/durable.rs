//! The VMs and leases as they are recorded, while decisions about them are being made durable.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
};

use vmpool_model::{Lease, LeaseId, PoolName, TaskId, VmName, VmRecord};

use crate::Engine;

/// The records that changed since everything was durable, as they were then; `None` stands for those that were not there.
#[derive(Debug, Default)]
pub(crate) struct Before {
    vms: BTreeMap<VmName, Option<VmRecord>>,
    leases: BTreeMap<LeaseId, Option<Lease>>,
}

/// The VMs and leases as they are recorded, whatever was decided since.
///
/// It is for whoever looks while what was decided is being made durable. It costs what was changed since, not what there is.
#[derive(Debug, Clone, Copy)]
pub struct Durable<'a> {
    engine: &'a Engine,
    /// `None` if everything is durable.
    before: Option<&'a Before>,
}

impl Engine {
    /// Tells the engine that all it decided so far is durable, and that it is to keep what it changes from now on as it was, until
    /// it is told so again.
    ///
    /// An engine that is never told so keeps nothing, and shows what it decided as [`durable`](Self::durable) at once.
    pub fn all_durable(&mut self) {
        self.before = Some(Before::default());
    }

    /// Shows the VMs and leases as they were when all was durable last.
    #[must_use]
    pub fn durable(&self) -> Durable<'_> {
        Durable { engine: self, before: self.before.as_ref() }
    }

    /// Keeps the record of a VM as it is before it changes for the first time.
    pub(crate) fn keep_vm(&mut self, name: &VmName) {
        let Some(before) = self.before.as_mut().filter(|before| !before.vms.contains_key(name)) else {
            return;
        };
        before.vms.insert(name.clone(), self.vms.get(name).map(|vm| vm.record.clone()));
    }

    /// Keeps a lease as it is before it changes for the first time.
    pub(crate) fn keep_lease(&mut self, id: &LeaseId) {
        let Some(before) = self.before.as_mut().filter(|before| !before.leases.contains_key(id)) else {
            return;
        };
        before.leases.insert(id.clone(), self.leases.get(id).cloned());
    }
}

impl<'a> Durable<'a> {
    /// Returns one VM record.
    #[must_use]
    pub fn vm(self, name: &VmName) -> Option<&'a VmRecord> {
        match self.before.and_then(|before| before.vms.get(name)) {
            Some(before) => before.as_ref(),
            None => self.engine.vm(name),
        }
    }

    /// Returns all VM records, by name.
    pub fn vms(self) -> Box<dyn Iterator<Item = &'a VmRecord> + 'a> {
        match self.before.filter(|before| !before.vms.is_empty()) {
            Some(before) => Box::new(merged(self.engine.vms(), |vm| &vm.name, &before.vms)),
            None => Box::new(self.engine.vms()),
        }
    }

    /// Returns the VMs of a pool, by name; it looks at no other ones, unless the pool has VMs that are not named after it.
    pub fn vms_of_pool(self, pool: &PoolName) -> impl Iterator<Item = &'a VmRecord> + use<'a> {
        let is_its = |vm: &&VmRecord| vm.pool == *pool;
        let mut vms: Vec<_> = self.engine.vms_named(&format!("{pool}-")).filter(is_its).collect();
        if vms.len() != self.engine.count_of(pool) {
            vms = self.engine.vms().filter(is_its).collect();
        }
        let Some(before) = self.before else { return vms.into_iter() };
        let shown = merged(vms.into_iter(), |vm| &vm.name, &before.vms);
        shown.filter(is_its).collect::<Vec<_>>().into_iter()
    }

    /// Returns the VMs whose node has an address, by name; several may while an address changes hands.
    pub fn vms_with_address(self, address: IpAddr) -> impl Iterator<Item = &'a VmRecord> {
        let has_it =
            move |vm: &&VmRecord| vm.node.as_ref().is_some_and(|node| node.addresses.contains(&address));
        let now = self.engine.vms_with_address(address).filter(move |vm| self.is_as_before(&vm.name));
        let found: BTreeMap<_, _> =
            now.chain(self.changed_vms().filter(has_it)).map(|vm| (&vm.name, vm)).collect();
        found.into_values()
    }

    /// Returns the VM that is leased for a task; that of the oldest lease if there are several.
    #[must_use]
    pub fn vm_of_task(self, task: &TaskId) -> Option<&'a VmRecord> {
        let (_, vm) = self.places_of(task).min_by_key(|(fence, _)| *fence)?;
        self.vm(vm)
    }

    /// Returns the VMs that are leased for a task, by name.
    pub fn vms_of_task(self, task: &TaskId) -> impl Iterator<Item = &'a VmRecord> + use<'a> {
        let vms = self.places_of(task).filter_map(|(_, vm)| self.vm(vm));
        vms.map(|vm| (&vm.name, vm)).collect::<BTreeMap<_, _>>().into_values()
    }

    /// Returns one lease, unless it has ended.
    #[must_use]
    pub fn lease(self, id: &LeaseId) -> Option<&'a Lease> {
        match self.before.and_then(|before| before.leases.get(id)) {
            Some(before) => before.as_ref(),
            None => self.engine.lease(id),
        }
    }

    /// Returns all leases, by id.
    pub fn leases(self) -> Box<dyn Iterator<Item = &'a Lease> + 'a> {
        match self.before {
            Some(before) => Box::new(merged(self.engine.leases(), |lease| &lease.id, &before.leases)),
            None => Box::new(self.engine.leases()),
        }
    }

    /// Returns the fence and the VM of each lease for a task; the fence tells leases apart.
    fn places_of(self, task: &TaskId) -> impl Iterator<Item = (u64, &'a VmName)> {
        let changed = || self.before.into_iter().flat_map(|before| &before.leases);
        let both = changed().flat_map(|(id, before)| [self.engine.lease(id), before.as_ref()]);
        let fences: BTreeSet<u64> = both.flatten().map(|lease| lease.fence).collect();
        let leases = changed().filter_map(|(_, lease)| lease.as_ref());
        let before: Vec<_> = leases
            .filter(|lease| lease.task.as_ref() == Some(task))
            .map(|lease| (lease.fence, &lease.vm))
            .collect();
        self.engine.leases_of_task(task).filter(move |(fence, _)| !fences.contains(fence)).chain(before)
    }

    fn is_as_before(self, name: &VmName) -> bool {
        self.before.is_none_or(|before| !before.vms.contains_key(name))
    }

    fn changed_vms(self) -> impl Iterator<Item = &'a VmRecord> {
        self.before.into_iter().flat_map(|before| before.vms.values().flatten())
    }
}

/// Returns records in the order of their keys, each as it was before if it changed.
fn merged<'a, K: Ord, V>(
    now: impl Iterator<Item = &'a V>,
    key: impl Fn(&'a V) -> &'a K + Copy,
    before: &'a BTreeMap<K, Option<V>>,
) -> impl Iterator<Item = &'a V> {
    let mut now = now.filter(move |record| !before.contains_key(key(record))).peekable();
    let mut before = before.values().flatten().peekable();
    std::iter::from_fn(move || match (now.peek(), before.peek()) {
        (Some(next), Some(changed)) if key(changed) < key(next) => before.next(),
        (Some(_), _) => now.next(),
        (None, _) => before.next(),
    })
}
