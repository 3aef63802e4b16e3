//! How many VMs a pool could have at best.

use std::collections::BTreeMap;

use vmpool_model::{
    PoolName, ProviderName,
    config::{OfferConfig, ProviderConfig},
};

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

    /// Returns how many VMs these pools could have at once, all together: no more than each could have alone, and no more
    /// than the quotas that they share allow.
    ///
    /// It is never too few. It may be too many where VMs need several things of one quota in different parts.
    pub(crate) fn most_together<'a>(&self, pools: impl Iterator<Item = &'a PoolName>) -> usize {
        let mut alone = 0_usize;
        let mut sharing = BTreeMap::<&ProviderName, Vec<(&OfferConfig, usize)>>::new();
        for name in pools {
            let most = self.most_vms(name);
            alone = alone.saturating_add(most);
            for offer in self.pools.get(name).into_iter().flat_map(|pool| &pool.offers) {
                let most = most.min(self.most_of(&offer.config));
                sharing.entry(&offer.config.provider).or_default().push((&offer.config, most));
            }
        }
        let known = sharing.iter().filter_map(|(name, offers)| Some((self.providers.get(*name)?, offers)));
        let shared = known.map(|(provider, offers)| most_at(&provider.config, offers));
        alone.min(shared.fold(0, usize::saturating_add))
    }

    fn most_of(&self, offer: &OfferConfig) -> usize {
        let Some(provider) = self.providers.get(&offer.provider) else { return 0 };
        let quotas = provider.config.quota.iter();
        let of_quota = quotas.filter_map(|(name, quota)| quota.checked_div(quota::need(name, &offer.needs)));
        let most = of_quota.chain(offer.max_total.map(u64::from)).min().unwrap_or(u64::MAX);
        usize::try_from(most).unwrap_or(usize::MAX)
    }
}

/// Returns how many VMs of these offers, at most as many of each as it says, fit into the quota of their provider.
fn most_at(provider: &ProviderConfig, offers: &[(&OfferConfig, usize)]) -> usize {
    let all = offers.iter().fold(0, |all: usize, (_, most)| all.saturating_add(*most));
    let fits = provider.quota.iter().map(|(resource, quota)| {
        let mut needs: Vec<_> =
            offers.iter().map(|(offer, most)| (quota::need(resource, &offer.needs), *most)).collect();
        // Most fit if those that need least come first.
        needs.sort_unstable();
        let mut left = *quota;
        needs.into_iter().fold(0, |all: usize, (need, most)| {
            let fit =
                left.checked_div(need).map_or(most, |fit| most.min(usize::try_from(fit).unwrap_or(most)));
            left = left.saturating_sub(need.saturating_mul(fit as u64));
            all.saturating_add(fit)
        })
    });
    fits.min().unwrap_or(all)
}
