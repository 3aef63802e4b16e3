//! Where a pool may take its VMs from.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::ProviderName;

/// One way to make a pool's VMs: a template at a provider.
///
/// Of the offers that can be used now, those with the lowest `preference` are taken; among these, VMs are spread by
/// `weight`.
///
/// ```
/// use vmpool_model::config::OfferConfig;
/// let offer: OfferConfig = serde_json::from_str(r#"{"provider": "lab", "template": "small", "needs": {"cores": 4}}"#)?;
/// assert_eq!((offer.preference, offer.weight, offer.needs["cores"]), (0, 1, 4));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct OfferConfig {
    /// The provider.
    pub provider: ProviderName,
    /// What the VMs are made from; its meaning is the driver's.
    pub template: String,
    /// Which offers come first: the lowest number that can be used now. Default: 0.
    #[serde(default)]
    pub preference: u32,
    /// This offer's part of the VMs among those of the same preference. Default: 1.
    #[serde(default = "one")]
    pub weight: u32,
    /// How many VMs of this offer may exist at once, those being destroyed included. Default: no limit of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_total: Option<u32>,
    /// What one VM takes of the provider's `quota`, by the names used there, such as `cores`: a name that the quota lacks is
    /// refused, unless the provider has no quota at all. Every VM takes 1 of `vms` besides. Default: nothing else.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub needs: BTreeMap<String, u64>,
    /// What one VM costs per hour, in any currency: the dearest is given up first. Default: 0.
    #[serde(default)]
    pub price: f64,
}

const fn one() -> u32 {
    1
}

impl OfferConfig {
    /// Makes an offer with the defaults.
    #[must_use]
    pub fn new(provider: ProviderName, template: impl Into<String>) -> Self {
        Self {
            provider,
            template: template.into(),
            preference: 0,
            weight: one(),
            max_total: None,
            needs: BTreeMap::new(),
            price: 0.0,
        }
    }
}
