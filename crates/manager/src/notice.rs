//! What an operator should know about the records.

use std::collections::BTreeMap;

use vmpool_engine::Engine;
use vmpool_model::{LeaseId, PoolName, ProviderName, VmName};
use vmpool_store::{RecordKind, Unreadable};

use crate::{domain::Domain, withheld::Withheld};

/// Something an operator should know about the records.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Notice {
    /// There is no room for more records.
    #[error(
        "the disk of the store is nearly full: nothing is leased and nothing made until there is room, and all else goes on; \
         make room there"
    )]
    StoreFull,
    /// There are records of a pool that is not configured any more.
    #[error(
        "pool {pool} is not configured any more but has {vms} VM records: the VMs that nobody uses are kept, and those whose \
         leases end are destroyed, or held if the pool held those that expire; configure the pool again to go on, or drain it"
    )]
    UnknownPool {
        /// The pool.
        pool: PoolName,
        /// How many VM records it has.
        vms: usize,
    },
    /// There are records of nodes at a provider that is not configured any more.
    #[error(
        "provider {provider} is not configured any more but {vms} VM records have their nodes there: they take up room, \
         and can neither be looked at nor destroyed; configure the provider again, or forget the VMs"
    )]
    UnknownProvider {
        /// The provider.
        provider: ProviderName,
        /// How many VM records name it.
        vms: usize,
    },
    /// A record cannot be read; no other record suffers from it.
    #[error("the record of {} {} is left alone, because it cannot be read: {}; {}", .0.kind, .0.id, .0.why, advice(.0.kind))]
    Unreadable(Unreadable),
    /// A VM is leased, but the record of the lease cannot be read.
    #[error(
        "VM {vm} is left alone, because its lease {lease} cannot be read: who holds it may go on using it; forget the \
         VM once it is not used any more"
    )]
    LeaseUnreadable {
        /// The VM.
        vm: VmName,
        /// The lease.
        lease: LeaseId,
    },
}

/// Says what becomes of what a record was about that cannot be read, and what to do.
fn advice(kind: RecordKind) -> &'static str {
    match kind {
        RecordKind::Vm => {
            "the VM counts with its pool and its node is left alone until it is forgotten or its record repaired"
        }
        RecordKind::Request => "its client is told to choose a new request id",
        RecordKind::Pool => {
            "the pool works as if it was not being drained, and can neither be drained nor undrained until then"
        }
        _ => "nothing is done about it until it is repaired",
    }
}

/// Finds out what an operator should know about the records.
pub(crate) fn notices(domain: &Domain, engine: &Engine, withheld: &Withheld) -> Vec<Notice> {
    let mut pools = engine.pools();
    pools.retain(|pool| pool.removed_at.is_none() && !domain.setup.pools.contains_key(&pool.name));
    let pools = pools.into_iter().filter_map(|pool| {
        let vms = pool.counts.iter().sum();
        (0 < vms).then_some(Notice::UnknownPool { pool: pool.name, vms })
    });
    let mut providers = BTreeMap::<&ProviderName, usize>::new();
    // There are none in general, and very many VMs to look at.
    let vms = engine.may_be_adrift().then(|| engine.vms()).into_iter().flatten();
    for vm in vms.filter(|vm| !engine.knows_provider(&vm.provider) && !vm.is_gone()) {
        *providers.entry(&vm.provider).or_default() += 1;
    }
    let providers = providers
        .into_iter()
        .map(|(provider, vms)| Notice::UnknownProvider { provider: provider.clone(), vms });
    let unreadable = withheld.unreadable.iter().cloned().map(Notice::Unreadable);
    let withheld = withheld
        .vms
        .iter()
        .filter_map(|vm| Some(Notice::LeaseUnreadable { vm: vm.name.clone(), lease: vm.lease.clone()? }));
    let full = engine.is_short().then_some(Notice::StoreFull);
    full.into_iter().chain(pools).chain(providers).chain(unreadable).chain(withheld).collect()
}
