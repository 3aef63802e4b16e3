//! What no single value of a configuration can tell: drivers, their options, and what pools refer to.

use vmpool::{
    driver::{OpenError, Registry},
    model::{
        ProviderName,
        config::{PoolConfig, ProviderConfig},
    },
};

use crate::words;

use super::{Config, error::ConfigProblem, place::Places};

/// Returns everything that does not fit, in the order of the text's tables.
pub(super) fn problems(config: &Config, places: &Places<'_>, registry: &Registry) -> Vec<ConfigProblem> {
    let providers = config.providers.iter().filter_map(|(name, provider)| {
        check_provider(&format!("providers.{name}"), provider, places, registry)
    });
    let known: Vec<&ProviderName> = config.providers.keys().collect();
    let pools = config
        .pools
        .iter()
        .filter_map(|(name, pool)| check_pool(&format!("pools.{name}"), pool, &known, places));
    providers.chain(pools).collect()
}

fn check_provider(
    path: &str,
    provider: &ProviderConfig,
    places: &Places<'_>,
    registry: &Registry,
) -> Option<ConfigProblem> {
    if let Err(err) = provider.validate() {
        return Some(places.name_of(&format!("{path}.{}", err.key)).problem(err.reason));
    }
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

fn check_pool(
    path: &str,
    pool: &PoolConfig,
    known: &[&ProviderName],
    places: &Places<'_>,
) -> Option<ConfigProblem> {
    if !known.contains(&&pool.provider) {
        let reason = match known {
            [] => format!("there is no provider {}: add a table [providers.{0}]", pool.provider),
            known => {
                let known: Vec<&str> = known.iter().map(|name| name.as_str()).collect();
                format!("there is no provider {}; the providers are {}", pool.provider, known.join(", "))
            }
        };
        return Some(places.value_of(&format!("{path}.provider")).problem(reason));
    }
    let err = pool.validate().err()?;
    Some(places.name_of(&format!("{path}.{}", err.key)).problem(err.reason))
}
