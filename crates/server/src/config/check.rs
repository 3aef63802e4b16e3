//! What no single value of a configuration can tell: drivers, their options, and what pools refer to.

use vmpool::{
    driver::{OpenError, Registry},
    model::{
        ProviderName,
        config::{ConfigTable, Misfit, ProviderConfig, misfits},
    },
};

use crate::words;

use super::{Config, error::ConfigProblem, place::Places};

/// Returns everything that does not fit, in the order of the text's tables.
pub(super) fn problems(config: &Config, places: &Places<'_>, registry: &Registry) -> Vec<ConfigProblem> {
    let limits = config.limits.validate().err().map(|err| Misfit::new(ConfigTable::Limits, err));
    let misfits = misfits(&config.pools, &config.providers);
    let (of_providers, of_pools): (Vec<_>, Vec<_>) =
        misfits.into_iter().partition(|misfit| matches!(misfit.table, ConfigTable::Provider(_)));
    let has_misfit = |provider: &ProviderName| {
        of_providers.iter().any(|misfit| misfit.table == ConfigTable::Provider(provider.clone()))
    };
    // A provider tells one thing at a time.
    let drivers = config.providers.iter().filter(|(name, _)| !has_misfit(name));
    let drivers = drivers.filter_map(|(name, provider)| check_driver(name, provider, places, registry));
    let drivers: Vec<_> = drivers.collect();
    let told = |misfit: &Misfit| problem(misfit, places);
    let limits = limits.iter().map(told);
    let providers = of_providers.iter().map(told).chain(drivers);
    limits.chain(providers).chain(of_pools.iter().map(told)).collect()
}

fn check_driver(
    name: &ProviderName,
    provider: &ProviderConfig,
    places: &Places<'_>,
    registry: &Registry,
) -> Option<ConfigProblem> {
    let path = format!("providers.{name}");
    let checked = registry.get(&provider.driver).and_then(|factory| factory.check(&provider.options));
    let err = checked.err()?;
    Some(match err {
        OpenError::Options { place, reason } if place == "." => {
            places.name_of(&format!("{path}.options")).problem(words::plain(&reason, words::TABLE))
        }
        OpenError::Options { place, reason } => {
            places.name_of(&format!("{path}.options.{place}")).problem(words::plain(&reason, words::TABLE))
        }
        err => places.value_of(&format!("{path}.driver")).problem(err.to_string()),
    })
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
