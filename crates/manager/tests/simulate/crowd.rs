//! Continuing demand in calm times: nobody waits for ever, whoever else asks.
//!
//! The bound: priority counts until a request has waited `priority_aging` for each step of priority that others have more.
//! After that, as many times as there are others who ask, somebody else may come first, hold its VM for its time, and leave a
//! VM that has to be destroyed and made anew; twice as often, since who wants several VMs lets them come one after the other.

use std::{sync::Arc, time::Duration};

use fastrand::Rng;
use tokio::{task::JoinSet, time::Instant};
use vmpool_manager::{Grant, ManagerError, Refusal, model::Acquire};

use crate::{
    scenario::seconds,
    wishes,
    world::{World, pass, up_to},
};

/// How many ask at the same time.
const CLIENTS: u32 = 6;
/// For how many seconds each holds its VMs at most.
const HOLDS: u64 = 24;
/// How many steps of priority there are between requests.
const STEPS: u32 = 4;

/// Lets a crowd go on asking for longer than anybody may wait.
pub(crate) async fn prove(world: &Arc<World>, mut rng: Rng) -> Result<(), String> {
    if !world.scenario.crowd {
        return Ok(());
    }
    let bound = bound(world);
    world.journal.note(|| format!("CROWD: nobody waits longer than {bound:?}"));
    let end = Instant::now() + bound.mul_f64(1.2);
    let mut crowd = JoinSet::new();
    for number in 0..CLIENTS {
        let (world, mut rng) = (Arc::clone(world), rng.fork());
        crowd.spawn(async move {
            for wish in 0_u32.. {
                if end <= Instant::now() {
                    break;
                }
                let id = format!("crowd-{number}-{wish}");
                let wish = wishes::wish(&world.scenario, id, &mut rng).with_wait(bound * 3);
                let aging = world.config().limits.priority_aging;
                let wish = if aging.is_zero() { wish.with_priority(0) } else { wish };
                one(&world, wish, bound, &mut rng).await?;
            }
            Ok::<(), String>(())
        });
    }
    crowd.join_all().await.into_iter().collect()
}

/// Returns how long somebody may wait.
fn bound(world: &World) -> Duration {
    let config = world.config();
    let turnover = config.providers.iter().map(|(name, provider)| {
        let cloud = &world.scenario.providers[name].cloud;
        let waits = provider.list_interval * 3 + provider.visibility_window;
        cloud.boot_latency + cloud.destroy_latency + waits
    });
    let paces = config.pools.values().map(|pool| pool.spawn_min_interval + pool.retry_max);
    let turnover = turnover.max().unwrap_or_default() + paces.max().unwrap_or_default();
    config.limits.priority_aging * STEPS + (seconds(HOLDS) + turnover) * CLIENTS * 2
}

/// Wishes something, uses it for a while, and gives it back.
async fn one(world: &World, wish: Acquire, bound: Duration, rng: &mut Rng) -> Result<(), String> {
    let begun = Instant::now();
    let grants = match world.handle().acquire_all(wish.clone()).await {
        Ok(grants) => grants,
        Err(ManagerError::Refused(Refusal::TimedOut { why, .. })) => {
            return Err(format!("{} waits in vain: {why:?}", wish.request));
        }
        // What is not possible is told at once.
        Err(ManagerError::Refused(_)) => Vec::new(),
        Err(err) => return Err(format!("{} is not answered: {err}", wish.request)),
    };
    let waited = begun.elapsed();
    if bound < waited {
        return Err(format!("{} waited for {waited:?}, longer than {bound:?}: {wish:?}", wish.request));
    }
    for Grant { lease, .. } in &grants {
        world.ledger.lock().unwrap().hold(lease)?;
    }
    pass(up_to(seconds(HOLDS), rng) + seconds(1)).await;
    for Grant { lease, .. } in grants {
        world.ledger.lock().unwrap().give_back(&lease);
        let released = world.handle().release(lease.id.clone()).await;
        released.map_err(|err| format!("{} is not given back: {err}", lease.id))?;
    }
    Ok(())
}
