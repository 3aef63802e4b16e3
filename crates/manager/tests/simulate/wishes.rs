//! What clients ask for.

use std::time::Duration;

use fastrand::Rng;
use vmpool_manager::model::{Acquire, Owner, PoolName, RequestId, Sandbox};

use crate::{
    offers,
    scenario::{Scenario, seconds},
};

/// Makes up a wish.
pub(crate) fn wish(scenario: &Scenario, id: String, rng: &mut Rng) -> Acquire {
    let pools: Vec<&PoolName> = scenario.pools.keys().collect();
    let pool = rng.choice(pools).unwrap().clone();
    let owner = ["ann", "bob", "team/x", "team/y"][rng.usize(0..4)];
    let sandbox = (rng.u32(0..3) == 0).then(|| Sandbox::new(format!("sandbox{}", rng.u32(0..2))).unwrap());
    let acquire = Acquire::new(RequestId::new(id).unwrap(), pool, Owner::new(owner).unwrap());
    let acquire = offers::widen(acquire, &scenario.pools, rng);
    let ttl = (rng.u32(0..3) == 0).then(|| seconds(rng.u64(30..200)));
    let count = if rng.u32(0..5) == 0 { rng.u32(2..4) } else { 1 };
    let acquire = acquire.with_count(count).with_priority(rng.i32(-2..3));
    acquire.with_sandbox(sandbox).with_ttl(ttl).with_wait(wait(rng))
}

fn wait(rng: &mut Rng) -> Duration {
    match rng.u32(0..5) {
        0 => Duration::ZERO,
        _ => seconds(rng.u64(10..600)),
    }
}
