//! How many VMs a pool could have at best.

use vmpool_model::{PoolName, config::OfferConfig};

use crate::{Engine, quota};

impl Engine {
    /// Returns how many VMs a pool could have at once, whatever is in the way at present: what its limits, its offers and
    /// whole quotas allow. A request that wants more could never be served.
    #[must_use]
    pub fn most_vms(&self, pool: &PoolName) -> usize {
        let Some(pool) = self.pools.get(pool).filter(|pool| !pool.retired) else { return 0 };
        let of_offers = pool.offers.iter().map(|offer| self.most_of(&offer.config));
        of_offers.fold(0, usize::saturating_add).min(pool.config.max_total() as usize)
    }

    fn most_of(&self, offer: &OfferConfig) -> usize {
        let Some(provider) = self.providers.get(&offer.provider) else { return 0 };
        let quotas = provider.config.quota.iter();
        let of_quota = quotas.filter_map(|(name, quota)| quota.checked_div(quota::need(name, &offer.needs)));
        let most = of_quota.chain(offer.max_total.map(u64::from)).min().unwrap_or(u64::MAX);
        usize::try_from(most).unwrap_or(usize::MAX)
    }
}
