//! What a provider says by itself: seen at once, bounded, and never believed.

use std::time::Duration;

use tokio::time::Instant;
use vmpool_dummy::{Death, DummyConfig, Fault};
use vmpool_manager::{
    EventStream, Manager, ManagerHandle,
    driver::{Hint, Operation},
    model::{FailureKind, NodeId, RecordState, VmRecord},
};

use crate::{
    spy::Trick,
    world::{World, lab, pass, pool, prompt, ready, seconds, small, until_ready},
};

const BOOT: Duration = Duration::from_millis(13_300);

fn world(events: bool) -> World {
    let mut config = DummyConfig::default().with_boot_latency(BOOT);
    config.events = events;
    World::of(config)
}

async fn stream(handle: &ManagerHandle) -> Option<EventStream> {
    handle.view().await.unwrap().providers[0].events.clone()
}

async fn is_up(handle: &ManagerHandle) -> bool {
    matches!(stream(handle).await, Some(EventStream::Up { .. }))
}

/// A manager whose pool is ready, and has been for a while.
async fn calm(world: &World, size: u32) -> (Manager, ManagerHandle) {
    let manager = world.start(size).await;
    let handle = manager.handle();
    until_ready(&handle, usize::try_from(size).unwrap()).await;
    pass(seconds(60)).await;
    (manager, handle)
}

async fn vms(handle: &ManagerHandle) -> Vec<VmRecord> {
    handle.view().await.unwrap().vms.clone()
}

fn node(vm: &VmRecord) -> NodeId {
    vm.node.as_ref().unwrap().id.clone()
}

/// How many requests there were but for creates.
fn looks(world: &World) -> u64 {
    world.cloud.calls(Operation::List) + world.cloud.calls(Operation::Get)
}

#[tokio::test(start_paused = true)]
async fn a_node_that_comes_up_is_seen_in_milliseconds_and_without_hints_soon_after() {
    let mut took = Vec::new();
    for events in [true, false] {
        let world = world(events);
        let start = Instant::now();
        let manager = world.start(1).await;
        while ready(&manager.handle()).await == 0 {
            pass(Duration::from_millis(1)).await;
        }
        took.push(start.elapsed());
    }
    assert!((BOOT..BOOT + Duration::from_millis(50)).contains(&took[0]), "{took:?}");
    assert!(BOOT < took[1] && took[1] < BOOT * 3 / 2, "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_vm_that_dies_is_replaced_at_once_for_one_request() {
    let world = world(true);
    let (_manager, handle) = calm(&world, 2).await;
    let victim = vms(&handle).await.remove(0);
    let (before, lists) = (looks(&world), world.cloud.calls(Operation::List));
    assert!(world.cloud.kill_node(&node(&victim), Death::Error));
    pass(Duration::from_millis(30)).await;
    assert_ne!(handle.vm(victim.name).await.unwrap().map(|vm| vm.state), Some(RecordState::Ready));
    assert!((1..=2).contains(&(looks(&world) - before)), "{}", looks(&world) - before);
    assert!(world.cloud.calls(Operation::List) - lists <= 1);
}

#[tokio::test(start_paused = true)]
async fn a_driver_that_was_not_told_to_listen_is_not_asked_for_hints() {
    let world = world(false);
    let (_manager, handle) = calm(&world, 1).await;
    assert_eq!(stream(&handle).await, None);
    assert_eq!(world.cloud.calls(Operation::Hints), 0);
    let gets = world.cloud.calls(Operation::Get);
    assert!(gets <= 10, "only the VM that started was looked at by itself: {gets}");
}

#[tokio::test(start_paused = true)]
async fn a_storm_of_hints_costs_no_more_than_ten_requests_per_listing() {
    let world = world(true);
    let (_manager, handle) = calm(&world, 3).await;
    let known: Vec<_> = vms(&handle).await.iter().map(node).collect();
    let nobodys = NodeId::new("nobodys").unwrap();
    let storms = [Hint::Provider, Hint::Node(nobodys), Hint::Node(known[0].clone())];
    let known: Vec<_> = known.into_iter().map(Hint::Node).collect();
    for storm in storms.iter().map(std::slice::from_ref).chain([known.as_slice()]) {
        let before = looks(&world);
        for _ in 0..6_000 {
            storm.iter().for_each(|hint| world.cloud.hint(hint));
            pass(Duration::from_millis(10)).await;
        }
        // A minute: six listings of their own, ten requests at once, and ten for each listing.
        let cost = looks(&world) - before;
        assert!(cost <= 6 + 10 + 60, "{storm:?} costs {cost}");
        assert_eq!(ready(&handle).await, 3);
        pass(seconds(60)).await;
    }
    let before = looks(&world);
    for number in 0..1_000 {
        world.cloud.hint(&Hint::Node(NodeId::new(format!("n{number}")).unwrap()));
    }
    pass(seconds(5)).await;
    assert!(looks(&world) - before <= 1, "what is not ours costs nothing");
}

#[tokio::test(start_paused = true)]
async fn a_hint_that_a_node_is_gone_deletes_nothing_even_if_the_provider_agrees() {
    let world = world(true);
    let (_manager, handle) = calm(&world, 1).await;
    let before = vms(&handle).await;
    for _ in 0..20 {
        world.cloud.fail_next(Operation::Get, Fault::Refuse(FailureKind::NotFound));
        world.cloud.hint(&Hint::Node(node(&before[0])));
        pass(seconds(2)).await;
        assert_eq!(vms(&handle).await, before);
    }
    assert_eq!(world.cloud.calls(Operation::Destroy), 0);
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_ends_is_opened_again_more_and_more_rarely_and_listings_go_on_meanwhile() {
    let world = world(true);
    let (_manager, handle) = calm(&world, 1).await;
    assert!(is_up(&handle).await);
    for _ in 0..12 {
        world.cloud.fail_next(Operation::Hints, Fault::Refuse(FailureKind::Unavailable));
    }
    world.cloud.end_hints();
    pass(Duration::from_millis(100)).await;
    let Some(EventStream::Down { since, why }) = stream(&handle).await else { panic!() };
    assert!(why.contains("the dummy cloud ended the stream"), "{why}");
    let victim = vms(&handle).await.remove(0);
    world.cloud.kill_node(&node(&victim), Death::Error);
    pass(seconds(5)).await;
    assert_eq!(handle.vm(victim.name.clone()).await.unwrap().unwrap().state, RecordState::Ready);
    pass(seconds(6)).await;
    assert_ne!(
        handle.vm(victim.name).await.unwrap().map(|vm| vm.state),
        Some(RecordState::Ready),
        "a listing saw it"
    );

    let Some(EventStream::Down { since: still, why }) = stream(&handle).await else { panic!() };
    assert_eq!(still, since);
    assert!(why.contains("was told to refuse"), "{why}");
    pass(seconds(300)).await;
    // After 1, 2, 4, 8, 16, 32 s, and then every minute.
    let opened = world.cloud.calls(Operation::Hints);
    assert!((10..=12).contains(&opened), "{opened}");
    pass(seconds(600)).await;
    assert!(is_up(&handle).await);
}

#[tokio::test(start_paused = true)]
async fn what_happened_while_the_stream_was_down_is_seen_when_it_is_up_again() {
    let world = world(true);
    let (_manager, handle) = calm(&world, 1).await;
    let victim = vms(&handle).await.remove(0);
    world.cloud.end_hints();
    pass(Duration::from_millis(1)).await;
    world.cloud.kill_node(&node(&victim), Death::Error);
    pass(Duration::from_millis(1100)).await;
    assert_ne!(handle.vm(victim.name).await.unwrap().map(|vm| vm.state), Some(RecordState::Ready));
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_has_no_stream_is_asked_for_it_once() {
    let world = world(true);
    world.cloud.fail_next(Operation::Hints, Fault::Refuse(FailureKind::Unsupported));
    let (_manager, handle) = calm(&world, 1).await;
    pass(seconds(3600)).await;
    assert!(matches!(stream(&handle).await, Some(EventStream::NotOffered { .. })));
    assert_eq!(world.cloud.calls(Operation::Hints), 1);
}

#[tokio::test(start_paused = true)]
async fn a_driver_that_hangs_or_panics_over_its_stream_is_asked_again_and_harms_nothing() {
    let world = world(true);
    world.driver.trick("hints", Trick::Hang);
    world.driver.trick("hints", Trick::Panic);
    let manager = world.start(1).await;
    let handle = manager.handle();
    until_ready(&handle, 1).await;
    assert_eq!(stream(&handle).await, Some(EventStream::Opening));
    while stream(&handle).await == Some(EventStream::Opening) {
        pass(Duration::from_millis(100)).await;
    }
    let Some(EventStream::Down { why, .. }) = stream(&handle).await else { panic!() };
    assert!(why.contains("no answer within"), "{why}");
    pass(seconds(30)).await;
    assert!(is_up(&handle).await);
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_is_told_to_be_silent_is_listened_to_no_more() {
    let world = world(true);
    let (_manager, handle) = calm(&world, 1).await;
    let silent = World::of(DummyConfig::default());
    let mut drivers = vmpool_manager::Drivers::new();
    drivers.insert(lab(), (prompt(), silent.driver.clone()));
    let pools = [(small(), pool(1))].into_iter().collect();
    handle.reconfigure(pools, drivers, Default::default()).await.unwrap();
    assert_eq!(stream(&handle).await, None);
}

#[tokio::test(start_paused = true)]
async fn hints_that_are_lost_late_doubled_false_and_broken_off_leave_a_pool_that_works() {
    let world = world(true);
    world.cloud.reconfigure(|config| {
        let faults = &mut config.faults;
        (faults.lost_hints, faults.late_hints, faults.doubled_hints) = (0.3, 0.3, 0.3);
        (faults.false_hints, faults.broken_hints, faults.death_rate) = (0.3, 0.1, 20.0);
    });
    let manager = world.start(5).await;
    let handle = manager.handle();
    let mut most = 0;
    for _ in 0..600 {
        pass(seconds(1)).await;
        most = most.max(ready(&handle).await);
        assert!(world.cloud.find_duplicate_tokens().is_empty());
    }
    assert_eq!(most, 5);
    world.cloud.reconfigure(|config| config.faults.death_rate = 0.0);
    pass(seconds(120)).await;
    until_ready(&handle, 5).await;
}
