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
    for (index, offer) in pool.offers().iter().enumerate() {
        if !known.contains(&&offer.provider) {
            let key = match pool.offers.is_empty() {
                true => "provider".to_owned(),
                false => format!("offers[{index}].provider"),
            };
            return Some(places.value_of(&format!("{path}.{key}")).problem(unknown(&offer.provider, known)));
        }
    }
    let err = pool.validate().err()?;
    Some(places.name_of(&format!("{path}.{}", err.key)).problem(err.reason))
}

fn unknown(provider: &ProviderName, known: &[&ProviderName]) -> String {
    match known {
        [] => format!("there is no provider {provider}: add a table [providers.{provider}]"),
        known => {
            let known: Vec<&str> = known.iter().map(|name| name.as_str()).collect();
            format!("there is no provider {provider}; the providers are {}", known.join(", "))
        }
    }
}
