//! What a command is told of the VM that it is run for.

use tokio::process::Command;
use vmpool_model::{Lease, NodeView, PoolName, VmName, VmRecord, config::HookKind};

/// All variables that a command may find; those that do not fit are not set, whatever our own environment says.
///
/// `vmpool acquire` tells its command of the VM by the same names.
const NAMES: [&str; 11] = [
    "VMPOOL_HOOK",
    "VMPOOL_VM",
    "VMPOOL_POOL",
    "VMPOOL_PROVIDER",
    "VMPOOL_NODE_ID",
    "VMPOOL_ADDRESS",
    "VMPOOL_ADDRESSES",
    "VMPOOL_OWNER",
    "VMPOOL_SANDBOX",
    "VMPOOL_TASK",
    "VMPOOL_LEASE",
];

/// What a command is told of the VM that it is run for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Environment(Vec<(&'static str, String)>);

impl Environment {
    /// Tells of a VM and its node.
    pub(crate) fn of(vm: &VmName, pool: &PoolName, node: Option<&NodeView>) -> Self {
        let mut told = Self::default();
        told.add("VMPOOL_VM", Some(vm));
        told.add("VMPOOL_POOL", Some(pool));
        let addresses = node.map(|node| node.addresses.as_slice()).unwrap_or_default();
        let all = addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
        told.add("VMPOOL_NODE_ID", node.map(|node| &node.id));
        told.add("VMPOOL_ADDRESS", addresses.first());
        told.add("VMPOOL_ADDRESSES", (!all.is_empty()).then_some(all));
        told
    }

    /// Tells of a VM by its record, of the lease that ended, and which hook it is.
    pub(crate) fn of_hook(kind: HookKind, vm: &VmRecord, lease: Option<&Lease>) -> Self {
        let mut told = Self::of(&vm.name, &vm.pool, vm.node.as_ref());
        told.add("VMPOOL_HOOK", Some(kind));
        told.add("VMPOOL_PROVIDER", Some(&vm.provider));
        // The lease that ended says more than what the record remembers of it.
        told.add("VMPOOL_OWNER", lease.map(|lease| &lease.owner).or(vm.owner.as_ref()));
        told.add("VMPOOL_SANDBOX", lease.map_or(vm.sandbox.as_ref(), |lease| lease.sandbox.as_ref()));
        told.add("VMPOOL_TASK", lease.and_then(|lease| lease.task.as_ref()));
        told.add("VMPOOL_LEASE", lease.map(|lease| &lease.id).or(vm.lease.as_ref()));
        told
    }

    /// Puts it into the environment of a command.
    pub(crate) fn set(&self, command: &mut Command) {
        for name in NAMES {
            command.env_remove(name);
        }
        command.envs(self.0.iter().map(|(name, value)| (name, value)));
    }

    fn add(&mut self, name: &'static str, value: Option<impl ToString>) {
        self.0.extend(value.map(|value| (name, value.to_string())));
    }
}
