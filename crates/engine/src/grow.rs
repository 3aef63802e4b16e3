//! Whether a pool may have one more VM, of which offer, and what is in the way.

use std::{borrow::Cow, collections::BTreeMap};

use vmpool_model::{PoolName, ProviderName, RecordState, Timestamp, config::OfferConfig};

use crate::{Engine, Limit, offer::Offer, pool::Pool, quota::Usage};

impl Engine {
    /// Returns whether the pool may spawn one more VM now.
    ///
    /// Whether it wants one is another question: this is for telling why a request waits.
    ///
    /// # Errors
    ///
    /// What is in the way: a limit of the pool or, if no offer can be used, the limit that ends first.
    pub fn can_grow(&self, pool: &PoolName) -> Result<(), Limit> {
        let Some(pool) = self.pools.get(pool) else { return Err(Limit::Retired { since: self.now }) };
        match self.first_limit(pool) {
            Some(limit) => Err(limit.lasting_since(&pool.limits)),
            None => Ok(()),
        }
    }

    /// Returns what keeps a pool from spawning one more VM now, as if it began now: of several limits, the one that ends first.
    pub(crate) fn first_limit(&self, pool: &Pool) -> Option<Limit> {
        let limits = self.best_offer(pool, |_| None).err()?;
        let first = limits.iter().enumerate().filter(|(_, limit)| limit.until().is_some());
        let first = first.min_by_key(|(_, limit)| limit.until()).map_or(0, |(index, _)| index);
        Some(limits.into_iter().nth(first).unwrap_or(Limit::Retired { since: self.now }))
    }

    /// Returns which offer the next VM is of, or all that is in the way: one limit of the pool, or one of each offer.
    pub(crate) fn next_offer(&self, pool: &Pool) -> Result<usize, Vec<Limit>> {
        self.next_offer_beside(pool, |_| None)
    }

    /// Returns the same for a pool that may want the VM for nobody: then it leaves to others the room for which they wait.
    pub(crate) fn next_offer_in_turn(&self, name: &PoolName, pool: &Pool) -> Result<usize, Vec<Limit>> {
        match pool.has_enough() {
            true => self.next_offer_beside(pool, |offer| self.left_to_others(name, offer)),
            false => self.next_offer(pool),
        }
    }

    fn next_offer_beside(
        &self,
        pool: &Pool,
        beside: impl Fn(&Offer) -> Option<Limit>,
    ) -> Result<usize, Vec<Limit>> {
        let lasting = |limits: Vec<Limit>| {
            limits.into_iter().map(|limit| limit.lasting_since(&pool.limits)).collect::<Vec<_>>()
        };
        self.best_offer(pool, beside).map_err(lasting)
    }

    /// Returns the same, as if all that is in the way began now.
    fn best_offer(&self, pool: &Pool, beside: impl Fn(&Offer) -> Option<Limit>) -> Result<usize, Vec<Limit>> {
        if let Some(limit) = self.pool_limit(pool) {
            return Err(vec![limit]);
        }
        let limits = pool.offers.iter().map(|offer| self.offer_limit(offer).or_else(|| beside(offer)));
        let limits: Vec<_> = limits.collect();
        let mut best: Option<usize> = None;
        let mut awaited: Option<usize> = None;
        for (index, offer) in pool.offers.iter().enumerate() {
            let first = match &limits[index] {
                None => &mut best,
                Some(Limit::Unlisted { listings: 0, .. }) => &mut awaited,
                Some(_) => continue,
            };
            if first.is_none_or(|first| offer.is_before(&pool.offers[first])) {
                *first = Some(index);
            }
        }
        // What is liked better is not passed over for the moment that its provider takes to say what it has.
        let awaited = awaited
            .filter(|awaited| best.is_none_or(|best| pool.offers[*awaited].is_before(&pool.offers[best])));
        match (best, awaited.and_then(|awaited| limits[awaited].clone())) {
            (Some(best), None) => Ok(best),
            (_, awaited) => {
                Err(limits.into_iter().filter_map(|limit| limit.or_else(|| awaited.clone())).collect())
            }
        }
    }

    /// Returns the quota that has no room for one more VM of an offer beside those that others wait for and are to be made.
    fn left_to_others(&self, name: &PoolName, offer: &Offer) -> Option<Limit> {
        let OfferConfig { provider, needs, .. } = &offer.config;
        let known = self.providers.get(provider)?;
        let taken = self.taken_by_others(name, provider)?;
        let lack = taken.lack(&known.config.quota, needs, 1)?;
        Some(known.gate.lacking(provider.clone(), lack, self.now))
    }

    /// Returns what is taken of a provider's quota, together with what other pools are missing for those who wait; `None` if
    /// there is no quota.
    pub(crate) fn taken_by_others(&self, name: &PoolName, provider: &ProviderName) -> Option<Cow<'_, Usage>> {
        let known = self.providers.get(provider).filter(|known| !known.config.quota.is_empty())?;
        let mut taken = known.gate.taken();
        for (_, pool) in self.pools.iter().filter(|(other, _)| *other != name) {
            let missing = pool.wants_room();
            if missing != 0
                && let Some(needs) = self.needs_at(pool, provider)
            {
                taken.to_mut().add_vms(needs, missing);
            }
        }
        Some(taken)
    }

    /// Returns what a VM of a pool needs at a provider, if nothing but its pace or the quota keeps the pool from making it there.
    fn needs_at<'a>(&self, pool: &'a Pool, provider: &ProviderName) -> Option<&'a BTreeMap<String, u64>> {
        let paces = self
            .pool_limit(pool)
            .is_none_or(|limit| matches!(limit, Limit::MaxStarting { .. } | Limit::SpawnInterval { .. }));
        let is_open = |offer: &&Offer| {
            offer.config.provider == *provider
                && self
                    .offer_limit(offer)
                    .is_none_or(|limit| matches!(limit, Limit::Quota { .. }) || limit.is_pace())
        };
        pool.offers.iter().filter(|_| paces).find(is_open).map(|offer| &offer.config.needs)
    }

    fn pool_limit(&self, pool: &Pool) -> Option<Limit> {
        let (now, config) = (self.now, &pool.config);
        if let Some(since) = self.short_since {
            return Some(Limit::StoreFull { since });
        }
        if pool.retired {
            return Some(Limit::Retired { since: now });
        }
        if let Some(drain) = &pool.drain {
            return Some(Limit::Draining { since: drain.since });
        }
        let (total, max_total) = (pool.total(), config.max_total());
        if max_total as usize <= total {
            let stranded = pool.stranded();
            return Some(match max_total as usize <= total - stranded {
                true => Limit::PoolFull { total, max_total, since: now },
                false => {
                    let providers = pool.missing_providers();
                    Limit::Stranded { total, max_total, stranded, providers, since: now }
                }
            });
        }
        if let Some(last) = pool.last_spawn
            && now < last + config.spawn_min_interval
        {
            return Some(Limit::SpawnInterval { until: last + config.spawn_min_interval, since: last });
        }
        let starting = pool.count(RecordState::Spawning) + pool.count(RecordState::GotIp);
        let max_starting = config.max_starting;
        (max_starting as usize <= starting).then_some(Limit::MaxStarting {
            starting,
            max_starting,
            since: now,
        })
    }

    pub(crate) fn offer_limit(&self, offer: &Offer) -> Option<Limit> {
        let (now, provider, template) = (self.now, &offer.config.provider, &offer.config.template);
        let Some(known) = self.providers.get(provider) else {
            return Some(Limit::ProviderUnknown { provider: provider.clone(), since: now });
        };
        if let Some(since) = known.retired_at {
            return Some(Limit::ProviderRetired { provider: provider.clone(), since });
        }
        if let Some(stop) = self.offer_stop(offer) {
            return Some(stop);
        }
        match offer.config.max_total {
            Some(max_total) if max_total as usize <= offer.total => Some(Limit::OfferFull {
                provider: provider.clone(),
                template: template.clone(),
                total: offer.total,
                max_total,
                since: now,
            }),
            _ => known.gate.room(provider, &known.config, &offer.config.needs, now),
        }
    }
    /// Returns what keeps an offer from being used until it passes, if anything does: of several, what lasts longest.
    fn offer_stop(&self, offer: &Offer) -> Option<Limit> {
        let (now, provider) = (self.now, &offer.config.provider);
        let paused = offer.pause.until(now).map(|until| Limit::OfferPaused {
            provider: provider.clone(),
            template: offer.config.template.clone(),
            why: offer.pause.why().to_owned(),
            until,
            since: offer.pause.since(),
        });
        let stopped = self.providers.get(provider).and_then(|known| known.gate.stop(provider, now));
        let stops = paused.into_iter().chain(stopped);
        stops.max_by_key(|limit| (limit.until().is_none(), limit.until()))
    }

    /// Returns when the first pause ends of those that keep pools, offers and providers from being used.
    pub(crate) fn pauses_end_at(&self) -> Option<Timestamp> {
        let offers = self.pools.values().flat_map(|pool| &pool.offers);
        let of_offers = offers.filter_map(|offer| offer.pause.until(self.now));
        let of_providers =
            self.providers.values().filter_map(|provider| provider.gate.stopped_until(self.now));
        // A pool that may make the next VM may find that there is no room for it, and be stood in for.
        let intervals = self.pools.values().filter_map(|pool| {
            let until = pool.last_spawn? + pool.config.spawn_min_interval;
            (self.now < until).then_some(until)
        });
        of_offers.chain(of_providers).chain(intervals).min()
    }

    /// Returns until when none of a pool's offers is used after failures, as far as that is known.
    pub(crate) fn stopped_until(&self, pool: &Pool) -> Option<Timestamp> {
        let stops: Option<Vec<_>> = pool.offers.iter().map(|offer| self.offer_stop(offer)).collect();
        stops?.iter().filter_map(Limit::until).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{engine, on_demand, pool, provider, spec};

    #[test]
    fn a_pool_needs_nothing_at_a_provider_where_it_makes_nothing() {
        let engine = engine(spec([("a", on_demand(1))]), Vec::new());
        let of = engine.pools.get(&pool("a")).unwrap();
        assert_eq!(engine.needs_at(of, &provider()), Some(&BTreeMap::new()));
        assert_eq!(engine.needs_at(of, &ProviderName::new("other").unwrap()), None);
    }
}
