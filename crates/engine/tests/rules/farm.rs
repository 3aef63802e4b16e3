//! Several pools, and requests that may be served from any of them.

use std::collections::BTreeSet;

use vmpool_engine::{Answer, Engine, Grant, Input, Refusal, Spec};
use vmpool_model::{
    Acquire, Label, Lease, Node, Owner, PoolName, RecordState, RequestId,
    config::{OnRelease, PoolConfig},
};

use crate::lab::{self, Lab, seconds};

pub(crate) fn name(pool: &str) -> PoolName {
    PoolName::new(pool).unwrap()
}

pub(crate) fn id(request: &str) -> RequestId {
    RequestId::new(request).unwrap()
}

pub(crate) fn owner(name: &str) -> Owner {
    Owner::new(name).unwrap()
}

pub(crate) fn labels<const N: usize>(labels: [&str; N]) -> BTreeSet<Label> {
    labels.into_iter().map(|label| Label::new(label).unwrap()).collect()
}

/// A pool that makes VMs only when somebody wants them, and as many at once as it may.
pub(crate) fn on_demand(max_total: u32) -> PoolConfig {
    let mut config = lab::config(0);
    (config.max_total, config.max_starting) = (Some(max_total), max_total);
    config
}

/// A pool of this size that is filled at once, and keeps used VMs for their users.
pub(crate) fn kept(size: u32) -> PoolConfig {
    let mut config = lab::config(size);
    (config.max_starting, config.on_release) = (size, OnRelease::Reuse);
    config
}

pub(crate) fn with_labels<const N: usize>(config: PoolConfig, all: [&str; N]) -> PoolConfig {
    let mut config = config;
    config.labels = labels(all);
    config
}

pub(crate) fn with_fallback(config: PoolConfig, pool: &str) -> PoolConfig {
    let mut config = config;
    config.fallback = Some(name(pool));
    config
}

pub(crate) fn spec<const N: usize>(pools: [(&str, PoolConfig); N]) -> Spec {
    let mut spec = lab::spec(lab::config(1));
    spec.pools = pools.into_iter().map(|(pool, config)| (name(pool), config)).collect();
    spec
}

/// Pools with all their VMs ready.
pub(crate) fn farm<const N: usize>(pools: [(&str, PoolConfig); N]) -> Lab {
    of(spec(pools))
}

pub(crate) fn of(spec: Spec) -> Lab {
    let mut lab = Lab::of(spec);
    lab.boot_all();
    lab
}

/// A request that waits for a VM of any of these pools.
pub(crate) fn wish<const N: usize>(request: &str, of: &str, pools: [&str; N]) -> Acquire {
    let pools = pools.into_iter().map(name).collect();
    Acquire::new(id(request), name("none"), owner(of)).with_pools(pools).with_wait(seconds(600))
}

pub(crate) fn waits(lab: &mut Lab, acquire: Acquire) {
    assert_eq!(lab.acquire(acquire), Answer::Waiting);
}

pub(crate) fn grants(lab: &mut Lab, acquire: Acquire) -> Vec<Grant> {
    match lab.acquire(acquire) {
        Answer::Granted(grants) => grants,
        other => panic!("{other:?}"),
    }
}

/// The pools that the VMs of a request come from, which is served at once.
pub(crate) fn given(lab: &mut Lab, acquire: Acquire) -> Vec<String> {
    grants(lab, acquire).iter().map(|grant| grant.lease.pool.to_string()).collect()
}

pub(crate) fn refusal(lab: &mut Lab, acquire: Acquire) -> Refusal {
    lab.refused(Input::Acquire(Box::new(acquire)))
}

/// The requests that waited and were served, in order.
pub(crate) fn served(lab: &Lab) -> Vec<&str> {
    lab.decided.iter().filter(|(_, result)| result.is_ok()).map(|(id, _)| id.as_str()).collect()
}

/// Gives back what a request holds.
pub(crate) fn release(lab: &mut Lab, request: &str) {
    let leases: Vec<Lease> = leases(&lab.engine, request);
    assert!(!leases.is_empty(), "{request} holds nothing");
    leases.iter().for_each(|lease| lab.release(lease));
}

pub(crate) fn leases(engine: &Engine, request: &str) -> Vec<Lease> {
    engine.leases().filter(|lease| lease.request.as_str() == request).cloned().collect()
}

/// How many VMs a pool has in a state.
pub(crate) fn count(lab: &Lab, pool: &str, state: RecordState) -> usize {
    lab.vms().filter(|vm| vm.pool.as_str() == pool && vm.state == state).count()
}

/// Lets everything be destroyed that is to be, and boots what takes its place.
pub(crate) fn renew(lab: &mut Lab) {
    while lab.destroys() != 0 {
        lab.destroyed(Ok(()));
    }
    let installation = lab.engine.spec().installation.clone();
    let stays = lab.vms().filter(|vm| vm.state != RecordState::Terminating);
    let nodes: Vec<_> = stays
        .filter_map(|vm| {
            let view = vm.node.as_ref()?;
            let mut node = Node::new(view.id.clone(), vm.name.as_str(), view.state);
            node.raw_state = view.raw_state.clone();
            node.token = Some(vm.token(&installation));
            node.public_ips.clone_from(&view.addresses);
            Some(node)
        })
        .collect();
    // What was asked for before proves nothing.
    lab.list(&nodes);
    lab.list(&nodes);
    lab.boot_all();
}
