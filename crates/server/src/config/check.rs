//! What no single value of a configuration can tell: drivers, their options, and what pools refer to.

use vmpool::{
    driver::{OpenError, Registry},
    model::{
        ProviderName,
        config::{ConfigTable, DriverOptions, Misfit, ProviderConfig, misfits},
    },
};

use crate::words;

use super::{Config, error::ConfigProblem, guess::with_guess, place::Places};

/// The drivers that a program may have been built without.
const FEATURES: [&str; 2] = ["cloudapi", "opennebula"];

/// How many options of a driver are told at most.
const MOST: usize = 20;

/// Returns everything that does not fit, in the order of the text's tables.
pub(super) fn problems(config: &Config, places: &Places<'_>, registry: &Registry) -> Vec<ConfigProblem> {
    let limits = config.limits.misfits().into_iter().map(|err| Misfit::new(ConfigTable::Limits, err));
    let misfits = misfits(&config.pools, &config.providers);
    let (of_providers, of_pools): (Vec<_>, Vec<_>) =
        misfits.into_iter().partition(|misfit| matches!(misfit.table, ConfigTable::Provider(_)));
    let told = |misfit: Misfit| problem(&misfit, places);
    let drivers = config.providers.iter();
    let drivers = drivers.flat_map(|(name, provider)| check_driver(name, provider, places, registry));
    let providers = of_providers.into_iter().map(told).chain(drivers);
    limits.map(told).chain(providers).chain(of_pools.into_iter().map(told)).collect()
}

/// Checks the options of a driver; what it cannot use is taken out and the rest checked again, because it tells one thing at
/// a time.
fn check_driver(
    name: &ProviderName,
    provider: &ProviderConfig,
    places: &Places<'_>,
    registry: &Registry,
) -> Vec<ConfigProblem> {
    let path = format!("providers.{name}");
    let mut options = provider.options.clone();
    let mut problems = Vec::new();
    while problems.len() < MOST {
        let checked = registry.get(&provider.driver).and_then(|factory| factory.check(&options));
        let Err(err) = checked else { break };
        match err {
            // What is missing may be what was taken out.
            OpenError::Options { reason, .. }
                if !problems.is_empty() && reason.starts_with("missing field") =>
            {
                break;
            }
            OpenError::Options { place, reason } => {
                let key = match place.as_str() {
                    "." => format!("{path}.options"),
                    place => format!("{path}.options.{place}"),
                };
                problems.push(places.name_of(&key).problem(with_guess(&words::plain(&reason, words::TABLE))));
                if !take_out(&mut options, &place) {
                    break;
                }
            }
            err => {
                let built = FEATURES.contains(&provider.driver.as_str()).then(|| {
                    format!(
                        ": this program was built without it, build it with the feature {}",
                        provider.driver
                    )
                });
                let reason = format!("{err}{}", built.unwrap_or_default());
                problems.push(places.value_of(&format!("{path}.driver")).problem(reason));
                break;
            }
        }
    }
    problems
}

/// Takes an option out by its place; returns whether there is one.
fn take_out(DriverOptions(options): &mut DriverOptions, place: &str) -> bool {
    let (tables, last) = place.rsplit_once('.').unwrap_or(("", place));
    let tables = tables.split('.').filter(|table| !table.is_empty());
    let mut at = Some(options);
    for table in tables {
        at = at.and_then(|options| options.get_mut(table)?.as_object_mut());
    }
    at.is_some_and(|options| options.remove(last).is_some())
}

/// Finds the place of what does not fit: the name of the key, or the value if that names something that is not there.
fn problem(misfit: &Misfit, places: &Places<'_>) -> ConfigProblem {
    let path = format!("{}.{}", misfit.table, misfit.key);
    let refers = ["provider", "fallback"].iter().any(|key| path.rsplit('.').next() == Some(key));
    match refers {
        true => places.value_of(&path).problem(&misfit.reason),
        false => places.name_of(&path).problem(&misfit.reason),
    }
}
