//! What no single pool or provider can tell: what they refer to.

use std::{borrow::Cow, collections::BTreeMap, fmt};

use super::{InvalidConfig, OfferConfig, PoolConfig, ProviderConfig, capacity::Capacity, validate::Misfits};
use crate::{PoolName, ProviderName};

/// Checks a whole configuration: every value, and what pools and providers refer to.
///
/// # Errors
///
/// The first of all [`misfits`].
///
/// ```
/// use std::collections::BTreeMap;
/// use vmpool_model::{PoolName, ProviderName, config::{PoolConfig, ProviderConfig, check_config}};
/// let (lab, lap) = (ProviderName::new("lab")?, ProviderName::new("lap")?);
/// let providers = BTreeMap::from([(lab, ProviderConfig::new("dummy"))]);
/// let pools = BTreeMap::from([(PoolName::new("small")?, PoolConfig::new(lap, "small", 2))]);
/// let misfit = check_config(&pools, &providers).unwrap_err();
/// assert_eq!(misfit.to_string(), "pools.small.provider: there is no provider lap; the providers are lab");
/// # Ok::<(), vmpool_model::InvalidName>(())
/// ```
pub fn check_config(
    pools: &BTreeMap<PoolName, PoolConfig>,
    providers: &BTreeMap<ProviderName, ProviderConfig>,
) -> Result<(), Misfit> {
    match misfits(pools, providers).into_iter().next() {
        Some(misfit) => Err(misfit),
        None => Ok(()),
    }
}

/// Returns everything that does not fit in a whole configuration: that of each provider, then that of each pool.
///
/// A cycle of fallbacks is told once, of the pool in it that comes first.
#[must_use]
pub fn misfits(
    pools: &BTreeMap<PoolName, PoolConfig>,
    providers: &BTreeMap<ProviderName, ProviderConfig>,
) -> Vec<Misfit> {
    let of_providers = providers.iter().flat_map(|(name, config)| {
        let table = ConfigTable::Provider(name.clone());
        config.misfits().into_iter().map(move |err| Misfit::new(table.clone(), err))
    });
    let of_pools = pools.iter().flat_map(|(name, config)| {
        let mut found = Misfits::default();
        refers(config, providers, &mut found);
        falls_back(name, pools, &mut found);
        // What cannot be had of an offer says nothing about how many can.
        let refers_well = found.0.is_empty();
        found.0.extend(config.misfits());
        if refers_well {
            fits(config, providers, &mut found);
        }
        found.0.into_iter().map(|err| Misfit::new(ConfigTable::Pool(name.clone()), err))
    });
    of_providers.chain(of_pools).collect()
}

/// Checks that the offers of a pool are of providers that there are and that can have such VMs.
fn refers(config: &PoolConfig, providers: &BTreeMap<ProviderName, ProviderConfig>, found: &mut Misfits) {
    for (index, offer) in config.offers().iter().enumerate() {
        let key = |key: &str| match config.offers.is_empty() {
            true => key.to_owned(),
            false => format!("offers[{index}].{key}"),
        };
        let OfferConfig { provider: name, needs, .. } = offer;
        let Some(provider) = providers.get(name) else {
            found.refuse(key("provider"), no_such("provider", name, providers.keys()));
            continue;
        };
        if provider.quota.get("vms") == Some(&0) {
            let why = format!("the quota of provider {name} has no room for any VM (vms = 0)");
            found.refuse(key("provider"), why);
        }
        for (resource, need) in needs.iter().filter(|(resource, _)| *resource != "vms") {
            let why = match provider.quota.get(resource) {
                Some(whole) if *whole < *need => {
                    format!("it is {need}, and the whole quota of provider {name} is {whole}")
                }
                // Where there is no quota at all, what VMs need is noted, and nothing depends on it.
                None if !provider.quota.is_empty() => {
                    let known: Vec<_> = provider.quota.keys().map(String::as_str).collect();
                    let known = known.join(", ");
                    format!(
                        "the quota of provider {name} does not name it, so nothing limits it; the quota names {known}"
                    )
                }
                _ => continue,
            };
            found.refuse(key(&format!("needs.{resource}")), why);
        }
    }
}

/// Checks that a pool can ever have what it is to keep.
fn fits(config: &PoolConfig, providers: &BTreeMap<ProviderName, ProviderConfig>, found: &mut Misfits) {
    let Some(capacity) = Capacity::of(config, providers) else { return };
    let kept = [("size".to_owned(), config.size), ("min_ready".to_owned(), config.min_ready)];
    let scheduled = config.schedule.iter().enumerate();
    let scheduled = scheduled.map(|(index, at)| (format!("schedule[{index}].min_ready"), at.min_ready));
    for (key, vms) in kept.into_iter().chain(scheduled) {
        if capacity.vms() < u64::from(vms) {
            found.refuse(key, format!("it is {vms}, and the pool can never have so many VMs: {capacity}"));
        }
    }
}

/// Checks that a pool's fallback exists and does not lead back to a pool on the way.
fn falls_back(name: &PoolName, pools: &BTreeMap<PoolName, PoolConfig>, found: &mut Misfits) {
    let next = |name: &PoolName| pools.get(name).and_then(|config| config.fallback.as_ref());
    let Some(first) = next(name) else { return };
    if !pools.contains_key(first) {
        return found.refuse("fallback", no_such("pool", first, pools.keys()));
    }
    let mut way = vec![name];
    let mut at = Some(first);
    while let Some(fallback) = at.filter(|fallback| *fallback != name) {
        // A cycle that this pool only leads to is told of a pool that is in it.
        if way.contains(&fallback) {
            return;
        }
        way.push(fallback);
        at = next(fallback);
    }
    // Each cycle is told of once.
    if at.is_none() || way.iter().any(|other| *other < name) {
        return;
    }
    let way: Vec<_> = way.into_iter().chain([name]).map(PoolName::as_str).collect();
    found.refuse("fallback", format!("it leads back to the pool: {}", way.join(" → ")));
}

fn no_such<'a, T: AsRef<str> + 'a>(what: &str, name: &T, known: impl Iterator<Item = &'a T>) -> String {
    let name = name.as_ref();
    match known.map(AsRef::as_ref).collect::<Vec<_>>().as_slice() {
        [] => format!("there is no {what} {name}: add a table [{what}s.{name}]"),
        known => format!("there is no {what} {name}; the {what}s are {}", known.join(", ")),
    }
}

/// Says where a configuration does not fit, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{table}.{key}: {reason}")]
#[non_exhaustive]
pub struct Misfit {
    /// Of which pool or provider.
    pub table: ConfigTable,
    /// The key there, such as `size` or `offers[1].provider`.
    pub key: Cow<'static, str>,
    /// Why it does not fit.
    pub reason: String,
}

impl Misfit {
    /// Tells what does not fit of which pool or provider it is.
    #[must_use]
    pub fn new(table: ConfigTable, err: InvalidConfig) -> Self {
        Self { table, key: err.key, reason: err.reason }
    }
}

/// A table of a configuration; its text is its path, such as `pools.small`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConfigTable {
    /// That of a provider.
    Provider(ProviderName),
    /// That of a pool.
    Pool(PoolName),
    /// What owners may have.
    Limits,
}

impl fmt::Display for ConfigTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Provider(name) => write!(f, "providers.{name}"),
            Self::Pool(name) => write!(f, "pools.{name}"),
            Self::Limits => f.write_str("limits"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn provider(name: &str) -> ProviderName {
        ProviderName::new(name).unwrap()
    }

    fn pool(name: &str) -> PoolName {
        PoolName::new(name).unwrap()
    }

    /// Returns what is told of pools with these fallbacks, at one provider.
    fn told(fallbacks: &[(&str, Option<&str>)]) -> Vec<String> {
        let providers = BTreeMap::from([(provider("lab"), ProviderConfig::new("dummy"))]);
        let pools = fallbacks.iter().map(|(name, fallback)| {
            let mut config = PoolConfig::new(provider("lab"), "small", 1);
            config.fallback = fallback.map(pool);
            (pool(name), config)
        });
        let told = misfits(&pools.collect(), &providers);
        told.into_iter().map(|misfit| misfit.to_string()).collect()
    }

    #[test]
    fn what_pools_fall_back_to_must_exist() {
        assert_eq!(told(&[("a", Some("b")), ("b", None)]), Vec::<String>::new());
        let missing = "pools.a.fallback: there is no pool c; the pools are a, b";
        assert_eq!(told(&[("a", Some("c")), ("b", None)]), [missing]);
    }

    #[test]
    fn a_cycle_of_fallbacks_is_told_once_with_its_way() {
        let way = "pools.a.fallback: it leads back to the pool: a → c → b → a";
        assert_eq!(told(&[("a", Some("c")), ("b", Some("a")), ("c", Some("b"))]), [way]);
        let own = "pools.a.fallback: it leads back to the pool: a → a";
        assert_eq!(told(&[("a", Some("a"))]), [own]);
    }

    #[test]
    fn whoever_only_leads_to_a_cycle_is_not_blamed() {
        let way = "pools.b.fallback: it leads back to the pool: b → c → b";
        assert_eq!(told(&[("a", Some("b")), ("b", Some("c")), ("c", Some("b")), ("d", Some("c"))]), [way]);
    }

    #[test]
    fn everything_is_told_providers_first() {
        let mut broken = ProviderConfig::new("dummy");
        (broken.burst, broken.breaker_failures) = (0, 0);
        let providers = BTreeMap::from([(provider("lab"), broken)]);
        let pools = BTreeMap::from([
            (pool("a"), PoolConfig::new(provider("lab"), "small", 0)),
            (pool("b"), PoolConfig::new(provider("lap"), "small", 0)),
        ]);
        let told = misfits(&pools, &providers);
        let keys = told.iter().map(|misfit| (misfit.table.to_string(), misfit.key.as_ref()));
        let expected = [
            ("providers.lab", "burst"),
            ("providers.lab", "breaker_failures"),
            ("pools.a", "size"),
            ("pools.b", "provider"),
            ("pools.b", "size"),
        ];
        assert_eq!(keys.collect::<Vec<_>>(), expected.map(|(table, key)| (table.to_owned(), key)));
        assert_eq!(check_config(&pools, &providers).unwrap_err(), told[0]);
        assert_eq!(check_config(&BTreeMap::new(), &BTreeMap::new()), Ok(()));
    }

    #[test]
    fn an_offer_that_needs_more_than_the_whole_quota_is_refused() {
        let refused = |quota: &str, cores: u64| {
            let mut lab = ProviderConfig::new("dummy");
            lab.quota.insert(quota.to_owned(), 8 * u64::from(quota == "cores"));
            let mut config = PoolConfig::new(provider("lab"), "small", 1);
            let mut offer = OfferConfig::new(provider("lab"), "small");
            offer.needs.insert("cores".to_owned(), cores);
            (config.provider, config.template, config.offers) = (None, None, vec![offer]);
            let pools = BTreeMap::from([(pool("a"), config)]);
            let err = check_config(&pools, &BTreeMap::from([(provider("lab"), lab)])).err();
            err.map(|misfit| misfit.to_string())
        };
        assert_eq!(refused("cores", 8), None);
        let why = "pools.a.offers[0].needs.cores: it is 9, and the whole quota of provider lab is 8";
        assert_eq!(refused("cores", 9).as_deref(), Some(why));
        let why = "pools.a.offers[0].provider: the quota of provider lab has no room for any VM (vms = 0)";
        assert_eq!(refused("vms", 1).as_deref(), Some(why));
    }

    #[test]
    fn what_a_quota_does_not_name_cannot_be_needed_of_it() {
        let told = |quota: &str| {
            let mut lab = ProviderConfig::new("dummy");
            lab.quota = serde_json::from_str(quota).unwrap();
            let config =
                r#"{"size": 1, "offers": [{"provider": "lab", "template": "a", "needs": {"core": 2}}]}"#;
            let pools = BTreeMap::from([(pool("a"), serde_json::from_str(config).unwrap())]);
            check_config(&pools, &BTreeMap::from([(provider("lab"), lab)])).err()
        };
        let why = "pools.a.offers[0].needs.core: the quota of provider lab does not name it, so nothing limits it; \
                   the quota names cores, vms";
        assert_eq!(told(r#"{"cores": 8, "vms": 3}"#).unwrap().to_string(), why);
        assert_eq!(told("{}"), None, "nothing limits anything there");
        assert_eq!(told(r#"{"core": 2}"#), None);
    }

    #[test]
    fn what_a_pool_keeps_must_fit_into_the_quotas_of_its_offers() {
        let told = |pool_json: &str| {
            let mut lab = ProviderConfig::new("dummy");
            lab.quota.insert("vms".to_owned(), 4);
            let pools = BTreeMap::from([(pool("a"), serde_json::from_str(pool_json).unwrap())]);
            let found = misfits(&pools, &BTreeMap::from([(provider("lab"), lab)]));
            found.into_iter().map(|misfit| misfit.to_string()).collect::<Vec<_>>()
        };
        let why = "and the pool can never have so many VMs: at most 4 at lab by its quota of vms (4)";
        let pool = r#"{"provider": "lab", "template": "a", "size": 5, "min_ready": 6, "max_total": 9,
            "schedule": [{"from": "08:00", "to": "18:00", "min_ready": 7}]}"#;
        let wanted = ["size: it is 5", "min_ready: it is 6", "schedule[0].min_ready: it is 7"];
        assert_eq!(told(pool), wanted.map(|what| format!("pools.a.{what}, {why}")));
        let pool = r#"{"provider": "lab", "template": "a", "size": 5, "max_total": 9, "max_uses": 0}"#;
        assert_eq!(told(pool).len(), 2, "whatever else is wrong");
        // What may be had at most may be more: other pools have a part, and quotas change.
        let pool = r#"{"provider": "lab", "template": "a", "size": 4, "min_ready": 4, "max_total": 9}"#;
        assert_eq!(told(pool), [""; 0]);
        let pool = r#"{"size": 3, "offers": [{"provider": "lab", "template": "a", "max_total": 2}]}"#;
        let why = "pools.a.size: it is 3, and the pool can never have so many VMs: at most 2 at lab by max_total of its offers";
        assert_eq!(told(pool), [why]);
    }
}
