//! When providers and checks hang, panic, or lose answers.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use vmpool_dummy::Fault;
use vmpool_manager::{CheckReport, CheckTarget, Checker, driver::Operation, model::config::CheckConfig};

use crate::{
    spy::Trick,
    world::{World, lab, pass, pool, ready, request, seconds, small, until_ready, use_one},
};

#[tokio::test(start_paused = true)]
async fn f15_a_create_that_hangs_delays_no_other_vm() {
    let world = World::new();
    world.driver.trick("create", Trick::Hang);
    let manager = world.start(3).await;
    let handle = manager.handle();
    pass(seconds(1)).await;
    assert_eq!(ready(&handle).await, 2);
}

#[tokio::test(start_paused = true)]
async fn f15_a_create_that_hangs_ends_after_the_request_timeout_and_its_vm_comes_up() {
    let world = World::new();
    world.driver.trick("create", Trick::Hang);
    let manager = world.start(3).await;
    // The time-out is 60 s by default.
    pass(seconds(80)).await;
    assert_eq!(ready(&manager.handle()).await, 3);
    assert_eq!(world.cloud.find_duplicate_tokens(), []);
}

#[tokio::test(start_paused = true)]
async fn a_listing_that_hangs_delays_no_lease() {
    let world = World::new();
    let manager = world.start(2).await;
    let handle = manager.handle();
    until_ready(&handle, 2).await;
    world.driver.trick("list", Trick::Hang);
    pass(seconds(15)).await;
    let acquired = tokio::time::timeout(Duration::from_millis(1), handle.acquire(request("r1"))).await;
    assert!(acquired.unwrap().is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_listing_is_not_starved_by_creates() {
    let world = World::new();
    let mut config = crate::world::prompt();
    config.max_concurrent = 1;
    (0..5).for_each(|_| world.driver.trick("create", Trick::Hang));
    let builder = world.builder().provider(lab(), config, world.driver.clone());
    let _manager = builder.pool(small(), pool(5)).start().await.unwrap();
    pass(seconds(50)).await;
    let log = world.log.take();
    assert_eq!(log.iter().filter(|line| line.starts_with("create")).count(), 1, "{log:#?}");
    assert!(5 <= log.iter().filter(|line| *line == "list").count(), "{log:#?}");
}

#[tokio::test(start_paused = true)]
async fn a_panic_in_a_driver_is_a_failure_like_any_other() {
    let world = World::new();
    for operation in ["create", "list", "destroy"] {
        world.driver.trick(operation, Trick::Panic);
    }
    let manager = world.start(2).await;
    let handle = manager.handle();
    until_ready(&handle, 2).await;
    use_one(&handle, "r1").await;
    pass(seconds(120)).await;
    assert_eq!(ready(&handle).await, 2);
    assert_eq!(world.cloud.nodes().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn f2_a_create_whose_answer_is_lost_makes_no_second_node() {
    let world = World::new();
    (0..3).for_each(|_| world.cloud.fail_next(Operation::Create, Fault::LostAnswer));
    let manager = world.start(3).await;
    until_ready(&manager.handle(), 3).await;
    assert_eq!((world.cloud.created(), world.cloud.find_duplicate_tokens()), (3, vec![]));
}

#[tokio::test(start_paused = true)]
async fn look_ups_share_a_listing() {
    let world = World::new();
    (0..20).for_each(|_| world.cloud.fail_next(Operation::Create, Fault::LostAnswer));
    // The look-ups are due at different times, but within a second or two.
    world.cloud.reconfigure(|config| config.call_latency = seconds(4));
    let mut config = crate::world::prompt();
    config.max_concurrent = 20;
    let builder = world.builder().provider(lab(), config, world.driver.clone());
    let manager = builder.pool(small(), pool(20)).start().await.unwrap();
    until_ready(&manager.handle(), 20).await;
    let log = world.log.take();
    let listings = log.iter().filter(|line| *line == "list").count();
    assert!(listings <= 4, "{listings} listings for 20 look-ups");
}

#[tokio::test(start_paused = true)]
async fn a_provider_is_listed_once_at_a_time_however_many_look_ups_wait() {
    let world = World::new();
    let mut config = crate::world::prompt();
    config.request_timeout = seconds(15);
    (0..30).for_each(|_| world.driver.trick("create", Trick::Hang));
    (0..100).for_each(|_| world.driver.trick("list", Trick::Wait(5)));
    let builder = world.builder().provider(lab(), config, world.driver.clone());
    let _manager = builder.pool(small(), pool(6)).start().await.unwrap();
    pass(seconds(200)).await;
    assert_eq!(world.driver.most_listings(), 1);
}

/// A checker that never answers for some, and passes the others.
#[derive(Debug)]
struct Hanging;

#[async_trait]
impl Checker for Hanging {
    async fn check(&self, target: &CheckTarget) -> Result<CheckReport, String> {
        match target.pool.as_str() {
            "hanging" => std::future::pending().await,
            "panicking" => panic!("the checker was told to panic"),
            _ => Ok(CheckReport::default()),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn f15_c35_checks_that_hang_or_panic_fail_and_delay_no_others() {
    let world = World::new();
    let mut config = pool(5);
    config.check = CheckConfig::Tcp { port: 22 };
    let mut builder = world.builder().checker(Arc::new(Hanging));
    for name in ["hanging", "panicking", "passing"] {
        builder = builder.pool(name.parse().unwrap(), config.clone());
    }
    let manager = builder.start().await.unwrap();
    let handle = manager.handle();
    pass(seconds(1)).await;
    assert_eq!(ready(&handle).await, 5);
    pass(seconds(40)).await;
    let view = handle.view().await.unwrap();
    assert!(view.vms.iter().any(|vm| 0 < vm.check_fails && vm.pool.as_str() == "hanging"), "{view:#?}");
}

#[tokio::test(start_paused = true)]
async fn f15_however_many_checks_hang_no_other_vm_is_given_up() {
    let world = World::new();
    let mut provider = crate::world::prompt();
    provider.max_concurrent = 1000;
    let mut config = pool(600);
    config.check = CheckConfig::Tcp { port: 22 };
    (config.max_starting, config.max_check_fails) = (1000, 0);
    let builder = world.builder().checker(Arc::new(Hanging));
    let builder = builder.provider(lab(), provider, world.driver.clone());
    let builder = builder.pool("hanging".parse().unwrap(), config.clone());
    config.size = 10;
    let manager = builder.pool("passing".parse().unwrap(), config).start().await.unwrap();
    let handle = manager.handle();
    for _ in 0..30 {
        pass(seconds(10)).await;
        let view = handle.view().await.unwrap();
        let mut passing = view.vms.iter().filter(|vm| vm.pool.as_str() == "passing");
        assert!(passing.all(|vm| vm.check_fails == 0 && vm.problem.is_none()), "{:?}", view.pools);
    }
}
