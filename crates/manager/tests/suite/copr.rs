//! Cases and weaknesses of Copr's VmManager that show in a manager only; docs/compat-copr.md lists all.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use vmpool_manager::{
    ManagerError, SystemClock,
    model::{
        EventKind, Node, NodeView, PoolName, RecordState, Timestamp,
        config::{CheckConfig, HookConfig, ProviderConfig},
        states::NodeState,
    },
    store::Cursor,
};

use crate::{
    spy::Trick,
    world::{World, lab, pass, pool, request, seconds, small, until_ready, use_one},
};

#[tokio::test(start_paused = true)]
async fn c1_the_pools_are_exactly_those_of_the_configuration() {
    let world = World::new();
    let other: PoolName = "other".parse().unwrap();
    let manager = world.builder().pool(small(), pool(1)).pool(other.clone(), pool(1)).start().await.unwrap();
    let view = manager.handle().view().await.unwrap();
    let names: Vec<_> = view.pools.iter().map(|pool| &pool.pool.name).collect();
    assert_eq!(names, [&other, &small()]);
}

#[tokio::test(start_paused = true)]
async fn c25_the_vms_of_one_pool_and_all_vms_are_listed() {
    let world = World::new();
    let other: PoolName = "other".parse().unwrap();
    let builder = world.builder().pool(small(), pool(3)).pool(other.clone(), pool(2));
    let manager = builder.start().await.unwrap();
    let handle = manager.handle();
    until_ready(&handle, 5).await;
    let names = async |pool: Option<&PoolName>| -> BTreeSet<_> {
        let vms = handle.vms_in(pool.cloned(), &RecordState::ALL).await.unwrap();
        vms.into_iter().map(|vm| vm.name).collect()
    };
    let all: BTreeSet<_> = handle.view().await.unwrap().vms.iter().map(|vm| vm.name.clone()).collect();
    let (of_small, of_other) = (names(Some(&small())).await, names(Some(&other)).await);
    assert_eq!((of_small.len(), of_other.len()), (3, 2));
    assert_eq!(&of_small | &of_other, all);
    assert_eq!(names(None).await, all);
}

#[tokio::test(start_paused = true)]
async fn c28_each_start_of_the_daemon_is_written_with_its_time_and_the_last_one_counts() {
    let world = World::new();
    let mut starts = Vec::new();
    for day in 1..=5 {
        let at: Timestamp = format!("2026-02-0{day}T00:00:00Z").parse().unwrap();
        starts.push(at);
        let clock = Arc::new(SystemClock::anchored_at(at));
        let manager = world.builder().clock(clock).pool(small(), pool(1)).start().await.unwrap();
        let events = manager.handle().events(Cursor(0), 1000).await.unwrap().events;
        let started = events.iter().filter(|stored| stored.event.kind == EventKind::DaemonStarted);
        assert_eq!(started.map(|stored| stored.event.at).collect::<Vec<_>>(), starts);
        manager.handle().shutdown().await;
    }
}

#[tokio::test(start_paused = true)]
async fn c41_c70_whatever_breaks_the_loop_goes_on_until_it_is_told_to_stop() {
    let world = World::new();
    for call in ["create", "list", "destroy"] {
        world.driver.trick(call, Trick::Panic);
    }
    let mut manager = world.start(1).await;
    let handle = manager.handle();
    for id in ["r1", "r2", "r3"] {
        use_one(&handle, id).await;
        pass(seconds(120)).await;
    }
    until_ready(&handle, 1).await;
    assert!(!handle.is_stopped());
    handle.shutdown().await;
    assert!(manager.wait().await.is_ok() && handle.is_stopped());
    assert!(matches!(handle.acquire(request("r4")).await, Err(ManagerError::Stopped)));
}

#[tokio::test]
async fn c42_w5_a_shutdown_ends_the_commands_that_are_under_way() {
    let dir = tempfile::tempdir().unwrap();
    let pid = dir.path().join("pid");
    let script = format!("echo $$ > {0}.new && mv {0}.new {0}; exec sleep 600", pid.display());
    let mut config = pool(1);
    config.check = CheckConfig::Exec { command: vec!["sh".to_owned(), "-c".to_owned(), script] };
    let manager = World::new().builder().pool(small(), config).start().await.unwrap();
    let until = async |wanted: bool| {
        let is_there = || {
            let pid = std::fs::read_to_string(&pid).unwrap_or_default();
            !pid.is_empty() && std::path::Path::new("/proc").join(pid.trim()).exists()
        };
        let found = async {
            while is_there() != wanted {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(seconds(20), found).await.unwrap();
    };
    until(true).await;
    manager.handle().shutdown().await;
    drop(manager);
    until(false).await;
}

#[tokio::test(start_paused = true)]
async fn c59_all_that_a_wish_changes_is_one_commit() {
    let world = World::new();
    let manager = world.start(1).await;
    let handle = manager.handle();
    until_ready(&handle, 1).await;
    world.log.take();
    let vm = handle.acquire(request("r1")).await.unwrap().lease.vm;
    let log = world.log.take();
    let commits: Vec<_> = log.iter().filter(|line| line.contains(vm.as_str())).collect();
    let [commit] = commits.as_slice() else { panic!("{log:#?}") };
    for part in [format!("{vm}=in_use"), format!("lease of {vm}"), "request r1".to_owned()] {
        assert!(commit.contains(&part), "{part} is not in {commit}");
    }
}

#[tokio::test(start_paused = true)]
async fn c61_a_record_has_the_name_the_address_and_the_pool_of_what_its_provider_made() {
    let world = World::new();
    let manager = world.start(1).await;
    let handle = manager.handle();
    until_ready(&handle, 1).await;
    let view = handle.view().await.unwrap();
    let (vm, node) = (&view.vms[0], &world.cloud.nodes()[0]);
    assert_eq!((vm.name.as_str(), &vm.pool), (node.name.as_str(), &small()));
    let addresses: Vec<_> = node.public_ips.iter().chain(&node.private_ips).copied().collect();
    let seen = vm.node.as_ref().map(|seen| (&seen.id, &seen.addresses));
    assert_eq!(seen, Some((&node.id, &addresses)));
}

#[test]
fn c75_what_is_no_address_never_becomes_one() {
    let mut node = Node::new("i-1".parse().unwrap(), "n1", NodeState::Running);
    node.public_ips = vec![[10, 0, 0, 7].into()];
    let record = serde_json::to_string(&NodeView::from(&node)).unwrap();
    let node = |address: &str| serde_json::from_str::<NodeView>(&record.replace("10.0.0.7", address));
    assert!(node("10.0.0.8").is_ok() && node("fd00::7").is_ok());
    for text in ["foobar", "256.0.0.2", "not-an-ip", "example.com", ""] {
        assert!(node(text).is_err(), "{text:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn c79_c85_nobody_who_does_not_listen_delays_anything_and_all_can_be_read_later() {
    let world = World::new();
    let manager = world.start(1).await;
    let handle = manager.handle();
    // One listener goes away, and one never looks.
    drop(handle.watch_events());
    let _idle = handle.watch_events();
    for id in ["r1", "r2", "r3"] {
        use_one(&handle, id).await;
        until_ready(&handle, 1).await;
    }
    let events = handle.events(Cursor(0), 1000).await.unwrap().events;
    let count = |kind| events.iter().filter(|stored| stored.event.kind == kind).count();
    assert_eq!((count(EventKind::LeaseGranted), count(EventKind::LeaseReleased)), (3, 3));
    assert_eq!(count(EventKind::VmSpawning), 4);
}

#[tokio::test(start_paused = true)]
async fn w6_two_managers_on_one_store_make_no_vm_twice() {
    let world = World::new();
    world.driver.trick("create", Trick::Wait(5));
    let start = async || {
        // What the first one asked for may still happen when the second one takes over.
        let builder = world.builder().provider(lab(), ProviderConfig::new("dummy"), world.driver.clone());
        builder.pool(small(), pool(4)).start().await.unwrap()
    };
    let mut first = start().await;
    pass(seconds(1)).await;
    let second = start().await;
    until_ready(&second.handle(), 4).await;
    pass(seconds(120)).await;
    assert!(first.wait().await.is_err(), "it lost its domain");
    assert_eq!((world.cloud.nodes().len(), world.cloud.find_duplicate_tokens()), (4, vec![]));
}

#[tokio::test(start_paused = true)]
async fn c86_a_hook_after_the_end_whose_command_is_not_there_is_refused() {
    let mut config = pool(1);
    config.hooks.after_destroy = Some(HookConfig::new(vec!["no-such-command".to_owned()]));
    let err = World::new().builder().pool(small(), config).start().await.unwrap_err().to_string();
    assert!(err.starts_with("pools.small.hooks.after_destroy.command[0]: there is no command"), "{err}");
}

#[tokio::test(start_paused = true)]
async fn w2_of_eight_clients_at_once_one_gets_a_vm_at_a_limit_of_one() {
    let world = World::new();
    let mut config = pool(8);
    config.max_per_owner = Some(1);
    let manager = world.builder().pool(small(), config).start().await.unwrap();
    let handle = manager.handle();
    until_ready(&handle, 8).await;
    let clients: Vec<_> = (0..8)
        .map(|number| {
            let (handle, wish) = (handle.clone(), request(&format!("r{number}")).with_wait(Duration::ZERO));
            tokio::spawn(async move { handle.acquire(wish).await.is_ok() })
        })
        .collect();
    let mut given = 0;
    for client in clients {
        given += usize::from(client.await.unwrap());
    }
    assert_eq!((given, handle.view().await.unwrap().leases.len()), (1, 1));
}
