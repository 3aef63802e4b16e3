//! Finding VMs among all records.

use std::net::IpAddr;

use vmpool_model::{Lease, PoolName, RecordState, TaskId, VmName, VmRecord};

/// Finds the VMs whose node has an address.
pub(crate) fn with_address<'a>(
    vms: impl Iterator<Item = &'a VmRecord>,
    address: IpAddr,
) -> impl Iterator<Item = &'a VmRecord> {
    vms.filter(move |vm| vm.node.as_ref().is_some_and(|node| node.addresses.contains(&address)))
}

/// Finds the VM that is leased for a task, by the oldest lease for it.
pub(crate) fn of_task<'a>(leases: impl Iterator<Item = &'a Lease>, task: &TaskId) -> Option<&'a VmName> {
    let leases = leases.filter(|lease| lease.task.as_ref() == Some(task));
    leases.min_by_key(|lease| lease.fence).map(|lease| &lease.vm)
}

/// Finds the VMs of a pool, or of all, that are in one of some states.
pub(crate) fn in_states<'a>(
    vms: impl Iterator<Item = &'a VmRecord>,
    pool: Option<&PoolName>,
    states: &[RecordState],
) -> impl Iterator<Item = &'a VmRecord> {
    vms.filter(move |vm| pool.is_none_or(|pool| vm.pool == *pool) && states.contains(&vm.state))
}
