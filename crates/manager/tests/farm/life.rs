//! The life of a farm: it fills up, is busy, and is drained.

use std::sync::Arc;

use fastrand::Rng;
use tokio::{
    runtime::Builder,
    task::{JoinError, JoinSet},
};
use vmpool_manager::model::RecordState;

use crate::{
    figures,
    ledger::ensure,
    people,
    plan::{Plan, Size, seconds},
    reckoning,
    stopwatch::Stopwatch,
    verdict::Verdict,
    world::{World, pass, pass_until},
};

/// How fair it must be.
const JAIN: f64 = 0.95;

/// Lives through the whole life of a farm; says which rule was broken, if one was.
pub(crate) fn live(size: Size) -> Result<(), String> {
    let runtime = Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let stopwatch = Stopwatch::default();
    let _guard = tracing::subscriber::set_default(stopwatch.clone());
    runtime.block_on(async {
        let verdict = Verdict::default();
        tokio::select! {
            biased;
            broken = verdict.violated() => Err(broken),
            end = tokio::spawn(all(size, verdict.clone(), stopwatch)) => end.map_err(reason)?,
        }
    })
}

async fn all(size: Size, verdict: Verdict, stopwatch: Stopwatch) -> Result<(), String> {
    let plan = Plan::new(size);
    let mut rng = Rng::with_seed(size.seed ^ 0xfa12);
    let world = Arc::new(World::new(plan, verdict, stopwatch, &mut rng));
    for cloud in world.clouds.values() {
        cloud.settle_strangers().await;
    }
    world.start_manager().await?;
    let mut watch = JoinSet::new();
    watch.spawn(reckoning::keep(Arc::clone(&world)));
    fill(&world).await?;
    let mut owners = JoinSet::new();
    for number in 0..world.plan.owners.len() {
        owners.spawn(people::live(Arc::clone(&world), number, rng.fork()));
    }
    be_busy(&world).await?;
    world.end();
    while let Some(end) = owners.join_next().await {
        end.map_err(reason)?;
    }
    let unserved = world.ledger.lock().unwrap().waiting.len();
    ensure!(unserved == 0, "{unserved} requests wait although all who asked were answered");
    world.tell("nobody asks any more");
    drain(&world).await?;
    figures::tell_all(&world);
    let jain = world.figures.lock().unwrap().jain();
    let is_fair = JAIN <= jain;
    ensure!(is_fair, "Jain's index over the owners is {jain}");
    Ok(())
}

/// Waits until nearly all VMs are ready that the pools are to keep.
async fn fill(world: &World) -> Result<(), String> {
    let wanted = world.plan.pools.values().map(|pool| pool.size as usize).sum::<usize>() * 97 / 100;
    let is_full = pass_until(seconds(4 * 3600), || wanted <= world.count(RecordState::Ready)).await;
    ensure!(is_full, "the pools do not fill up: {} VMs of {wanted}", world.count(RecordState::Ready));
    world.figures.lock().unwrap().ramp = world.began.elapsed();
    world.tell("the pools are full");
    Ok(())
}

/// Lets owners ask, with a crash of the manager after a third of the time and a rush after a half.
async fn be_busy(world: &World) -> Result<(), String> {
    let busy = world.plan.size.busy();
    pass(busy / 3).await;
    world.start_manager().await?;
    world.tell("another manager took over");
    pass(busy / 6).await;
    world.set_rush(true);
    pass(busy / 6).await;
    world.set_rush(false);
    world.tell("the rush is over");
    pass(busy / 3).await;
    let vms = world.ledger.lock().unwrap().vms.len();
    world.figures.lock().unwrap().most = vms;
    Ok(())
}

/// Drains every pool; in the end there must be nothing left, but for the nodes of others.
async fn drain(world: &World) -> Result<(), String> {
    for pool in world.plan.pools.keys() {
        let drained = world.handle().drain(pool.clone(), "the farm is over").await;
        drained.map_err(|err| format!("{pool} is not drained: {err}"))?;
    }
    let is_empty = pass_until(seconds(2 * 3600), || world.ledger.lock().unwrap().vms.is_empty()).await;
    let ledger = world.ledger.lock().unwrap();
    ensure!(is_empty, "the pools do not drain: {:?}", ledger.vms.iter().take(10).collect::<Vec<_>>());
    for (name, cloud) in &ledger.clouds {
        let (ours, others): (Vec<_>, Vec<_>) =
            cloud.nodes().into_iter().partition(|node| node.token.is_some());
        ensure!(ours.is_empty(), "I4: {name} has nodes of ours that nobody knows: {ours:?}");
        ensure!(others.len() == 2, "{name} has {} nodes of others, not 2", others.len());
    }
    Ok(())
}

fn reason(err: JoinError) -> String {
    match err.try_into_panic() {
        Ok(panic) => {
            let text = panic.downcast_ref::<String>().cloned();
            let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
            format!("a panic: {}", text.unwrap_or_default())
        }
        Err(err) => err.to_string(),
    }
}
