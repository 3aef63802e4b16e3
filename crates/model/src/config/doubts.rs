//! What fits but is hardly meant.

use std::collections::BTreeMap;

use super::{
    ConfigTable, InvalidConfig, LimitsConfig, Misfit, OfferConfig, OnExpiry, PoolConfig, ProviderConfig,
};
use crate::{PoolName, ProviderName};

/// Returns what is allowed but says nothing, or more than there can be at once: that of each pool, then that of each
/// provider, then that of the owners.
///
/// ```
/// use std::collections::BTreeMap;
/// use vmpool_model::{PoolName, ProviderName, config::{LimitsConfig, PoolConfig, ProviderConfig, doubts}};
/// let mut lab = ProviderConfig::new("dummy");
/// lab.quota.insert("vms".to_owned(), 3);
/// let pools = ["a", "b"].map(|pool| (pool.parse().unwrap(), PoolConfig::new("lab".parse().unwrap(), "small", 2)));
/// let providers = BTreeMap::from([("lab".parse()?, lab)]);
/// let doubts = doubts(&BTreeMap::from(pools), &providers, &LimitsConfig::default());
/// assert_eq!(doubts[0].to_string(), "providers.lab.quota.vms: it is 3, and the pools a, b together are to keep 4 there");
/// # Ok::<(), vmpool_model::InvalidName>(())
/// ```
#[must_use]
pub fn doubts(
    pools: &BTreeMap<PoolName, PoolConfig>,
    providers: &BTreeMap<ProviderName, ProviderConfig>,
    limits: &LimitsConfig,
) -> Vec<Misfit> {
    let of_pools = pools.iter().flat_map(|(name, config)| {
        let doubts = says_nothing(config).into_iter().chain(no_quota(config, providers));
        let doubts = doubts.chain(limits.never_reached_in(config));
        doubts.map(|doubt| Misfit::new(ConfigTable::Pool(name.clone()), doubt))
    });
    let of_providers = providers.iter().flat_map(|(name, config)| {
        let doubts =
            config.quota.iter().filter_map(|(resource, most)| too_little(name, resource, *most, pools));
        let doubts = unused(name, pools).into_iter().chain(creates_less(config)).chain(doubts);
        doubts.map(|doubt| Misfit::new(ConfigTable::Provider(name.clone()), doubt)).collect::<Vec<_>>()
    });
    let of_owners = limits.never_reached().into_iter();
    let of_owners = of_owners.map(|doubt| Misfit::new(ConfigTable::Limits, doubt));
    of_pools.chain(of_providers).chain(of_owners).collect()
}

/// Finds out whether no pool makes VMs at a provider: it is listed all the same.
fn unused(name: &ProviderName, pools: &BTreeMap<PoolName, PoolConfig>) -> Option<InvalidConfig> {
    let uses = |config: &PoolConfig| config.offers().iter().any(|offer| offer.provider == *name);
    let reason = "no pool has an offer of this provider, so nothing is made there; it is listed all the same";
    (!pools.values().any(uses)).then(|| InvalidConfig { key: "driver".into(), reason: reason.to_owned() })
}

/// Finds what allows more creates at once than there may be requests.
fn creates_less(config: &ProviderConfig) -> Option<InvalidConfig> {
    let most = config.max_concurrent;
    let max_creating = config.max_creating.filter(|creating| most < *creating)?;
    let reason = format!(
        "it is {max_creating}, and no more than {most} requests are under way at once (max_concurrent)"
    );
    Some(InvalidConfig { key: "max_creating".into(), reason })
}

/// Finds what keeps no VM ready that is not kept ready anyway, and what holds none.
fn says_nothing(config: &PoolConfig) -> Vec<InvalidConfig> {
    let min_ready = config.min_ready;
    let demand = config.demand.as_ref().and_then(|demand| demand.max_ready);
    let demand = demand.map(|most| ("demand.max_ready".to_owned(), most));
    let schedule = config.schedule.iter().enumerate();
    let schedule = schedule.map(|(index, at)| (format!("schedule[{index}].min_ready"), at.min_ready));
    let too_few = demand.into_iter().chain(schedule).filter(|(_, vms)| *vms <= min_ready);
    let doubt = |(key, vms): (String, u32)| InvalidConfig {
        key: key.into(),
        reason: format!("it is {vms}, and min_ready ({min_ready}) keeps as many ready at any time"),
    };
    let holds_nothing = config.on_expiry == OnExpiry::Hold && config.max_held == 0;
    let holds_nothing = holds_nothing.then(|| InvalidConfig {
        key: "on_expiry".into(),
        reason: "it is `hold`, but max_held is 0, so the VMs are destroyed".to_owned(),
    });
    too_few.map(doubt).chain(holds_nothing).collect()
}

/// Finds what VMs need of providers that have no quota at all.
fn no_quota(config: &PoolConfig, providers: &BTreeMap<ProviderName, ProviderConfig>) -> Vec<InvalidConfig> {
    let has_none = |offer: &OfferConfig| {
        providers.get(&offer.provider).is_some_and(|provider| provider.quota.is_empty())
    };
    let offers = config.offers.iter().enumerate().filter(|(_, offer)| has_none(offer));
    let doubts = offers.flat_map(|(index, offer)| {
        offer.needs.keys().map(move |resource| InvalidConfig {
            key: format!("offers[{index}].needs.{resource}").into(),
            reason: format!("provider {} has no quota, so nothing limits it", offer.provider),
        })
    });
    doubts.collect()
}

/// Finds out whether pools that have nothing but a provider are to keep more there than its quota allows.
fn too_little(
    provider: &ProviderName,
    resource: &str,
    most: u64,
    pools: &BTreeMap<PoolName, PoolConfig>,
) -> Option<InvalidConfig> {
    let need = |offer: &OfferConfig| match resource {
        "vms" => 1,
        _ => offer.needs.get(resource).copied().unwrap_or_default(),
    };
    let kept = pools.iter().filter_map(|(name, config)| {
        let offers = config.offers();
        let is_all = offers.iter().all(|offer| offer.provider == *provider);
        let least = offers.iter().map(need).min().filter(|_| is_all)?;
        let kept = u64::from(config.size.max(config.min_ready)).saturating_mul(least);
        (kept != 0).then_some((name.as_str(), kept))
    });
    let (names, kept): (Vec<_>, Vec<_>) = kept.unzip();
    let kept = kept.into_iter().fold(0, u64::saturating_add);
    // What is too much for one pool is refused.
    if kept <= most || names.len() < 2 {
        return None;
    }
    let names = names.join(", ");
    let reason = format!("it is {most}, and the pools {names} together are to keep {kept} there");
    Some(InvalidConfig { key: format!("quota.{resource}").into(), reason })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(pool: &str, quota: &str) -> Vec<String> {
        let pools = BTreeMap::from([(PoolName::new("a").unwrap(), serde_json::from_str(pool).unwrap())]);
        let mut lab = ProviderConfig::new("dummy");
        lab.quota = serde_json::from_str(quota).unwrap();
        let providers = BTreeMap::from([(ProviderName::new("lab").unwrap(), lab)]);
        let limits = LimitsConfig::default();
        doubts(&pools, &providers, &limits).into_iter().map(|doubt| doubt.to_string()).collect()
    }

    #[test]
    fn what_keeps_no_further_vm_ready_is_doubted() {
        let pool = r#"{"provider": "lab", "template": "small", "min_ready": 2, "demand": {"max_ready": 2},
            "schedule": [{"from": "08:00", "to": "18:00", "min_ready": 1}]}"#;
        let wanted = [
            "pools.a.demand.max_ready: it is 2, and min_ready (2) keeps as many ready at any time",
            "pools.a.schedule[0].min_ready: it is 1, and min_ready (2) keeps as many ready at any time",
        ];
        assert_eq!(told(pool, "{}"), wanted);
        let pool =
            r#"{"provider": "lab", "template": "small", "min_ready": 1, "max_total": 4, "demand": {}}"#;
        assert_eq!(told(pool, "{}"), [""; 0]);
    }

    #[test]
    fn more_creates_than_there_may_be_requests_and_a_provider_that_nobody_uses_are_doubted() {
        let pools =
            ["lab"].map(|at| (PoolName::new("a").unwrap(), PoolConfig::new(at.parse().unwrap(), "small", 1)));
        let mut lab = ProviderConfig::new("dummy");
        (lab.max_concurrent, lab.max_creating) = (3, Some(4));
        let told = |lab: &ProviderConfig, other: &str| {
            let providers = [("lab", lab.clone()), (other, ProviderConfig::new("dummy"))];
            let providers = providers.map(|(name, config)| (ProviderName::new(name).unwrap(), config));
            let (pools, limits) = (BTreeMap::from(pools.clone()), LimitsConfig::default());
            let doubts = doubts(&pools, &BTreeMap::from(providers), &limits).into_iter();
            doubts.map(|doubt| doubt.to_string()).collect::<Vec<_>>()
        };
        let wanted = [
            "providers.lab.max_creating: it is 4, and no more than 3 requests are under way at once (max_concurrent)",
            "providers.lap.driver: no pool has an offer of this provider, so nothing is made there; it is listed all the same",
        ];
        assert_eq!(told(&lab, "lap"), wanted);
        lab.max_creating = Some(3);
        assert_eq!(told(&lab, "lap"), wanted[1..]);
        lab.max_creating = None;
        assert_eq!(told(&lab, "lap"), wanted[1..]);
    }

    #[test]
    fn to_hold_vms_where_none_may_be_held_is_doubted() {
        let pool =
            r#"{"provider": "lab", "template": "small", "size": 1, "on_expiry": "hold", "max_held": 0}"#;
        let wanted = "pools.a.on_expiry: it is `hold`, but max_held is 0, so the VMs are destroyed";
        assert_eq!(told(pool, "{}"), [wanted]);
        assert_eq!(told(&pool.replace(": 0}", ": 1}"), "{}"), [""; 0]);
    }

    #[test]
    fn what_vms_need_where_there_is_no_quota_is_doubted() {
        let pool =
            r#"{"size": 1, "offers": [{"provider": "lab", "template": "small", "needs": {"cores": 2}}]}"#;
        let wanted = "pools.a.offers[0].needs.cores: provider lab has no quota, so nothing limits it";
        assert_eq!(told(pool, "{}"), [wanted]);
        assert_eq!(told(pool, r#"{"cores": 2}"#), [""; 0]);
    }
}
