//! Everything goes wrong at once, from a seed: no VM is leased twice, nothing leaks, everybody is served.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
    time::Duration,
};

use fastrand::Rng;
use tokio::task::JoinSet;
use vmpool_dummy::{DummyConfig, FaultConfig};
use vmpool_manager::{
    Manager, ManagerError, ManagerHandle, Refusal,
    model::{LeaseId, VmName},
    store::CommitFault,
};

use crate::world::{World, pass, ready, request, seconds};

const CLIENTS: u64 = 6;
const USES: u64 = 5;
const POOL: u32 = 4;

/// What the clients of a run share.
#[derive(Clone)]
struct Shared {
    handle: Arc<Mutex<ManagerHandle>>,
    held: Arc<Mutex<BTreeSet<VmName>>>,
}

impl Shared {
    fn handle(&self) -> ManagerHandle {
        self.handle.lock().unwrap().clone()
    }

    /// Asks for a VM, holds it for a while, gives it back; asks again whenever something fails.
    async fn use_one(&self, client: u64, number: u64, rng: &mut Rng) {
        let wanted = request(&format!("client-{client}-{number}")).with_wait(seconds(3600));
        let grant = loop {
            let patience = Duration::from_millis(rng.u64(1..60_000));
            match self.handle().acquire_within(wanted.clone(), patience).await {
                Ok(Some(mut grants)) => break grants.remove(0),
                Ok(None) => {}
                Err(ManagerError::Refused(refusal)) => panic!("{refusal}"),
                Err(_) => pass(Duration::from_millis(rng.u64(1..2000))).await,
            }
        };
        assert!(
            self.held.lock().unwrap().insert(grant.lease.vm.clone()),
            "{} is leased twice",
            grant.lease.vm
        );
        for _ in 0..rng.u64(0..4) {
            pass(Duration::from_millis(rng.u64(1..30_000))).await;
            if let Err(ManagerError::Refused(refusal)) =
                self.handle().renew(grant.lease.id.clone(), None).await
            {
                panic!("{refusal}");
            }
        }
        self.held.lock().unwrap().remove(&grant.lease.vm);
        self.release(grant.lease.id, rng).await;
    }

    async fn release(&self, lease: LeaseId, rng: &mut Rng) {
        loop {
            match self.handle().release(lease.clone()).await {
                // An attempt before may have happened.
                Ok(())
                | Err(ManagerError::Refused(Refusal::UnknownLease { .. } | Refusal::LeaseEnded { .. })) => {
                    return;
                }
                Err(_) => pass(Duration::from_millis(rng.u64(1..2000))).await,
            }
        }
    }
}

fn cloud(seed: u64) -> DummyConfig {
    let mut faults = FaultConfig::default();
    (faults.fail_create, faults.lost_answers, faults.lost_requests) = (0.1, 0.2, 0.1);
    (faults.boot_failure, faults.partial_listings) = (0.1, 0.2);
    let mut config = DummyConfig::default().with_seed(seed).with_faults(faults);
    config.call_latency = Duration::from_millis(200);
    config.with_boot_latency(seconds(5)).with_destroy_latency(seconds(3))
}

/// Lets a random one of the disasters happen.
async fn disaster(world: &World, manager: Manager, shared: &Shared, rng: &mut Rng) -> Manager {
    match rng.u32(0..10) {
        0 => {
            drop(manager);
            pass(Duration::from_millis(rng.u64(0..3000))).await;
            let manager = world.start(POOL).await;
            *shared.handle.lock().unwrap() = manager.handle();
            manager
        }
        1 => {
            manager.handle().shutdown().await;
            let manager = world.start(POOL).await;
            *shared.handle.lock().unwrap() = manager.handle();
            manager
        }
        2..6 => {
            let faults = [CommitFault::NotApplied, CommitFault::UnknownButApplied, CommitFault::Full];
            world.memory.fail_next(faults[rng.usize(..faults.len())]);
            // Let it be met by a commit of the loop, not by the next start, which would then not start.
            pass(seconds(15)).await;
            manager
        }
        _ => manager,
    }
}

async fn run(seed: u64) {
    let world = World::of(cloud(seed));
    let mut rng = Rng::with_seed(seed);
    let mut manager = world.start(POOL).await;
    let shared = Shared { handle: Arc::new(Mutex::new(manager.handle())), held: Arc::default() };
    let mut clients = JoinSet::new();
    for client in 0..CLIENTS {
        let (shared, mut rng) = (shared.clone(), rng.fork());
        clients.spawn(async move {
            for number in 0..USES {
                shared.use_one(client, number, &mut rng).await;
            }
        });
    }
    while !clients.is_empty() {
        manager = disaster(&world, manager, &shared, &mut rng).await;
        pass(Duration::from_millis(rng.u64(1..20_000))).await;
        while let Some(client) = clients.try_join_next() {
            client.unwrap();
        }
    }

    world.cloud.reconfigure(|config| config.faults = FaultConfig::default());
    pass(seconds(1200)).await;
    let handle = manager.handle();
    assert_eq!(ready(&handle).await, POOL as usize, "{:#?}", handle.view().await);
    assert_eq!(handle.view().await.unwrap().leases, []);
    assert_eq!(world.cloud.nodes().len(), POOL as usize, "leaked");
    assert_eq!(world.cloud.find_duplicate_tokens(), []);
}

#[tokio::test(start_paused = true)]
async fn no_vm_is_leased_twice_nothing_leaks_and_everybody_is_served_whatever_fails() {
    for seed in 0..20 {
        if let Err(err) = tokio::spawn(run(seed)).await {
            panic!("seed {seed}: {err}");
        }
    }
}
