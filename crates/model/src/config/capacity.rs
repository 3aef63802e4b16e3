//! How many VMs a pool can ever have, by the quotas of its providers and the limits of its offers.

use std::{collections::BTreeMap, fmt};

use super::{OfferConfig, PoolConfig, ProviderConfig};
use crate::ProviderName;

/// How many VMs a pool can ever have at the providers of its offers, if nobody else uses these.
///
/// It is never too low; where offers share a quota it may be too high.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Capacity(Vec<Part>);

/// How many VMs of a pool a provider can ever have.
#[derive(Debug, PartialEq, Eq)]
struct Part {
    provider: ProviderName,
    vms: u64,
    /// What limits them.
    by: String,
}

impl Capacity {
    /// Returns the capacity of a pool; `None` if nothing limits it, it has no offers, or one is of a provider
    /// that there is not.
    pub(super) fn of(
        config: &PoolConfig,
        providers: &BTreeMap<ProviderName, ProviderConfig>,
    ) -> Option<Self> {
        let mut offers = BTreeMap::<ProviderName, Vec<OfferConfig>>::new();
        for offer in config.offers() {
            offers.entry(offer.provider.clone()).or_default().push(offer);
        }
        if offers.is_empty() {
            return None;
        }
        let part = |(provider, offers): (ProviderName, Vec<OfferConfig>)| {
            let quota = &providers.get(&provider)?.quota;
            let (vms, by) = part(quota, &offers)?;
            Some(Part { provider, vms, by })
        };
        Some(Self(offers.into_iter().map(part).collect::<Option<_>>()?))
    }

    pub(super) fn vms(&self) -> u64 {
        self.0.iter().fold(0, |all, part| all.saturating_add(part.vms))
    }
}

impl fmt::Display for Capacity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let part = |Part { provider, vms, by }: &Part| format!("{vms} at {provider} by {by}");
        write!(f, "at most {}", self.0.iter().map(part).collect::<Vec<_>>().join(", and "))
    }
}

/// Returns how many VMs of these offers fit into a quota, and what limits them; `None` if nothing does.
fn part(quota: &BTreeMap<String, u64>, offers: &[OfferConfig]) -> Option<(u64, String)> {
    let of_resource = quota.iter().filter_map(|(resource, whole)| {
        let least = offers.iter().map(|offer| need(offer, resource)).min()?;
        let why = match least {
            0 => return None,
            1 => format!("its quota of {resource} ({whole})"),
            least => format!("its quota of {resource} ({whole}, and a VM needs {least})"),
        };
        Some((whole / least, why))
    });
    let mut each = offers.iter().map(|offer| {
        let fits = quota.iter().filter_map(|(resource, whole)| whole.checked_div(need(offer, resource)));
        fits.chain(offer.max_total.map(u64::from)).min()
    });
    let sum = each.try_fold(0, |all: u64, vms| Some(all.saturating_add(vms?)));
    let together = sum.map(|vms| (vms, "max_total of its offers".to_owned()));
    of_resource.chain(together).min_by_key(|(vms, _)| *vms)
}

/// Returns what a VM takes of a resource.
fn need(offer: &OfferConfig, resource: &str) -> u64 {
    match resource {
        "vms" => 1,
        _ => offer.needs.get(resource).copied().unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the capacity of a pool of two offers at the provider `lab`, which has this quota.
    fn told(quota: &str, offers: &str) -> Option<(u64, String)> {
        let mut lab = ProviderConfig::new("dummy");
        lab.quota = serde_json::from_str(quota).unwrap();
        let name = ProviderName::new("lab").unwrap();
        let other = (ProviderName::new("other").unwrap(), ProviderConfig::new("dummy"));
        let mut config = PoolConfig::new(name.clone(), "small", 1);
        (config.provider, config.template) = (None, None);
        config.offers = serde_json::from_str(offers).unwrap();
        let capacity = Capacity::of(&config, &BTreeMap::from([(name, lab), other]))?;
        Some((capacity.vms(), capacity.to_string()))
    }

    #[test]
    fn a_pool_has_no_more_vms_than_what_limits_it_most() {
        let one = r#"[{"provider": "lab", "template": "a", "needs": {"cores": 4}}]"#;
        assert_eq!(told("{}", one), None);
        let by_vms = "at most 3 at lab by its quota of vms (3)".to_owned();
        assert_eq!(told(r#"{"vms": 3, "cores": 16}"#, one), Some((3, by_vms)));
        let by_cores = "at most 2 at lab by its quota of cores (11, and a VM needs 4)".to_owned();
        assert_eq!(told(r#"{"vms": 3, "cores": 11}"#, one), Some((2, by_cores)));
    }

    #[test]
    fn offers_of_one_provider_share_its_quota_and_each_has_its_own_limit() {
        let two = r#"[{"provider": "lab", "template": "a", "max_total": 2, "needs": {"cores": 4}},
            {"provider": "lab", "template": "b", "max_total": 3, "needs": {"cores": 2}}]"#;
        assert_eq!(told("{}", two).unwrap().0, 5);
        assert_eq!(told(r#"{"vms": 4}"#, two).unwrap().0, 4);
        assert_eq!(told(r#"{"cores": 7}"#, two).unwrap().0, 3, "as if all were of the smaller kind");
        let one_has_no_limit = two.replace(r#""max_total": 3, "#, "");
        assert_eq!(told("{}", &one_has_no_limit), None);
    }

    #[test]
    fn what_several_providers_have_is_added_unless_one_has_no_limit() {
        let two = r#"[{"provider": "lab", "template": "a", "max_total": 2},
            {"provider": "other", "template": "b", "max_total": 3}]"#;
        let why = "at most 2 at lab by max_total of its offers, and 3 at other by max_total of its offers";
        assert_eq!(told("{}", two), Some((5, why.to_owned())));
        assert_eq!(told("{}", &two.replace(r#", "max_total": 3"#, "")), None);
        assert_eq!(told("{}", &two.replace("other", "nobody")), None);
    }
}
