//! Fair shares: owners of equal weight who always want more than there is hold as much as each other over time.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use fastrand::Rng;
use tokio::{runtime::Builder, task::JoinSet, time::Instant};
use vmpool_manager::model::{Acquire, Lease, Owner, RequestId};

use crate::{
    disaster,
    journal::Journal,
    scenario::{Scenario, pool_name, seconds},
    world::{World, pass},
};

/// Owners, and for how many seconds each of them uses a VM: who uses them for longer asks less often.
const OWNERS: [(&str, u64); 4] = [("ann", 20), ("bob", 40), ("cat", 80), ("team/dan", 150)];
/// How many VMs each owner always wants: all of them, so that each could use up the pool.
const WANTED: u64 = 20;
/// When the measurement begins, and when it ends.
const WINDOW: (u64, u64) = (600, 2400);

/// For how many seconds each owner held VMs, all of them together.
type Held = Arc<Mutex<BTreeMap<&'static str, f64>>>;

/// Returns how fair shares are: 1 if all are the same, 1/n if one of n has everything.
pub(crate) fn jain(shares: &[f64]) -> f64 {
    let sum: f64 = shares.iter().sum();
    sum * sum / (shares.len() as f64 * shares.iter().map(|share| share * share).sum::<f64>())
}

/// Lets owners with constant demand share a pool of the real manager, and returns how many VM seconds each of them had.
pub(crate) fn shares(seed: u64) -> Vec<f64> {
    let runtime = Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let journal = Journal::new(false);
        let held = tokio::select! {
            biased;
            broken = journal.violated() => Err(broken),
            held = share(seed, journal.clone()) => Ok(held),
        };
        let held = held.unwrap();
        held.lock().unwrap().values().copied().collect()
    })
}

async fn share(seed: u64, journal: Journal) -> Held {
    let mut rng = Rng::with_seed(seed);
    let world = Arc::new(World::new(Scenario::fair(seed), journal, &mut rng));
    disaster::start(&world, &mut rng).await;
    world.calm();
    let held = Held::default();
    let mut people = JoinSet::new();
    let begun = Instant::now();
    for (owner, time) in OWNERS {
        held.lock().unwrap().insert(owner, 0.0);
        for number in 0..WANTED {
            let (world, held, rng) = (Arc::clone(&world), Arc::clone(&held), rng.fork());
            people.spawn(async move { work(&world, &held, owner, number, time, begun, rng).await });
        }
    }
    people.join_all().await;
    held
}

/// Always wants one VM, uses it for a while, and wants the next one.
async fn work(
    world: &World,
    held: &Held,
    owner: &'static str,
    number: u64,
    time: u64,
    begun: Instant,
    mut rng: Rng,
) {
    let end = begun + seconds(WINDOW.1);
    for use_number in 0_u64.. {
        let request = RequestId::new(format!("{}-{number}-{use_number}", owner.replace('/', "-"))).unwrap();
        let acquire = Acquire::new(request, pool_name(0), Owner::new(owner).unwrap());
        let handle = world.handle();
        let granted = handle.acquire(acquire.with_wait(seconds(100_000)));
        let Ok(Ok(grant)) = tokio::time::timeout_at(end, granted).await else { return };
        let since = Instant::now();
        pass(Duration::from_secs_f64(time as f64 * (0.5 + rng.f64()))).await;
        give_back(world, &grant.lease).await;
        let from = since.max(begun + seconds(WINDOW.0));
        let until = Instant::now().min(end);
        *held.lock().unwrap().entry(owner).or_default() +=
            until.saturating_duration_since(from).as_secs_f64();
    }
}

async fn give_back(world: &World, lease: &Lease) {
    world.ledger.lock().unwrap().give_back(lease);
    let _ = world.handle().release(lease.id.clone()).await;
}
