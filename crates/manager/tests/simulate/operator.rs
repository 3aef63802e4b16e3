//! Operators: they destroy VMs, leased or not, hold and forget some, and drain pools.

use std::sync::Arc;

use fastrand::Rng;
use vmpool_manager::model::{PoolName, VmName};

use crate::{scenario::seconds, world::World};

/// Works as an operator until calm comes.
pub(crate) async fn work(world: Arc<World>, mut rng: Rng) {
    let pause = world.scenario.habits.operator_pause;
    while pause != 0 && !world.is_calm() {
        world.pass_in_trouble(seconds(rng.u64(1..=pause))).await;
        let vms: Vec<VmName> = world.ledger.lock().unwrap().rows.vms.keys().cloned().collect();
        let pools: Vec<PoolName> = world.scenario.pools.keys().cloned().collect();
        let (Some(vm), Some(pool)) = (rng.choice(vms), rng.choice(pools)) else { continue };
        act(&world, vm, pool, &mut rng).await;
    }
}

async fn act(world: &World, vm: VmName, pool: PoolName, rng: &mut Rng) {
    const WHY: &str = "the dice say so";
    let (handle, note) =
        (world.handle(), |what: String| world.journal.note(|| format!("an operator {what}")));
    // What is refused, or not answered because of a disaster, is not tried again.
    let _ = match rng.u32(0..16) {
        0..6 => {
            note(format!("terminates {vm}"));
            world.ledger.lock().unwrap().condemn(&vm);
            handle.terminate(vm, WHY).await
        }
        6..9 => {
            note(format!("holds {vm}"));
            handle.hold(vm, WHY, None, Some(seconds(rng.u64(1..120)))).await
        }
        9..11 => {
            note(format!("does not hold {vm} any more"));
            handle.unhold(vm).await
        }
        11 => {
            note(format!("lets {vm} be forgotten"));
            world.ledger.lock().unwrap().forget(&vm);
            handle.forget(vm, WHY).await
        }
        12 => {
            note(format!("drains {pool}"));
            handle.drain(pool, WHY).await
        }
        _ => {
            note(format!("undrains {pool}"));
            handle.undrain(pool).await
        }
    };
}
