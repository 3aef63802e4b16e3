//! Several managers over one store: only the last one to claim the domain acts.

use std::time::Duration;

use fastrand::Rng;
use vmpool_dummy::DummyConfig;
use vmpool_manager::{Manager, ManagerError, StopError, model::config::ProviderConfig};

use crate::spy::Trick;
use crate::world::{World, lab, pass, pool, ready, request, seconds, small, until_ready};

const SIZE: u32 = 3;

async fn start(world: &World) -> Manager {
    let mut config = pool(SIZE);
    config.max_total = Some(SIZE + 1);
    config.lease_ttl = seconds(20);
    let mut provider = ProviderConfig::new("dummy");
    provider.request_timeout = seconds(10);
    let builder = world.builder().provider(lab(), provider, world.driver.clone()).restart_grace(seconds(5));
    builder.pool(small(), config).start().await.unwrap()
}

/// Keeps up to five managers, starts and kills them at random, and lets the pool be used meanwhile.
async fn run(seed: u64) {
    let mut config = DummyConfig::default().with_seed(seed).with_boot_latency(seconds(3));
    config.call_latency = Duration::from_millis(400);
    let world = World::of(config.with_destroy_latency(seconds(2)));
    let mut rng = Rng::with_seed(seed);
    let mut managers = vec![start(&world).await];
    for round in 0..60 {
        if managers.len() == 5 || (1 < managers.len() && rng.bool()) {
            drop(managers.remove(rng.usize(..managers.len())));
        } else {
            // Some creates are still on their way when the next manager looks for their nodes.
            (0..rng.u64(0..3)).for_each(|_| world.driver.trick("create", Trick::Wait(5)));
            managers.push(start(&world).await);
        }
        let newest = managers.last().unwrap().handle();
        let wanted = request(&format!("r{round}")).with_wait(seconds(1));
        drop(newest.acquire_within(wanted, seconds(2)).await);
        for _ in 0..rng.u64(1..30) {
            pass(Duration::from_millis(200)).await;
            let nodes = world.cloud.nodes().len();
            assert!(nodes <= SIZE as usize + 1, "{nodes} nodes in round {round}");
            assert_eq!(world.cloud.find_duplicate_tokens(), [], "in round {round}");
        }
    }

    // Whoever is left and is not the newest has stopped, and says why.
    let mut newest = start(&world).await;
    for manager in &mut managers {
        let end = tokio::time::timeout(seconds(120), manager.wait()).await.unwrap();
        assert!(matches!(end, Err(StopError::Fenced { .. })), "{end:?}");
    }
    pass(seconds(300)).await;
    assert_eq!(ready(&newest.handle()).await, SIZE as usize);
    assert_eq!(world.cloud.nodes().len(), SIZE as usize, "leaked");
    assert!(tokio::time::timeout(seconds(1), newest.wait()).await.is_err(), "the newest goes on");
}

#[tokio::test(start_paused = true)]
async fn f7_five_managers_whose_leaders_are_killed_at_random_never_exceed_the_limits() {
    for seed in 0..10 {
        if let Err(err) = tokio::spawn(run(seed)).await {
            panic!("seed {seed}: {err}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn f7_a_superseded_manager_never_denies_a_lease_that_its_successor_gave() {
    let world = World::new();
    let mut first = start(&world).await;
    until_ready(&first.handle(), SIZE as usize).await;
    // No time passes from now on, so nothing but what it is asked lets the first one find out.
    let second = start(&world).await;
    let lease = second.handle().acquire(request("r1")).await.unwrap().lease.id;
    let old = first.handle();
    let denied = [
        old.renew(lease.clone(), None).await.map(drop),
        old.release(lease.clone()).await,
        old.cancel(request("r1").request).await,
    ];
    for answer in denied {
        assert!(matches!(answer, Err(ManagerError::Store { .. } | ManagerError::Stopped)), "{answer:?}");
    }
    assert!(matches!(first.wait().await, Err(StopError::Fenced { .. })));
    second.handle().renew(lease, None).await.unwrap();
}
