//! Where VMs may come from, and how many there may be: what must hold whenever one is intended.

use std::{collections::BTreeSet, time::Duration};

use vmpool_engine::Effect;
use vmpool_model::{Event, EventKind, ProviderName, Timestamp, VmName, VmRecord};

use crate::{ledger::OfferOf, world::World};

/// Notes what went wrong with offers, and what went well.
pub(crate) fn happened(world: &mut World, event: &Event) -> Result<(), String> {
    match (event.kind, &event.provider) {
        (EventKind::BreakerOpened, Some(provider)) => {
            world.ledger.life.open.insert(provider.clone(), (world.now, BTreeSet::new()));
        }
        (EventKind::BreakerClosed, Some(provider)) => drop(world.ledger.life.open.remove(provider)),
        _ => {}
    }
    let record = event.vm.as_ref().and_then(|vm| world.working.vms.get(vm)).cloned();
    let Some(record) = record else { return Ok(()) };
    let (offer, now) = (offer_of(&record), world.now);
    let config = world.pool(&record);
    let never_came_up = event.kind == EventKind::VmTerminating
        && ["came up as", "boot_timeout", "start_timeout"].iter().any(|why| event.detail.contains(why));
    let life = &mut world.ledger.life;
    match event.kind {
        EventKind::VmReady => drop(life.pauses.remove(&offer)),
        EventKind::SpawnFailed | EventKind::CreateUnknown => {
            let asked = life.retry_after.unwrap_or_default();
            raise(life.asked.entry(offer.clone()).or_insert(now), now + asked);
            // How pauses grow, and what counts as a failure in a row, is for directed tests: here is what holds for every one.
            raise(life.pauses.entry(offer).or_insert(now), now + config.retry_min.max(asked));
        }
        _ if never_came_up => raise(life.pauses.entry(offer).or_insert(now), now + config.retry_min),
        _ => {}
    }
    Ok(())
}

fn raise(until: &mut Timestamp, to: Timestamp) {
    *until = (*until).max(to);
}

fn offer_of(record: &VmRecord) -> OfferOf {
    (record.pool.clone(), record.provider.clone(), record.template.clone())
}

/// Checks that a VM may be intended, before it is.
pub(crate) fn intended(world: &mut World, vm: &VmRecord) -> Result<(), String> {
    let mut fresh = VmRecord::intended(vm.name.clone(), vm.pool.clone(), vm.provider.clone(), world.now);
    fresh.problem.clone_from(&vm.problem);
    let mut offers = world.pool(vm).offers().into_iter();
    let offer = offers.find(|offer| offer.provider == vm.provider && offer.template == vm.template);
    let Some(offer) = offer.filter(|offer| offer.needs == vm.needs) else {
        return Err(format!("{vm:?} is of no offer"));
    };
    fresh.template.clone_from(&vm.template);
    fresh.needs.clone_from(&vm.needs);
    ensure!(*vm == fresh, "{vm:?} does not begin as intended");
    ensure!(world.ledger.names.insert(vm.name.clone()), "the name {} is used twice", vm.name);
    ensure!(!world.is_drained(&vm.pool), "{} is drained", vm.pool);
    ensure!(world.spec().pools.contains_key(&vm.pool), "{} is not configured", vm.pool);
    let config = world.pool(vm);
    let records = world.working.vms.values().filter(|other| other.pool == vm.pool && !other.is_gone());
    // Those that are out of reach start no more.
    let starts =
        |other: &&VmRecord| other.state.is_starting() && world.engine.knows_provider(&other.provider);
    let starting = records.clone().filter(starts).count();
    ensure!(starting < config.max_starting as usize, "{} VMs of {} start", starting + 1, vm.pool);
    ensure!(
        records.count() < config.max_total() as usize,
        "{} has more VMs than {}",
        vm.pool,
        config.max_total()
    );
    let of_offer = world
        .working
        .vms
        .values()
        .filter(|other| !other.is_gone() && offer_of(other) == offer_of(vm))
        .count();
    let most = offer.max_total.map_or(usize::MAX, |most| most as usize);
    ensure!(of_offer < most, "{vm:?} is one too many of its offer");
    fits_quota(world, vm)?;
    keeps_distance(world, vm, config.spawn_min_interval)
}

/// Checks that all that is at a provider, and this VM besides, is within its quota.
fn fits_quota(world: &World, vm: &VmRecord) -> Result<(), String> {
    let Some(config) = world.spec().providers.get(&vm.provider) else {
        return Err(format!("{vm:?} is intended at a provider that is not configured"));
    };
    let quota = &config.quota;
    for (resource, limit) in quota {
        let taken = recorded(world, &vm.provider, resource) + needs(vm, resource);
        ensure!(needs(vm, resource) == 0 || taken <= *limit, "{vm:?}: {taken} {resource} of {limit}");
    }
    Ok(())
}

/// Returns what is taken of a quota, by nodes without a record, too, as the engine tells, which counts them by itself.
pub(crate) fn taken(world: &World, provider: &ProviderName, resource: &str) -> u64 {
    let view = world.engine.provider(provider);
    view.and_then(|view| view.used.get(resource).copied()).unwrap_or_default()
}

fn recorded(world: &World, provider: &ProviderName, resource: &str) -> u64 {
    let vms = world.working.vms.values().filter(|vm| vm.provider == *provider && vm.gone_at.is_none());
    vms.map(|vm| needs(vm, resource)).sum()
}

pub(crate) fn needs(vm: &VmRecord, resource: &str) -> u64 {
    match resource {
        "vms" => 1,
        _ => vm.needs.get(resource).copied().unwrap_or_default(),
    }
}

/// Checks that a create may be asked for: the breaker is not open, and the provider is not at too many.
pub(crate) fn asked(world: &mut World, provider: &ProviderName, vm: &VmName) -> Result<(), String> {
    let Some(config) = world.spec().providers.get(provider).cloned() else {
        return Err(format!("{vm} is asked of {provider}, which is not configured"));
    };
    let is_create_there =
        |effect: &Effect| matches!(effect, Effect::Create { provider: other, .. } if other == provider);
    let under_way = world.flights.values().filter(|flight| is_create_there(&flight.effect)).count();
    let most = config.max_creating();
    ensure!(under_way < most, "{vm} is asked of {provider}, which is asked for {under_way} of {most}");
    let now = world.now;
    if let Some((since, tries)) = world.ledger.life.open.get_mut(provider) {
        let until = *since + config.breaker_pause;
        ensure!(until <= now, "{vm} is asked of {provider}, which is left alone until {until}");
        ensure!(tries.is_empty(), "{vm} is tried while {tries:?} are");
        tries.insert(vm.clone());
    }
    Ok(())
}

/// Checks that neither the pool nor the offer was to wait.
fn keeps_distance(world: &mut World, vm: &VmRecord, interval: Duration) -> Result<(), String> {
    let (now, life) = (world.now, &mut world.ledger.life);
    for until in [&life.pauses, &life.asked].map(|pauses| pauses.get(&offer_of(vm))).into_iter().flatten() {
        ensure!(*until <= now, "{vm:?} is intended although its offer pauses until {until}");
    }
    if let Some(last) = life.last_spawns.insert(vm.pool.clone(), now) {
        let distance = now.since(last);
        ensure!(interval <= distance, "{} spawns again after {distance:?}", vm.pool);
    }
    Ok(())
}
