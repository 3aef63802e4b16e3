//! Engines with a few pools and VMs, for tests that look into them.

use std::time::Duration;

use vmpool_model::{
    Acquire, Failure, FailureKind, InstallationId, Node, NodeId, NodeView, Owner, PoolName, ProviderName,
    RecordState, RequestId, Timestamp, VmName, VmRecord,
    config::{OnRelease, PoolConfig, ProviderConfig},
    states::NodeState,
};

use crate::{Effect, EffectId, Engine, Input, Outcome, Records, Spec};

pub(crate) fn provider() -> ProviderName {
    ProviderName::new("lab").unwrap()
}

pub(crate) fn pool(name: &str) -> PoolName {
    PoolName::new(name).unwrap()
}

pub(crate) fn owner(name: &str) -> Owner {
    Owner::new(name).unwrap()
}

/// A pool that makes VMs only when somebody wants them, as many at once as it may, and keeps used ones for their users.
pub(crate) fn on_demand(max_total: u32) -> PoolConfig {
    let mut config = PoolConfig::new(provider(), "template", 0);
    (config.max_total, config.max_starting, config.on_release) =
        (Some(max_total), max_total, OnRelease::Reuse);
    config
}

pub(crate) fn spec<const N: usize>(pools: [(&str, PoolConfig); N]) -> Spec {
    let mut spec = Spec::new(InstallationId::new("test").unwrap(), 1, 7);
    spec.providers.insert(provider(), ProviderConfig::new("dummy"));
    spec.pools = pools.into_iter().map(|(name, config)| (pool(name), config)).collect();
    spec
}

/// A ready VM, whose name begins with that of its pool.
pub(crate) fn ready(name: &str) -> VmRecord {
    let pool = pool(name.split('-').next().unwrap());
    let mut record = VmRecord::intended(VmName::new(name).unwrap(), pool, provider(), Timestamp::default());
    let node = Node::new(NodeId::new(name).unwrap(), name, NodeState::Running);
    (record.state, record.node) = (RecordState::Ready, Some(NodeView::from(&node)));
    "template".clone_into(&mut record.template);
    record
}

/// A ready VM that is kept for its last user.
pub(crate) fn used(name: &str, of: &str) -> VmRecord {
    VmRecord { owner: Some(owner(of)), ..ready(name) }
}

pub(crate) fn engine(spec: Spec, vms: Vec<VmRecord>) -> Engine {
    let mut engine = Engine::recover(spec, Records { vms, ..Records::default() }, Timestamp::default());
    // As if all had been listed.
    engine.providers.values_mut().for_each(|provider| provider.gate.unlisted = None);
    let _ = engine.step(Timestamp::default(), Input::Tick);
    engine
}

/// Has an owner wait for as many VMs of any of these pools, of which there is a blank between two; returns the creates
/// that are asked for.
pub(crate) fn want(engine: &mut Engine, request: &str, of: &str, from: &str, count: u32) -> Vec<EffectId> {
    urge(engine, request, of, from, count, 0)
}

/// The same, with a priority.
pub(crate) fn urge(
    engine: &mut Engine,
    request: &str,
    of: &str,
    from: &str,
    count: u32,
    priority: i32,
) -> Vec<EffectId> {
    let acquire = Acquire::new(RequestId::new(request).unwrap(), pool("none"), owner(of));
    let acquire = acquire
        .with_priority(priority)
        .with_pools(from.split(' ').map(pool).collect())
        .with_count(count)
        .with_wait(Duration::from_secs(600));
    let step = engine.step(engine.now, Input::Acquire(Box::new(acquire)));
    let creates = step.effects.into_iter().filter(|(_, effect)| matches!(effect, Effect::Create { .. }));
    creates.map(|(id, _)| id).collect()
}

/// Answers creates: there is no room for their nodes.
pub(crate) fn refuse(engine: &mut Engine, creates: &[EffectId]) {
    for id in creates {
        let outcome = Outcome::Created(Err(Failure::not_applied(FailureKind::Quota, "no room")));
        let _ = engine.step(engine.now, Input::Done { id: *id, outcome });
    }
}
