//! Clients: they ask, hold, renew and give back; they die, stall, and come back late.

use std::{sync::Arc, time::Duration};

use fastrand::Rng;
use tokio::{task::JoinSet, time::Instant};
use vmpool_manager::{
    Grant, ManagerError, Refusal,
    model::{Acquire, Lease, LeaseEnd},
};

use crate::{
    wishes,
    world::{World, pass, up_to},
};

/// What came of a wish.
enum Asked {
    Granted(Vec<Grant>),
    Refused,
    Dead,
}

/// Lives as a client until it has used enough VMs, or calm comes.
pub(crate) async fn live(world: Arc<World>, number: u64, mut rng: Rng) {
    for use_number in 0..world.scenario.uses {
        if world.is_calm() {
            return;
        }
        let acquire = wishes::wish(&world.scenario, format!("client-{number}-{use_number}"), &mut rng);
        match ask(&world, &acquire, &mut rng).await {
            Asked::Granted(grants) => {
                if rng.u32(0..4) == 0 {
                    ask_again(&world, &acquire, &grants).await;
                }
                let mut uses = JoinSet::new();
                for grant in grants {
                    let (world, mut rng) = (Arc::clone(&world), rng.fork());
                    uses.spawn(async move { hold(&world, grant.lease, &mut rng).await });
                }
                uses.join_all().await;
            }
            Asked::Refused => {}
            Asked::Dead => return,
        }
        pass(up_to(Duration::from_secs(20), &mut rng)).await;
    }
}

/// Asks until there is an answer, or the client dies or changes its mind.
async fn ask(world: &World, acquire: &Acquire, rng: &mut Rng) -> Asked {
    let habits = world.scenario.habits;
    loop {
        let patience = Duration::from_millis(rng.u64(1..60_000));
        world.journal.note(|| format!("{} is asked for", acquire.request));
        match world.handle().acquire_within(acquire.clone(), patience).await {
            Ok(Some(grants)) => {
                world.journal.note(|| format!("{} is granted", acquire.request));
                return Asked::Granted(grants);
            }
            Ok(None) => {}
            Err(ManagerError::Refused(refusal)) => {
                world.journal.note(|| format!("{}: {refusal}", acquire.request));
                if !is_expected(&refusal) && !is_of_reload(world, &refusal) {
                    world.journal.violate(format!("{} was refused: {refusal}", acquire.request));
                }
                return Asked::Refused;
            }
            Err(_) => pass(Duration::from_millis(rng.u64(1..2000))).await,
        }
        if rng.f64() < habits.dies {
            world.journal.note(|| format!("the client of {} dies", acquire.request));
            return Asked::Dead;
        }
        if rng.f64() < habits.cancels {
            withdraw(world, acquire, rng).await;
            return Asked::Refused;
        }
    }
}

/// Asks again as who lost the answer: the request yields the same leases.
async fn ask_again(world: &World, acquire: &Acquire, grants: &[Grant]) {
    let answer = world.handle().acquire_within(acquire.clone(), Duration::from_secs(1)).await;
    let ids = |grants: &[Grant]| grants.iter().map(|grant| grant.lease.id.clone()).collect::<Vec<_>>();
    let is_same = match &answer {
        Ok(Some(again)) => ids(again) == ids(grants),
        Err(ManagerError::Refused(_)) => false,
        // It takes longer, or the store fails.
        _ => true,
    };
    let ledger = world.ledger.lock().unwrap();
    if !is_same && !grants.iter().any(|grant| ledger.is_condemned(&grant.lease.vm)) {
        world.journal.violate(format!(
            "{} was granted {:?}, and then {answer:?}",
            acquire.request,
            ids(grants)
        ));
    }
}

/// Returns whether a pool may have been another one when the client made up its mind.
fn is_of_reload(world: &World, refusal: &Refusal) -> bool {
    let may_be = matches!(
        refusal,
        Refusal::UnknownPool { .. }
            | Refusal::PoolRetired { .. }
            | Refusal::NoPoolWithLabels { .. }
            | Refusal::NeverPossible { .. }
    );
    may_be && world.scenario.reload_pause != 0
}

fn is_expected(refusal: &Refusal) -> bool {
    matches!(
        refusal,
        Refusal::NoVmAvailable { .. }
            | Refusal::TimedOut { .. }
            | Refusal::RequestTimedOut { .. }
            | Refusal::Cancelled { .. }
            | Refusal::RequestEnded { .. }
            | Refusal::NeverPossible { .. }
            | Refusal::CountOutOfRange { .. }
            | Refusal::OwnerLimit { .. }
            | Refusal::PoolDrained { .. }
            | Refusal::TurnedAway { .. }
    )
}

async fn withdraw(world: &World, acquire: &Acquire, rng: &mut Rng) {
    world.journal.note(|| format!("{} is withdrawn", acquire.request));
    world.ledger.lock().unwrap().withdraw(&acquire.request);
    while let Err(err) = world.handle().cancel(acquire.request.clone()).await {
        match err {
            // It is over already, by an earlier try that the store seemed to refuse as well.
            ManagerError::Refused(
                Refusal::UnknownRequest { .. }
                | Refusal::RequestEnded { .. }
                | Refusal::RequestTimedOut { .. }
                | Refusal::Cancelled { .. }
                | Refusal::TurnedAway { .. },
            ) => return,
            ManagerError::Refused(refusal) => {
                return world.journal.violate(format!("{} is not withdrawn: {refusal}", acquire.request));
            }
            _ => pass(Duration::from_millis(rng.u64(1..2000))).await,
        }
    }
}

/// Uses a VM for a while.
async fn hold(world: &World, mut lease: Lease, rng: &mut Rng) {
    let habits = world.scenario.habits;
    if world.ledger.lock().unwrap().is_condemned(&lease.vm) {
        return give_back(world, lease, false, rng).await;
    }
    world.journal.judge(world.ledger.lock().unwrap().hold(&lease));
    for _ in 0..rng.u32(0..5) {
        if world.is_calm() {
            break;
        }
        if rng.f64() < habits.dies {
            world.journal.note(|| format!("the holder of {} dies", lease.id));
            world.ledger.lock().unwrap().let_go(&lease);
            return;
        }
        if rng.f64() < habits.stalls {
            world.journal.note(|| format!("the holder of {} stalls", lease.id));
            world.ledger.lock().unwrap().let_go(&lease);
            pass(up_to(lease.ttl * 3, rng)).await;
            return come_back(world, lease, rng).await;
        }
        pass(up_to(lease.ttl / 2, rng)).await;
        match renew(world, &lease, rng).await {
            Some(renewed) => lease = renewed,
            None => return,
        }
    }
    pass(up_to(lease.ttl / 2, rng)).await;
    give_back(world, lease, false, rng).await;
}

/// Renews in good time; a lease that is refused then was taken away.
async fn renew(world: &World, lease: &Lease, rng: &mut Rng) -> Option<Lease> {
    let begun = Instant::now();
    loop {
        match world.handle().renew(lease.id.clone(), None).await {
            Ok(renewed) => return Some(renewed),
            Err(ManagerError::Refused(refusal)) => {
                let mut ledger = world.ledger.lock().unwrap();
                ledger.let_go(lease);
                if !ledger.is_condemned(&lease.vm) {
                    let waited = begun.elapsed();
                    world.journal.violate(format!(
                        "{} of {} was renewed in time, tried for {waited:?}, and refused: {refusal}",
                        lease.id, lease.vm
                    ));
                }
                return None;
            }
            Err(_) => pass(Duration::from_millis(rng.u64(1..2000))).await,
        }
    }
}

/// Comes back with a lease that may be over: it works as long as it is there, and is refused after that.
async fn come_back(world: &World, lease: Lease, rng: &mut Rng) {
    if rng.bool() {
        let _ = world.handle().renew(lease.id.clone(), None).await;
    }
    give_back(world, lease, true, rng).await;
}

/// Gives a VM back; a lease that is not late and is over was taken away, unless an attempt before has happened.
async fn give_back(world: &World, lease: Lease, is_late: bool, rng: &mut Rng) {
    world.ledger.lock().unwrap().give_back(&lease);
    world.journal.note(|| format!("{} is given back", lease.id));
    loop {
        let refusal = match world.handle().release(lease.id.clone()).await {
            Ok(()) => {
                let is_there = world.ledger.lock().unwrap().rows.leases.contains_key(&lease.id);
                if is_there {
                    world.journal.violate(format!("{} was given back and is still recorded", lease.id));
                }
                return;
            }
            Err(ManagerError::Refused(refusal)) => refusal,
            Err(_) => {
                pass(Duration::from_millis(rng.u64(1..2000))).await;
                continue;
            }
        };
        let is_fine = match &refusal {
            // It is remembered for a while only.
            Refusal::UnknownLease { .. } => true,
            Refusal::LeaseEnded { how: LeaseEnd::Released | LeaseEnd::Unknown, .. } => true,
            Refusal::LeaseEnded { .. } => is_late || world.ledger.lock().unwrap().is_condemned(&lease.vm),
            _ => false,
        };
        if !is_fine {
            world.journal.violate(format!("{} is not given back: {refusal}", lease.id));
        }
        return;
    }
}
