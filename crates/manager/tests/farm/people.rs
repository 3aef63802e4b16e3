//! Owners: they ask for VMs all the time, use them, renew all they have at once, give them back, and seldom die.

use std::{sync::Arc, time::Duration};

use fastrand::Rng;
use tokio::{task::JoinSet, time::Instant};
use vmpool_manager::{
    ManagerError,
    model::{Acquire, Lease, RequestId, Sandbox},
};

use crate::{
    plan::{USE, seconds},
    world::{World, pass},
};

/// How long a request waits at most; nobody should have to.
const PATIENCE: Duration = Duration::from_secs(3600);
/// How many requests come at once, on average.
const BURST: f64 = 0.95 + 0.05 * 11.0;

/// Lives as an owner until the farm is over.
pub(crate) async fn live(world: Arc<World>, number: usize, mut rng: Rng) {
    let mut builds = JoinSet::new();
    let mut asked = 0;
    while !world.is_over() {
        let mean = BURST * world.plan.owners.len() as f64 / world.rate();
        let pause = mean * -(1.0 - rng.f64()).ln();
        world.pass_while_busy(Duration::from_secs_f64(pause)).await;
        if world.is_over() {
            break;
        }
        let burst = if rng.u32(0..20) == 0 { rng.u32(2..=20) } else { 1 };
        for _ in 0..burst {
            asked += 1;
            let request = RequestId::new(format!("owner{number}-{asked}")).unwrap();
            builds.spawn(build(Arc::clone(&world), number, request, rng.fork()));
        }
        while let Some(ended) = builds.try_join_next() {
            ended.unwrap();
        }
    }
    builds.join_all().await;
}

/// Asks for VMs, uses them and gives them back.
async fn build(world: Arc<World>, number: usize, request: RequestId, mut rng: Rng) {
    let acquire = wish(&world, number, request, &mut rng);
    let asked = Instant::now();
    let Some(mut leases) = ask(&world, acquire).await else { return };
    let served = Instant::now();
    {
        let mut ledger = world.ledger.lock().unwrap();
        leases.iter().for_each(|lease| world.verdict.judge(ledger.hold(lease)));
    }
    let end = served + (USE * 2).mul_f64(rng.f64());
    let is_to_die = rng.u32(0..500) == 0;
    while !world.is_over() {
        let beat = next_beat(&world, number, leases[0].ttl / 3);
        pass(beat.min(end) - Instant::now()).await;
        if end <= Instant::now() {
            break;
        }
        if is_to_die {
            break;
        }
        for lease in &mut leases {
            match renew(&world, lease).await {
                Some(renewed) => *lease = renewed,
                None => return,
            }
        }
    }
    let used = served.elapsed();
    world.figures.lock().unwrap().used(number, served - asked, used);
    for lease in leases {
        world.ledger.lock().unwrap().let_go(&lease, !is_to_die);
        if !is_to_die {
            give_back(&world, lease).await;
        }
    }
}

fn wish(world: &World, number: usize, request: RequestId, rng: &mut Rng) -> Acquire {
    let person = &world.plan.owners[number];
    let pool = rng.choice(&person.pools).unwrap();
    let sandbox = (rng.u32(0..2) == 0).then(|| Sandbox::new(format!("sandbox{}", rng.u32(0..2))).unwrap());
    let count = if rng.u32(0..30) == 0 { rng.u32(2..=4) } else { 1 };
    let acquire = Acquire::new(request, pool.clone(), person.owner.clone());
    let acquire = acquire.with_sandbox(sandbox).with_count(count).with_wait(PATIENCE);
    acquire.with_priority(i32::from(rng.u32(0..10) == 0))
}

/// Asks until there is an answer, over crashes of the manager.
async fn ask(world: &World, acquire: Acquire) -> Option<Vec<Lease>> {
    loop {
        match world.handle().acquire_all(acquire.clone()).await {
            Ok(grants) => return Some(grants.into_iter().map(|grant| grant.lease).collect()),
            Err(ManagerError::Refused(refusal)) => {
                world.verdict.violate(format!("{} was refused: {refusal}", acquire.request));
                return None;
            }
            Err(_) => pass(seconds(1)).await,
        }
    }
}

/// Returns when an owner next renews all that it has.
fn next_beat(world: &World, number: usize, period: Duration) -> Instant {
    let period = period.as_millis() as u64;
    let phase = (number as u64).wrapping_mul(37_003) % period;
    let passed = world.began.elapsed().as_millis() as u64;
    let beats = (passed + period - phase) / period;
    world.began + Duration::from_millis(beats * period + phase)
}

/// Renews in good time, so that a refusal is never right.
async fn renew(world: &World, lease: &Lease) -> Option<Lease> {
    loop {
        match world.handle().renew(lease.id.clone(), None).await {
            Ok(renewed) => return Some(renewed),
            Err(ManagerError::Refused(refusal)) => {
                world.verdict.violate(format!("{} of {} was not renewed: {refusal}", lease.id, lease.vm));
                return None;
            }
            Err(_) => pass(seconds(1)).await,
        }
    }
}

async fn give_back(world: &World, lease: Lease) {
    let mut is_first = true;
    loop {
        match world.handle().release(lease.id.clone()).await {
            Ok(()) => return,
            // The manager crashed and did not answer, but had it written.
            Err(ManagerError::Refused(_)) if !is_first => return,
            Err(ManagerError::Refused(refusal)) => {
                return world.verdict.violate(format!("{} is not given back: {refusal}", lease.id));
            }
            Err(_) => pass(seconds(1)).await,
        }
        is_first = false;
    }
}
