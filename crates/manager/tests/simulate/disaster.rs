//! What befalls the manager: it crashes, is shut down, is doubled, and always comes again.

use std::{sync::Arc, time::Duration};

use fastrand::Rng;
use vmpool_manager::{Manager, StopError, model::InstallationId};

use crate::{
    calm,
    scenario::seconds,
    world::{World, pass},
};

/// Starts the first manager.
pub(crate) async fn start(world: &World, rng: &mut Rng) {
    for cloud in world.clouds.values() {
        cloud.settle_strangers().await;
    }
    revive(world, rng).await;
}

/// Starts a manager, which takes the place of the one before; tries until it starts.
async fn revive(world: &World, rng: &mut Rng) {
    loop {
        let number = {
            let mut ledger = world.ledger.lock().unwrap();
            ledger.newest += 1;
            ledger.newest
        };
        world.journal.note(|| format!("manager {number} starts"));
        let editing = world.editing.lock().await;
        let config = world.config();
        let mut builder = Manager::builder(world.store.clone())
            .installation(InstallationId::new("sim").unwrap())
            .holder(format!("manager {number}"))
            .checker(world.health.clone())
            .hooks(world.health.clone())
            .limits(config.limits.clone())
            .clock(Arc::new(world.clock(number)))
            .restart_grace(world.scenario.restart_grace)
            .check_invariants()
            .seed(rng.u64(..));
        for (name, provider) in &config.providers {
            builder = builder.provider(name.clone(), provider.clone(), world.clouds[name].driver(number));
        }
        for (name, config) in &config.pools {
            builder = builder.pool(name.clone(), config.clone());
        }
        match builder.start().await {
            Ok(manager) => {
                world.set_handle(manager.handle());
                world.managers.lock().await.push(manager);
                return;
            }
            Err(err) => world.journal.note(|| format!("manager {number} does not start: {err}")),
        }
        drop(editing);
        pass(Duration::from_millis(rng.u64(1..3000))).await;
    }
}

/// Lets disasters happen until calm comes.
pub(crate) async fn strike(world: Arc<World>, mut rng: Rng) {
    while !world.is_calm() {
        world.pass_in_trouble(seconds(rng.u64(1..=world.scenario.disasters.pause))).await;
        one(&world, &mut rng).await;
    }
}

/// Sees to it that a manager runs, for ever.
pub(crate) async fn care(world: Arc<World>, mut rng: Rng) {
    loop {
        pass(Duration::from_millis(rng.u64(100..5000))).await;
        if world.is_calm() {
            calm::clean_up(&world).await;
        }
        let managers = world.managers.lock().await;
        let is_well = managers.iter().all(|manager| !manager.handle().is_stopped());
        if managers.is_empty() || !is_well {
            drop(managers);
            tend(&world, &mut rng).await;
        }
    }
}

async fn one(world: &World, rng: &mut Rng) {
    let disasters = world.scenario.disasters;
    if disasters.losses && rng.u32(0..4) == 0 {
        return lose(world).await;
    }
    match rng.u32(0..6) {
        0 | 1 if disasters.crashes => {
            world.journal.note(|| "the managers crash".to_owned());
            world.managers.lock().await.clear();
        }
        2 if disasters.shutdowns => {
            world.journal.note(|| "the manager is shut down".to_owned());
            world.handle().shutdown().await;
        }
        3 if disasters.doubles && !world.is_calm() => revive(world, rng).await,
        4 if world.scenario.store.outages => {
            world.store.set_out(true);
            world.pass_in_trouble(seconds(rng.u64(1..60))).await;
            world.store.set_out(false);
        }
        _ => {}
    }
}

/// Loses all records while no manager runs: somebody deletes the state directory, once nothing is being made any more.
async fn lose(world: &World) {
    // Nobody starts a manager meanwhile.
    let _editing = world.editing.lock().await;
    let mut managers = world.managers.lock().await;
    world.journal.note(|| "the managers crash, and the records are lost".to_owned());
    managers.clear();
    while world.ledger.lock().unwrap().is_making() {
        pass(seconds(1)).await;
    }
    world.ledger.lock().unwrap().lose();
    world.store.lose();
}

/// Buries managers that have stopped, and starts another one if none is left.
async fn tend(world: &World, rng: &mut Rng) {
    let mut left = Vec::new();
    for mut manager in std::mem::take(&mut *world.managers.lock().await) {
        if !manager.handle().is_stopped() {
            left.push(manager);
            continue;
        }
        match manager.wait().await {
            Ok(()) => {}
            Err(StopError::Fenced { .. }) => world.journal.note(|| "a manager was superseded".to_owned()),
            Err(err) => world.journal.violate(format!("a manager stopped: {err}")),
        }
    }
    let last = left.last().map(Manager::handle);
    *world.managers.lock().await = left;
    match last {
        Some(handle) => world.set_handle(handle),
        None => revive(world, rng).await,
    }
}
