//! What an engine decides: changes to write, then effects to carry out, and answers.

use vmpool_model::{
    Change, Event, Lease, NodeId, NodeView, PoolName, ProviderName, RequestId, Timestamp, Token, VmName,
    VmRecord,
    config::{CheckConfig, HookConfig, HookKind},
};

use crate::{EffectId, Refusal};

/// What one step decides.
///
/// The caller first commits `changes` and `events` durably, then gives the answers, then carries out
/// the effects. If the commit fails, nothing of the step holds: the engine is made anew of the records.
#[derive(Debug, Clone, Default)]
#[must_use]
pub struct Step {
    /// The changes of the records, in order.
    pub changes: Vec<Change>,
    /// What happened.
    pub events: Vec<Event>,
    /// What to do once the changes are durable.
    pub effects: Vec<(EffectId, Effect)>,
    /// Answers to requests that waited, from this step or an earlier one.
    pub decided: Vec<(RequestId, Result<Vec<Grant>, Refusal>)>,
    /// The answer to the input itself.
    pub answer: Answer,
}

/// The answer to an input.
#[derive(Debug, Clone, Default, PartialEq)]
#[must_use]
pub enum Answer {
    /// There is nothing to say: a tick, or the result of an effect.
    #[default]
    Nothing,
    /// An acquire was answered at once, with as many leases as it wanted.
    Granted(Vec<Grant>),
    /// An acquire waits: its answer will be among the `decided` of a later step.
    Waiting,
    /// A renewal was granted.
    Renewed(Box<Lease>),
    /// A release, a cancellation or a termination was accepted.
    Accepted,
    /// The input was refused, and changed nothing.
    Refused(Refusal),
}

/// A lease together with how to reach its VM.
#[derive(Debug, Clone, PartialEq)]
pub struct Grant {
    /// The lease.
    pub lease: Lease,
    /// The VM's node.
    pub node: NodeView,
}

/// Something to be done at a provider or on a VM, once the step is durable.
///
/// Every effect may be carried out twice (a restart asks again for what is not yet recorded as done),
/// and each is safe to repeat.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Effect {
    /// Create a node with this token, and named after the VM.
    Create {
        /// The provider.
        provider: ProviderName,
        /// The VM.
        vm: VmName,
        /// The token.
        token: Token,
        /// What to make the node from.
        template: String,
    },
    /// Look for nodes with this token; answer only if a complete listing says which there are.
    Find {
        /// The provider.
        provider: ProviderName,
        /// The VM.
        vm: VmName,
        /// The token.
        token: Token,
    },
    /// Destroy a node.
    Destroy {
        /// The provider.
        provider: ProviderName,
        /// The VM, or `None` for a node that belongs to no record.
        vm: Option<VmName>,
        /// The node.
        node: NodeId,
    },
    /// Check whether a VM can be used.
    Check {
        /// The VM.
        vm: VmName,
        /// The pool.
        pool: PoolName,
        /// Its node.
        node: NodeView,
        /// How to check.
        check: CheckConfig,
        /// The host key that the VM must show, if one is pinned.
        host_key: Option<String>,
        /// How many checks of the pool may be under way at once.
        max_checks: u32,
        /// How long it may take; the outcome is a failure after that.
        timeout: std::time::Duration,
    },
    /// Ask the provider for one node.
    Get {
        /// The provider.
        provider: ProviderName,
        /// The VM.
        vm: VmName,
        /// The node.
        node: NodeId,
    },
    /// Run a hook.
    Hook(Box<HookRun>),
    /// Let the provider destroy a node by itself at some time.
    SetExpiry {
        /// The provider.
        provider: ProviderName,
        /// The VM.
        vm: VmName,
        /// The node.
        node: NodeId,
        /// When.
        at: Timestamp,
    },
    /// List all nodes of a provider.
    List {
        /// The provider.
        provider: ProviderName,
    },
    /// Ask the provider for one node of which a hint came; it may be anybody's.
    Glance {
        /// The provider.
        provider: ProviderName,
        /// The node.
        node: NodeId,
    },
}

impl Effect {
    /// Returns the VM that it is for, if it is for one.
    #[must_use]
    pub fn vm(&self) -> Option<&VmName> {
        match self {
            Self::Create { vm, .. }
            | Self::Find { vm, .. }
            | Self::Check { vm, .. }
            | Self::Get { vm, .. }
            | Self::SetExpiry { vm, .. } => Some(vm),
            Self::Hook(run) => Some(&run.vm.name),
            Self::Destroy { vm, .. } => vm.as_ref(),
            Self::List { .. } | Self::Glance { .. } => None,
        }
    }
}

/// A hook to be run.
#[derive(Debug, Clone, PartialEq)]
pub struct HookRun {
    /// Which one.
    pub kind: HookKind,
    /// What to run.
    pub hook: HookConfig,
    /// The VM as it is: the hook's environment tells of it.
    pub vm: VmRecord,
    /// The lease that ended, for the hook `before_release`.
    pub lease: Option<Lease>,
    /// How many hooks of the pool may be under way at once.
    pub max_hooks: u32,
}
