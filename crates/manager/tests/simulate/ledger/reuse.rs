//! Ids and addresses come back: what they were of before must not count.

use vmpool_dummy::DummyCloud;
use vmpool_manager::model::{
    Lease, NodeId, ProviderName, RecordState, Token, VmRecord, config::CheckConfig, states::NodeState,
};

use super::Ledger;
use crate::reload::Config;

impl Ledger {
    /// F16: no two leases tell the same address, as far as the pools of both check what is behind it.
    pub(super) fn check_address(&self, config: &Config, lease: &Lease) -> Result<(), String> {
        let address = |vm: &VmRecord| vm.node.as_ref().and_then(|node| node.addresses.first().copied());
        let checks =
            |vm: &VmRecord| config.pools.get(&vm.pool).is_some_and(|pool| pool.check != CheckConfig::None);
        let Some(vm) = self.rows.vms.get(&lease.vm).filter(|vm| checks(vm)) else { return Ok(()) };
        let others = self.rows.leases.values().filter(|other| other.id != lease.id);
        let mut others = others
            .filter_map(|other| self.rows.vms.get(&other.vm))
            .filter(|other| other.provider == vm.provider && address(other) == address(vm) && checks(other));
        match others.next() {
            Some(other) => {
                Err(format!("F16: {} is leased with the address of {}, which is, too", vm.name, other.name))
            }
            None => Ok(()),
        }
    }

    /// A node is no more dead if it has the id of one that was.
    pub(super) fn unbury(&mut self, provider: &ProviderName, token: &Token) {
        let nodes = self.clouds.get(provider).map(DummyCloud::nodes).unwrap_or_default();
        for node in nodes.into_iter().filter(|node| node.token.as_ref() == Some(token)) {
            self.dead.remove(&(provider.clone(), node.id));
        }
    }

    /// Returns whether a VM that is given up had a node with this id.
    pub(super) fn was_of_another(&self, provider: &ProviderName, id: &NodeId) -> bool {
        self.rows.vms.values().any(|vm| {
            vm.provider == *provider
                && vm.state == RecordState::Terminating
                && vm.node.as_ref().is_some_and(|node| node.id == *id)
        })
    }

    /// F16: whatever has the id by now that is to be destroyed, nobody uses it or may get it.
    pub(crate) fn destroy_happens(&self, provider: &ProviderName, id: &NodeId) -> Result<(), String> {
        let nodes = self.clouds.get(provider).map(DummyCloud::nodes).unwrap_or_default();
        let node = nodes.into_iter().find(|node| node.id == *id && node.state != NodeState::Terminated);
        let record = node.and_then(|node| node.token).and_then(|token| self.rows.vms.get(&token.vm));
        let is_used = record.is_some_and(|vm| {
            matches!(vm.state, RecordState::Ready | RecordState::InUse | RecordState::Held)
                && vm.node.as_ref().is_some_and(|known| known.id == *id)
        });
        match is_used {
            true => Err(format!("F16: node {id} at {provider} is destroyed, and is that of {record:?}")),
            false => Ok(()),
        }
    }
}
