//! Everything recounted, now and then: clouds, records and counts must agree.

use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
    time::Duration,
};

use vmpool_manager::model::{PoolName, ProviderName, RecordState, VmName, states::NodeState};

use crate::{
    ledger::{Ledger, ensure, is_starting},
    wall,
    world::{RECKONING, World, pass},
};

/// How often progress is told, in real time.
const NEWS: Duration = Duration::from_secs(10);

/// Recounts everything every minute, looks at the manager as a dashboard would, and tells how far the farm is.
pub(crate) async fn keep(world: Arc<World>) {
    let mut told = wall::now();
    loop {
        pass(RECKONING).await;
        let recount = || recount(&world.ledger.lock().unwrap());
        let verdict = world.stopwatch.measure("recounting everything", recount);
        world.verdict.judge(verdict);
        world.verdict.judge(world.why_stopped().await);
        if let Ok(view) = world.handle().view().await {
            let vms: usize = view.pools.iter().map(|pool| pool.pool.counts.iter().sum::<usize>()).sum();
            if vms != view.vms.len() {
                world.verdict.violate(format!("{vms} VMs are counted, {} are shown", view.vms.len()));
            }
        }
        if NEWS <= told.elapsed() {
            told = wall::now();
            world.tell("on the way");
        }
    }
}

/// Recounts everything.
pub(crate) fn recount(ledger: &Ledger) -> Result<(), String> {
    let mut there = HashSet::<VmName>::new();
    for (name, cloud) in &ledger.clouds {
        let mut count = 0;
        for node in cloud.nodes().into_iter().filter(|node| node.state != NodeState::Terminated) {
            let Some(token) = &node.token else { continue };
            let seen = ledger.vms.get(&token.vm);
            let is_known = seen.is_some_and(|seen| seen.provider == *name && seen.pool == token.pool);
            ensure!(is_known, "I4: nobody knows {node:?}: {seen:?}");
            ensure!(there.insert(token.vm.clone()), "I4: {} has two nodes", token.vm);
            count += 1;
        }
        let max = ledger.accounts[name].max;
        ensure!(count <= max, "I3: {name} has {count} nodes, {max} at most");
        let twice = cloud.find_duplicate_tokens();
        ensure!(twice.is_empty(), "{name} made nodes twice: {twice:?}");
    }
    let mut pools = BTreeMap::<&PoolName, (usize, usize)>::new();
    let mut accounts = BTreeMap::<&ProviderName, usize>::new();
    for (name, vm) in &ledger.vms {
        use RecordState as S;
        let is_alive = matches!(vm.state, S::CheckHealth | S::Ready | S::InUse | S::Releasing);
        ensure!(!is_alive || there.contains(name), "I4: {name} has no node: {vm:?}");
        let (all, starting) = pools.entry(&vm.pool).or_default();
        *all += 1;
        *starting += usize::from(is_starting(vm.state));
        *accounts.entry(&vm.provider).or_default() += 1;
    }
    for (name, room) in &ledger.pools {
        let (all, starting) = pools.get(name).copied().unwrap_or_default();
        ensure!((room.all, room.starting) == (all, starting), "{name} has {all}, {starting}, and {room:?}");
    }
    for (name, room) in &ledger.accounts {
        let all = accounts.get(name).copied().unwrap_or_default();
        ensure!(room.all == all, "{name} has {all}, and {room:?}");
    }
    ledger.check_used()
}
