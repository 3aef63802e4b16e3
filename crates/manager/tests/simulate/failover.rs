//! One provider stays away while all else is well: the others serve its pools.

use vmpool_manager::{
    ManagerError, Refusal,
    model::{Acquire, Owner, PoolName, ProviderName, RequestId, VmRecord, config::PoolConfig},
};

use crate::{
    scenario::seconds,
    world::{World, pass},
};

/// How long it may take until a VM of another provider is there: breakers pause for up to ten minutes.
const LIMIT: u64 = 2400;

/// Lets a provider stay away, and asks each pool that has another one for a VM.
pub(crate) async fn prove(world: &World) -> Result<(), String> {
    let Some(down) = &world.scenario.stays_down else { return Ok(()) };
    let cloud = &world.clouds[down];
    cloud.stay_down(true);
    for (pool, config) in &world.config().pools {
        // What stands in for a pool that is drained may be at the provider that is down.
        if world.ledger.lock().unwrap().is_drained(pool) {
            continue;
        }
        if config.offers().iter().any(|offer| offer.provider != *down) {
            ask(world, pool, config, down).await?;
        }
    }
    cloud.stay_down(false);
    Ok(())
}

async fn ask(world: &World, pool: &PoolName, config: &PoolConfig, down: &ProviderName) -> Result<(), String> {
    let id = RequestId::new(format!("failover-of-{pool}")).unwrap();
    let acquire = Acquire::new(id.clone(), pool.clone(), Owner::new("failover").unwrap());
    let acquire = acquire.with_wait(seconds(LIMIT));
    let answer = loop {
        match world.handle().acquire(acquire.clone()).await {
            Err(ManagerError::Store { .. } | ManagerError::Stopped) => pass(seconds(1)).await,
            answer => break answer,
        }
    };
    match answer {
        Ok(grant) => {
            world.ledger.lock().unwrap().hold(&grant.lease)?;
            world.ledger.lock().unwrap().give_back(&grant.lease);
            while let Err(err) = world.handle().release(grant.lease.id.clone()).await {
                match err {
                    ManagerError::Refused(_) => break,
                    _ => pass(seconds(1)).await,
                }
            }
            Ok(())
        }
        Err(ManagerError::Refused(Refusal::TimedOut { .. })) => match room(world, pool, config, down) {
            Some(provider) => {
                Err(format!("{pool} got no VM from {provider}, which has room, while {down} is down"))
            }
            None => Ok(()),
        },
        // It is drained, perhaps.
        Err(_) => Ok(()),
    }
}

/// Returns a provider at which the pool may have one more VM, if there is one.
fn room(world: &World, pool: &PoolName, config: &PoolConfig, down: &ProviderName) -> Option<ProviderName> {
    let (ledger, providers) = (world.ledger.lock().unwrap(), world.config().providers);
    let count = ledger.rows.count(pool);
    if config.max_total() as usize <= count.all || config.max_starting as usize <= count.starting {
        return None;
    }
    let has_room = |provider: &ProviderName| {
        let vms: Vec<&VmRecord> = ledger.rows.vms.values().filter(|vm| vm.provider == *provider).collect();
        if ledger.may_have_unknown(provider) {
            return false;
        }
        let Some(quota) = providers.get(provider).map(|config| &config.quota) else { return false };
        let fits = |(resource, most): (&String, &u64)| {
            let need = |vm: &&VmRecord| {
                if resource == "vms" { 1 } else { vm.needs.get(resource).copied().unwrap_or(0) }
            };
            // No offer of a scenario needs more than that.
            vms.iter().map(need).sum::<u64>() + 3 <= *most
        };
        quota.iter().all(fits)
    };
    let offers = config.offers().into_iter().filter(|offer| offer.provider != *down);
    let mut open = offers.filter(|offer| offer.max_total.is_none()).map(|offer| offer.provider);
    open.find(has_room)
}
