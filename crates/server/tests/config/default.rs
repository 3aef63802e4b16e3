//! The default configuration shows every key.

use std::collections::BTreeSet;

use serde::de::DeserializeOwned;
use serde_json::json;
use toml::Table;
use vmpool::model::{
    ProviderName,
    config::{
        CheckConfig, DemandConfig, HookConfig, HooksConfig, LimitsConfig, OfferConfig, OwnerLimits,
        PoolConfig, ProviderConfig, ScheduleConfig, SshCheck,
    },
};
use vmpool_server::{Config, DEFAULT_CONFIG, DaemonConfig};

use crate::parse;

/// The default configuration with everything set that it only mentions.
fn with_all_set() -> String {
    let lines = DEFAULT_CONFIG.lines().map(|line| match line.strip_prefix('#') {
        Some(key) if !key.starts_with(' ') => key,
        _ => line,
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Returns all keys of a type, as its parser tells them when it is given one that is not there.
fn keys_of<T: DeserializeOwned>() -> BTreeSet<String> {
    let Err(err) = serde_json::from_value::<T>(json!({"no such key": 0})) else { unreachable!() };
    let err = err.to_string();
    let (_, keys) = err.split_once(", expected ").unwrap();
    keys.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

#[track_caller]
fn shows<T: DeserializeOwned>(table: &toml::Value, but: &[&str]) {
    let shown: BTreeSet<_> = table.as_table().unwrap().keys().cloned().collect();
    let mut wanted = keys_of::<T>();
    wanted.retain(|key| !but.contains(&key.as_str()));
    assert_eq!(shown, wanted);
}

#[test]
fn what_it_sets_is_the_default() {
    let config = parse(DEFAULT_CONFIG).unwrap();
    assert_eq!(config.daemon, DaemonConfig::default());
    assert_eq!(config.limits, LimitsConfig::default());

    let mut provider = ProviderConfig::new("dummy");
    provider.options = config.providers["lab"].options.clone();
    assert_eq!(config.providers["lab"], provider);
    assert_eq!(config.pools["small"], PoolConfig::new(ProviderName::new("lab").unwrap(), "small", 2));
}

#[test]
fn every_key_is_set_or_can_be_set_by_taking_its_mark_away() {
    let text = with_all_set();
    parse(&text).unwrap();

    let table: Table = text.parse().unwrap();
    assert_eq!(table.keys().cloned().collect::<BTreeSet<_>>(), keys_of::<Config>());
    shows::<DaemonConfig>(&table["daemon"], &[]);
    shows::<LimitsConfig>(&table["limits"], &[]);
    shows::<OwnerLimits>(&table["limits"]["owners"]["release"], &[]);
    shows::<ProviderConfig>(&table["providers"]["lab"], &[]);
    let (small, big) = (&table["pools"]["small"], &table["pools"]["big"]);
    shows::<PoolConfig>(small, &["offers"]);
    shows::<HooksConfig>(&small["hooks"], &[]);
    shows::<HookConfig>(&small["hooks"]["before_release"], &[]);
    shows::<DemandConfig>(&small["demand"], &[]);
    shows::<ScheduleConfig>(&small["schedule"][0], &[]);
    shows::<OfferConfig>(&big["offers"][0], &[]);
    let mut check = big["check"].clone();
    assert_eq!(check.as_table_mut().unwrap().remove("kind"), Some("ssh".into()));
    shows::<SshCheck>(&check, &[]);
}

#[test]
fn what_it_only_mentions_is_the_default_where_it_says_so() {
    let config = parse(&with_all_set()).unwrap();
    let small = &config.pools["small"];
    let mut demand = DemandConfig::default();
    demand.max_ready = Some(2);
    assert_eq!(small.demand, Some(demand));
    let hook = small.hooks.before_release.clone().unwrap();
    assert_eq!(hook, HookConfig::new(hook.command.clone()));
    let provider = &config.providers["lab"];
    assert_eq!(provider.create_settle, Some(provider.request_timeout));
    assert_eq!(provider.max_creating, Some(provider.max_concurrent));
    let mut ssh = SshCheck::default();
    (ssh.user, ssh.identity) = (Some("root".to_owned()), Some("/dev/null".into()));
    assert_eq!(config.pools["big"].check, CheckConfig::Ssh(ssh));
}

#[test]
fn every_kind_of_check_is_shown() {
    let Err(err) = serde_json::from_value::<CheckConfig>(json!({"kind": "?"})) else { unreachable!() };
    let kinds = err.to_string();
    for kind in kinds.split('`').skip(3).step_by(2) {
        assert!(DEFAULT_CONFIG.contains(&format!("{{ kind = \"{kind}\"")), "{kind}");
    }
}
