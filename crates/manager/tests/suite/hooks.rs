//! Hooks as the manager runs them.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use tokio::time::Instant;
use vmpool_manager::{
    CheckReport, CheckTarget, Checker, HookRun, HookRunner,
    model::{
        RecordState, VmName,
        config::{CheckConfig, HookConfig, HookKind, OnRelease},
    },
};

use crate::world::{World, lab, pass, pool, prompt, ready, request, seconds, small, until_ready};

/// Notes which hooks are run; those of pool `stuck` never end, and those whose command is `false` fail.
#[derive(Debug, Default)]
struct Notes(Mutex<Vec<(HookKind, VmName, Option<String>)>>);

#[async_trait]
impl HookRunner for Notes {
    async fn run(&self, run: &HookRun) -> Result<(), String> {
        let task = run.lease.as_ref().and_then(|lease| lease.task.clone()).map(|task| task.to_string());
        self.0.lock().unwrap().push((run.kind, run.vm.name.clone(), task));
        match (run.vm.pool.as_str(), run.hook.command[0].as_str()) {
            ("stuck", _) => std::future::pending().await,
            (_, "false") => Err("it was told to fail".to_owned()),
            _ => Ok(()),
        }
    }
}

fn hook(command: &str) -> Option<HookConfig> {
    Some(HookConfig::new(vec![command.to_owned()]))
}

#[tokio::test(start_paused = true)]
async fn each_turn_of_a_vms_life_has_its_hook_and_the_one_after_a_lease_knows_the_lease() {
    let world = World::new();
    let notes = Arc::new(Notes::default());
    let mut config = pool(1);
    (config.hooks.after_boot, config.hooks.before_release) = (hook("true"), hook("true"));
    config.hooks.after_destroy = hook("true");
    config.on_release = OnRelease::Clean;
    let manager = world.builder().hooks(notes.clone()).pool(small(), config).start().await.unwrap();
    let handle = manager.handle();
    let task = Some("build-7".parse().unwrap());
    let grant = handle.acquire(request("r1").with_task(task)).await.unwrap();
    let vm = grant.lease.vm.clone();
    handle.release(grant.lease.id).await.unwrap();
    until_ready(&handle, 1).await;
    handle.terminate(vm.clone(), "it is old").await.unwrap();
    pass(seconds(60)).await;
    let notes = notes.0.lock().unwrap();
    let of_vm: Vec<_> = notes
        .iter()
        .filter(|(_, name, _)| *name == vm)
        .map(|(kind, _, task)| (*kind, task.as_deref()))
        .collect();
    let expected = [
        (HookKind::AfterBoot, None),
        (HookKind::BeforeRelease, Some("build-7")),
        (HookKind::AfterDestroy, None),
    ];
    assert_eq!(of_vm, expected);
}

#[tokio::test(start_paused = true)]
async fn a_vm_whose_hook_after_boot_fails_is_never_given() {
    let world = World::new();
    let mut config = pool(1);
    config.hooks.after_boot = hook("false");
    let builder = world.builder().hooks(Arc::new(Notes::default())).pool(small(), config);
    let manager = builder.start().await.unwrap();
    let wanted = request("r1").with_wait(seconds(60));
    manager.handle().acquire(wanted).await.unwrap_err();
    assert_eq!(ready(&manager.handle()).await, 0);
}

/// Passes every check, and notes when which VM is checked.
#[derive(Debug, Default)]
struct Times(Mutex<BTreeMap<VmName, Vec<Instant>>>);

#[async_trait]
impl Checker for Times {
    async fn check(&self, target: &CheckTarget) -> Result<CheckReport, String> {
        self.0.lock().unwrap().entry(target.vm.clone()).or_default().push(Instant::now());
        Ok(CheckReport::default())
    }
}

#[tokio::test(start_paused = true)]
async fn f15_a_hundred_hooks_that_hang_leave_the_checks_of_others_their_period() {
    let world = World::new();
    let (times, notes) = (Arc::new(Times::default()), Arc::new(Notes::default()));
    let mut provider = prompt();
    provider.max_concurrent = 1000;
    let mut stuck = pool(100);
    stuck.hooks.after_boot = hook("true");
    (stuck.max_starting, stuck.max_hooks) = (100, 100);
    let mut config = pool(10);
    config.check = CheckConfig::Tcp { port: 22 };
    config.check_interval = seconds(60);
    let builder = world.builder().checker(times.clone()).hooks(notes.clone());
    let builder = builder.provider(lab(), provider, world.driver.clone()).pool(small(), config);
    let manager = builder.pool("stuck".parse().unwrap(), stuck).start().await.unwrap();
    pass(seconds(280)).await;
    let view = manager.handle().view().await.unwrap();
    assert_eq!(view.vms_in(Some(&small()), &[RecordState::Ready]).count(), 10);
    assert_eq!(notes.0.lock().unwrap().len(), 100, "all of them hang");
    for (vm, times) in &*times.0.lock().unwrap() {
        assert!(4 <= times.len(), "{vm}: {times:?}");
        for pair in times.windows(2) {
            let period = pair[1] - pair[0];
            let allowed = Duration::from_secs(54)..=Duration::from_secs(66);
            assert!(allowed.contains(&period), "{vm}: {period:?}");
        }
    }
}
