//! What does not fit in a configuration is refused at the earliest moment, and changes nothing.

use std::collections::BTreeMap;

use vmpool_manager::{
    Drivers, Manager, ManagerError, Refusal,
    model::{
        InstallationId, PoolName,
        config::{CheckConfig, HookConfig, LimitsConfig, PoolConfig, SshCheck},
    },
    store::Store,
};

use crate::world::{World, lab, pool, prompt, small, until_ready};

#[tokio::test(start_paused = true)]
async fn a_pool_of_an_unknown_provider_is_refused_with_the_known_ones() {
    let world = World::new();
    let mut config = pool(1);
    config.provider = Some("lap".parse().unwrap());
    let err = world.builder().pool(small(), config).start().await.unwrap_err();
    assert_eq!(err.to_string(), "pools.small.provider: there is no provider lap; the providers are lab");
}

#[tokio::test(start_paused = true)]
async fn a_pool_whose_configuration_does_not_fit_is_refused_by_name() {
    let world = World::new();
    let mut config = pool(1);
    config.max_starting = 0;
    let err = world.builder().pool(small(), config).start().await.unwrap_err();
    assert!(err.to_string().starts_with("pools.small.max_starting: "), "{err}");
}

/// Returns why a manager with one pool does not start.
async fn refused(world: &World, config: PoolConfig) -> String {
    world.builder().pool(small(), config).start().await.unwrap_err().to_string()
}

#[tokio::test(start_paused = true)]
async fn a_driver_that_cannot_mark_nodes_is_refused() {
    let world = World::new();
    world.driver.deny_tokens();
    let why = refused(&world, pool(1)).await;
    let expected = "pools.small.provider: the driver dummy of provider lab cannot put a token on a node";
    assert!(why.starts_with(expected), "{why}");
}

#[tokio::test(start_paused = true)]
async fn c82_a_hook_whose_command_is_not_there_is_refused() {
    let mut config = pool(1);
    config.hooks.before_release = Some(HookConfig::new(vec!["/no/such/hook".to_owned()]));
    let why = refused(&World::new(), config).await;
    let expected = "pools.small.hooks.before_release.command[0]: there is no command /no/such/hook";
    assert!(why.starts_with(expected), "{why}");
}

#[tokio::test(start_paused = true)]
async fn a_check_that_can_never_be_made_is_refused() {
    let mut config = pool(1);
    config.check = CheckConfig::Exec { command: vec!["no-such-command".to_owned()] };
    let why = refused(&World::new(), config).await;
    assert!(why.starts_with("pools.small.check.command[0]: there is no command"), "{why}");

    let mut check = SshCheck::default();
    check.identity = Some("/no/such/key".into());
    let mut config = pool(1);
    config.check = CheckConfig::Ssh(check);
    let checker = vmpool_manager::NetworkChecker::new().with_ssh_program("/bin/sh");
    let builder = World::new().builder().checker(std::sync::Arc::new(checker));
    let why = builder.pool(small(), config).start().await.unwrap_err().to_string();
    assert!(why.starts_with("pools.small.check.identity: the private key cannot be read"), "{why}");
}

#[tokio::test(start_paused = true)]
async fn limits_that_do_not_fit_are_refused() {
    let limits: LimitsConfig = serde_json::from_str(r#"{"owners": {"ann": {"weight": 0}}}"#).unwrap();
    let err = World::new().builder().limits(limits).start().await.unwrap_err();
    assert!(err.to_string().starts_with("limits.owners.ann.weight: "), "{err}");
}

#[tokio::test(start_paused = true)]
async fn whoever_is_refused_does_not_take_the_domain_from_who_runs_it() {
    let world = World::new();
    let manager = world.start(1).await;
    let handle = manager.handle();
    until_ready(&handle, 1).await;
    let mut broken = pool(1);
    broken.max_starting = 0;
    world.builder().pool(small(), broken).start().await.unwrap_err();
    let installation = InstallationId::new("another").unwrap();
    world.builder().installation(installation).start().await.unwrap_err();
    // A manager whose domain was claimed would be told so by its next commit.
    crate::world::use_one(&handle, "r1").await;
}

async fn present(manager: &Manager) -> (BTreeMap<PoolName, PoolConfig>, Drivers) {
    let drivers = manager.handle().drivers().await.unwrap();
    ([(small(), pool(1))].into(), drivers)
}

#[tokio::test(start_paused = true)]
async fn f14_a_new_configuration_that_does_not_fit_changes_nothing_and_says_why() {
    let world = World::new();
    let manager = world.start(1).await;
    let handle = manager.handle();
    until_ready(&handle, 1).await;
    let before = handle.view().await.unwrap();
    let revision = world.memory.load(&"default".parse().unwrap()).await.unwrap().revision;

    let (mut pools, drivers) = present(&manager).await;
    pools.insert("big".parse().unwrap(), pool(0));
    let err = handle.reconfigure(pools, drivers, LimitsConfig::default()).await.unwrap_err();
    let ManagerError::Refused(Refusal::InvalidConfig(misfit)) = err else { panic!("{err:?}") };
    assert!(misfit.to_string().starts_with("pools.big.size: "), "{misfit}");

    let (mut pools, drivers) = present(&manager).await;
    let hook = HookConfig::new(vec!["/no/such/hook".to_owned()]);
    pools.get_mut(&small()).unwrap().hooks.after_boot = Some(hook);
    let err = handle.reconfigure(pools, drivers, LimitsConfig::default()).await.unwrap_err();
    assert!(err.to_string().contains("pools.small.hooks.after_boot.command[0]: "), "{err}");

    assert_eq!(handle.view().await.unwrap(), before);
    assert_eq!(world.memory.load(&"default".parse().unwrap()).await.unwrap().revision, revision);
}

#[tokio::test(start_paused = true)]
async fn the_drivers_there_are_can_be_taken_over() {
    let world = World::new();
    let manager = world.start(1).await;
    let drivers = manager.handle().drivers().await.unwrap();
    let (config, driver) = &drivers[&lab()];
    assert_eq!((config, driver.info().name), (&prompt(), "dummy"));
}
