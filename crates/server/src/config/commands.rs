//! Whether checks and hooks can be carried out on this host: their commands must be there.

use vmpool::{
    manager::{Checker as _, CommandHooks, HookRunner as _, NetworkChecker},
    model::config::{CheckConfig, HookKind, PoolConfig},
};

use super::{Config, error::ConfigProblem, place::Places};

/// Returns everything that cannot be carried out, in the order of the pools.
pub(super) fn problems(config: &Config, places: &Places<'_>) -> Vec<ConfigProblem> {
    let pools = config.pools.iter();
    let found = pools.flat_map(|(name, pool)| {
        of_pool(pool).into_iter().map(move |(key, reason)| (format!("pools.{name}.{key}"), reason))
    });
    found.map(|(path, reason)| places.value_of(&path).problem(reason)).collect()
}

/// Returns the keys of a pool that do not fit, and why; an empty command is refused without looking at the host.
fn of_pool(pool: &PoolConfig) -> Vec<(String, String)> {
    let is_there = |command: &[String]| command.first().is_some_and(|program| !program.is_empty());
    let hooks = [
        (HookKind::AfterBoot, &pool.hooks.after_boot),
        (HookKind::BeforeRelease, &pool.hooks.before_release),
        (HookKind::AfterDestroy, &pool.hooks.after_destroy),
    ];
    let hooks = hooks.into_iter().filter_map(|(kind, hook)| {
        let hook = hook.as_ref().filter(|hook| is_there(&hook.command))?;
        Some((format!("hooks.{kind}.command[0]"), CommandHooks::new().validate(hook).err()?))
    });
    let check = match &pool.check {
        CheckConfig::Exec { command } if !is_there(command) => None,
        check => NetworkChecker::new().validate(check).err(),
    };
    let check = check.map(|err| (format!("check.{}", err.key), err.reason));
    hooks.chain(check).collect()
}
