//! One effect that is asked for: what it must not overtake, and what it shares with others.

use tracing::Span;
use vmpool_engine::{Effect, EffectId, HookRun};
use vmpool_model::{NodeId, PoolName, ProviderName, VmName, config::HookKind};

/// One effect that is asked for.
#[derive(Debug, Clone)]
pub(super) struct Job {
    pub(super) id: EffectId,
    pub(super) effect: Effect,
    /// The request that it comes of, if that is traced.
    pub(super) span: Span,
}

/// What only one effect at a time may work on.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Place {
    /// Making and ending a VM's node.
    Vm(VmName),
    /// Ending a node that belongs to no VM.
    Node(ProviderName, NodeId),
    /// The hooks of a VM.
    Hooks(VmName),
    /// When the cloud ends a VM's node by itself.
    Expiry(VmName),
}

/// What shares one limit of effects under way, so that one pool's checks never hold up another's.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum LaneKey {
    /// The calls to a provider, but for listings.
    Provider(ProviderName),
    /// The checks of a pool.
    Checks(PoolName),
    /// The hooks of a pool.
    Hooks(PoolName),
}

/// Returns whether an effect changes something at a provider or on a VM.
pub(crate) fn is_write(effect: &Effect) -> bool {
    !matches!(
        effect,
        Effect::Find { .. }
            | Effect::Get { .. }
            | Effect::List { .. }
            | Effect::Glance { .. }
            | Effect::Check { .. }
    )
}

impl Job {
    /// Returns the provider that the job waits for a listing of.
    pub(super) fn listed(&self) -> Option<&ProviderName> {
        match &self.effect {
            Effect::Find { provider, .. } | Effect::List { provider } => Some(provider),
            _ => None,
        }
    }

    pub(super) fn place(&self) -> Option<Place> {
        match &self.effect {
            Effect::Create { vm, .. } | Effect::Find { vm, .. } | Effect::Destroy { vm: Some(vm), .. } => {
                Some(Place::Vm(vm.clone()))
            }
            Effect::Destroy { provider, vm: None, node } => Some(Place::Node(provider.clone(), node.clone())),
            Effect::Hook(run) => Some(Place::Hooks(run.vm.name.clone())),
            Effect::SetExpiry { vm, .. } => Some(Place::Expiry(vm.clone())),
            _ => None,
        }
    }

    pub(super) fn lane(&self) -> Option<LaneKey> {
        match &self.effect {
            Effect::Create { provider, .. }
            | Effect::Destroy { provider, .. }
            | Effect::Get { provider, .. }
            | Effect::Glance { provider, .. }
            | Effect::SetExpiry { provider, .. } => Some(LaneKey::Provider(provider.clone())),
            Effect::Check { pool, .. } => Some(LaneKey::Checks(pool.clone())),
            Effect::Hook(run) => Some(LaneKey::Hooks(run.vm.pool.clone())),
            // Listings are one at a time anyway, and no creates are to starve them.
            _ => None,
        }
    }

    /// Returns how many jobs of its lane may be under way at once, if the job itself says so.
    pub(super) fn cap(&self) -> Option<usize> {
        let cap = match &self.effect {
            Effect::Check { max_checks, .. } => *max_checks,
            Effect::Hook(run) => {
                let HookRun { max_hooks, .. } = &**run;
                *max_hooks
            }
            _ => return None,
        };
        Some(usize::try_from(cap).unwrap_or(usize::MAX).max(1))
    }

    /// Returns whether it goes before what waits in its lane: what a hint calls for is worth little later, and few come.
    pub(super) fn is_urgent(&self) -> bool {
        matches!(self.effect, Effect::Glance { .. })
    }

    /// Returns the VM that a hook works on: after its end there is none to work on.
    pub(super) fn worked_on(&self) -> Option<&VmName> {
        match &self.effect {
            Effect::Hook(run) if run.kind != HookKind::AfterDestroy => Some(&run.vm.name),
            _ => None,
        }
    }

    /// Returns the VM that is checked.
    pub(super) fn checked(&self) -> Option<&VmName> {
        match &self.effect {
            Effect::Check { vm, .. } => Some(vm),
            _ => None,
        }
    }
}
