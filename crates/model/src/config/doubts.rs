//! What fits but is hardly meant.

use std::collections::BTreeMap;

use super::{ConfigTable, InvalidConfig, Misfit, OfferConfig, OnExpiry, PoolConfig, ProviderConfig};
use crate::{PoolName, ProviderName};

/// Returns what is allowed but says nothing, or more than there can be at once: that of each pool, then that of each
/// provider.
///
/// ```
/// use std::collections::BTreeMap;
/// use vmpool_model::{PoolName, ProviderName, config::{PoolConfig, ProviderConfig, doubts}};
/// let mut lab = ProviderConfig::new("dummy");
/// lab.quota.insert("vms".to_owned(), 3);
/// let pools = ["a", "b"].map(|pool| (pool.parse().unwrap(), PoolConfig::new("lab".parse().unwrap(), "small", 2)));
/// let doubts = doubts(&BTreeMap::from(pools), &BTreeMap::from([("lab".parse()?, lab)]));
/// assert_eq!(doubts[0].to_string(), "providers.lab.quota.vms: it is 3, and the pools a, b together are to keep 4 there");
/// # Ok::<(), vmpool_model::InvalidName>(())
/// ```
#[must_use]
pub fn doubts(
    pools: &BTreeMap<PoolName, PoolConfig>,
    providers: &BTreeMap<ProviderName, ProviderConfig>,
) -> Vec<Misfit> {
    let of_pools = pools.iter().flat_map(|(name, config)| {
        let doubts = says_nothing(config).into_iter().chain(no_quota(config, providers));
        doubts.map(|doubt| Misfit::new(ConfigTable::Pool(name.clone()), doubt))
    });
    let of_providers = providers.iter().flat_map(|(name, config)| {
        let doubts = config.quota.iter().filter_map(|(resource, most)| {
            let doubt = too_little(name, resource, *most, pools)?;
            Some(Misfit::new(ConfigTable::Provider(name.clone()), doubt))
        });
        doubts.collect::<Vec<_>>()
    });
    of_pools.chain(of_providers).collect()
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
        doubts(&pools, &providers).into_iter().map(|doubt| doubt.to_string()).collect()
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
