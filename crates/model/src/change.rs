//! One change of the records; a store applies many of them at once, or none.

use crate::{
    InstallationId, Lease, LeaseId, PoolName, PoolRecord, RequestId, RequestRecord, VmName, VmRecord,
};

/// One change of the records.
///
/// A `Put…` replaces the whole record; removing what is not there changes nothing.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Change {
    /// Writes the installation's id; done once, when the store is first used.
    PutInstallation(InstallationId),
    /// Writes a VM record.
    PutVm(Box<VmRecord>),
    /// Removes a VM record.
    RemoveVm(VmName),
    /// Writes a lease.
    PutLease(Box<Lease>),
    /// Removes a lease.
    RemoveLease(LeaseId),
    /// Writes a request.
    PutRequest(Box<RequestRecord>),
    /// Removes a request.
    RemoveRequest(RequestId),
    /// Writes what is remembered of a pool.
    PutPool(Box<PoolRecord>),
    /// Forgets a pool.
    RemovePool(PoolName),
}
