//! VMs that are kept for their last users make room for those who wait.

use vmpool_model::{PoolName, VmName, config::OfferConfig};

use crate::{Engine, Limit, quota};

const OF_POOL: &str = "others wait, and its last user does not use it";
const OF_OFFER: &str = "others wait for another VM of its offer, and its last user does not use it";
const OF_PROVIDER: &str = "others wait for its room at the provider, and its last user does not use it";

impl Engine {
    /// Destroys VMs that are kept for their last users where others wait and there is no room for them.
    pub(crate) fn evict(&mut self, name: &PoolName) {
        while let Some(pool) = self.pools.get(name)
            && pool.config.max_total() as usize <= pool.total()
            && pool.coming() < pool.demand()
            && let Some(vm) = pool.oldest_dirty()
        {
            self.terminate(&vm, OF_POOL);
        }
        while let Some((vms, why)) = self.in_the_way(name) {
            vms.iter().for_each(|vm| self.terminate(vm, why));
        }
    }

    /// Returns VMs that are kept for their last users, and whose end lets the pool have one more VM for those who wait.
    fn in_the_way(&self, name: &PoolName) -> Option<(Vec<VmName>, &'static str)> {
        let pool = self.pools.get(name).filter(|pool| pool.is_open())?;
        let missing = pool.demand().checked_sub(pool.coming()).filter(|missing| *missing != 0)?;
        let limits = self.next_offer(pool).err()?;
        let mut offers: Vec<_> = pool.offers.iter().zip(&limits).collect();
        offers.sort_by_key(|(offer, _)| offer.config.preference);
        offers.into_iter().find_map(|(offer, limit)| match limit {
            Limit::OfferFull { .. } => {
                let mut dirty = pool.dirty_vms().filter_map(|vm| self.vms.get(vm));
                let oldest = dirty.find(|vm| offer.made(&vm.record))?;
                Some((vec![oldest.record.name.clone()], OF_OFFER))
            }
            Limit::Quota { .. } => Some((self.in_the_way_at(&offer.config, missing)?, OF_PROVIDER)),
            _ => None,
        })
    }

    /// Returns the VMs, of any pools, whose end gives room to one VM more of those that are missing: none if even the end
    /// of all would not, or if enough room comes without.
    fn in_the_way_at(&self, offer: &OfferConfig, missing: usize) -> Option<Vec<VmName>> {
        let provider = self.providers.get(&offer.provider)?;
        let quota = &provider.config.quota;
        let mut stays = provider.gate.usage.without(&provider.gate.leaving);
        let fit = (0..missing).find(|fit| stays.lack(quota, &offer.needs, fit + 1).is_some())?;
        let mut found = Vec::new();
        for name in provider.gate.dirty() {
            let Some(lack) = stays.lack(quota, &offer.needs, fit + 1) else { break };
            let Some(vm) = self.vms.get(name) else { continue };
            if quota::need(&lack.resource, &vm.record.needs) != 0 {
                stays.remove(&vm.record);
                found.push(name.clone());
            }
        }
        stays.lack(quota, &offer.needs, fit + 1).is_none().then_some(found)
    }
}
