//! Operators: they destroy VMs, leased or not.

use std::sync::Arc;

use fastrand::Rng;
use vmpool_manager::model::VmName;

use crate::{scenario::seconds, world::World};

/// Works as an operator until calm comes.
pub(crate) async fn work(world: Arc<World>, mut rng: Rng) {
    let pause = world.scenario.habits.operator_pause;
    while pause != 0 && !world.is_calm() {
        world.pass_in_trouble(seconds(rng.u64(1..=pause))).await;
        let vms: Vec<VmName> = world.ledger.lock().unwrap().rows.vms.keys().cloned().collect();
        if let Some(vm) = rng.choice(vms) {
            terminate(&world, vm).await;
        }
    }
}

async fn terminate(world: &World, vm: VmName) {
    world.journal.note(|| format!("an operator terminates {vm}"));
    world.ledger.lock().unwrap().condemn(&vm);
    let _ = world.handle().terminate(vm, "the dice say so").await;
}
