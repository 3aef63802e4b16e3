//! Which pools a request may be served from: those it names, those with its labels, and those that stand in for them.

use std::{collections::BTreeSet, sync::Arc};

use vmpool_model::{Acquire, Label, Owner, PoolName, RequestRecord, config::OfferConfig};

use crate::{Engine, Refusal, owners, pool::Pool, words::list};

/// A pool that a request may be served from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Candidate {
    pub(crate) pool: PoolName,
    /// The candidate that this one stands in for: only while that one can make nothing itself is this one used.
    pub(crate) instead_of: Option<usize>,
}

/// The pools that a request may be served from, the one liked best first; those that stand in for others come last.
pub(crate) type Candidates = Arc<[Candidate]>;

/// What decides which pools can serve a request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted<'a> {
    pub(crate) pools: &'a [PoolName],
    pub(crate) labels: &'a BTreeSet<Label>,
    pub(crate) count: u32,
    pub(crate) owner: &'a Owner,
}

impl<'a> From<&'a Acquire> for Wanted<'a> {
    fn from(acquire: &'a Acquire) -> Self {
        let Acquire { pools, labels, count, owner, .. } = acquire;
        Self { pools, labels, count: *count, owner }
    }
}

impl<'a> From<&'a RequestRecord> for Wanted<'a> {
    fn from(request: &'a RequestRecord) -> Self {
        let RequestRecord { pools, labels, count, owner, .. } = request;
        Self { pools, labels, count: *count, owner }
    }
}

impl Engine {
    /// Returns the pools that can serve a request, or why none ever will.
    pub(crate) fn candidates(&self, wanted: Wanted<'_>) -> Result<Candidates, Refusal> {
        let meant = self.meant(wanted)?;
        let candidates = self.with_fallbacks(&meant, wanted.labels);
        if candidates.is_empty() {
            return Err(self.why_none(&meant));
        }
        self.check_count(wanted, &candidates)?;
        Ok(candidates.into())
    }

    /// Returns the pools that a request names or whose labels it asks for, whether they can serve it or not.
    fn meant(&self, wanted: Wanted<'_>) -> Result<Vec<PoolName>, Refusal> {
        let Wanted { pools, labels, .. } = wanted;
        if pools.is_empty() && labels.is_empty() {
            return Err(Refusal::NoPoolNamed { known: self.spec.pools.keys().cloned().collect() });
        }
        let mut seen = BTreeSet::new();
        let mut named: Vec<_> = match pools.is_empty() {
            true => self.spec.pools.keys().cloned().collect(),
            false => pools.iter().filter(|pool| self.spec.pools.contains_key(*pool)).cloned().collect(),
        };
        named.retain(|pool| seen.insert(pool.clone()));
        if named.is_empty()
            && let Some(pool) = pools.first()
        {
            return Err(self.not_configured(pool));
        }
        let (fit, misfit): (Vec<_>, Vec<_>) =
            named.into_iter().partition(|pool| self.has_labels(pool, labels));
        if fit.is_empty() {
            // Those that were named tell more than all that there are.
            let known = misfit.iter().filter_map(|pool| self.spec.pools.get(pool));
            let known = known.flat_map(|config| &config.labels).cloned().collect();
            let pools = if pools.is_empty() { Vec::new() } else { misfit };
            return Err(Refusal::NoPoolWithLabels { labels: labels.clone(), pools, known });
        }
        Ok(fit)
    }

    /// Says that a pool is not configured, and whether there is something of it all the same.
    pub(crate) fn not_configured(&self, pool: &PoolName) -> Refusal {
        let known = self.spec.pools.keys().cloned().collect();
        let is_left = self.pools.contains_key(pool);
        let pool = pool.clone();
        if is_left { Refusal::PoolRetired { pool, known } } else { Refusal::UnknownPool { pool, known } }
    }

    fn has_labels(&self, pool: &PoolName, labels: &BTreeSet<Label>) -> bool {
        self.spec.pools.get(pool).is_some_and(|config| labels.is_subset(&config.labels))
    }

    /// Returns the pools that can serve at all, followed by those that stand in for them.
    fn with_fallbacks(&self, meant: &[PoolName], labels: &BTreeSet<Label>) -> Vec<Candidate> {
        let can_serve = |pool: &PoolName| self.most(pool) != 0;
        let usable = meant.iter().filter(|pool| can_serve(pool));
        let mut candidates: Vec<_> =
            usable.map(|pool| Candidate { pool: pool.clone(), instead_of: None }).collect();
        let mut seen: BTreeSet<_> = meant.iter().cloned().collect();
        for pool in meant {
            // A pool that cannot serve at all is stood in for whatever the others do.
            let mut instead_of = candidates.iter().position(|candidate| candidate.pool == *pool);
            let mut pool = pool;
            while let Some(next) = self.spec.pools.get(pool).and_then(|config| config.fallback.as_ref()) {
                if !seen.insert(next.clone()) {
                    break;
                }
                if can_serve(next) && self.has_labels(next, labels) {
                    candidates.push(Candidate { pool: next.clone(), instead_of });
                    instead_of = Some(candidates.len() - 1);
                }
                pool = next;
            }
        }
        candidates
    }

    /// Returns how many VMs a pool can ever give at once: none if it is drained or left the configuration.
    fn most(&self, name: &PoolName) -> usize {
        let is_open = self.pools.get(name).is_some_and(Pool::is_open);
        if is_open { self.most_vms(name) } else { 0 }
    }

    /// Says why none of these pools can serve anybody.
    fn why_none(&self, meant: &[PoolName]) -> Refusal {
        let drained = meant.iter().find_map(|name| {
            let reason = self.pools.get(name)?.drain.as_ref()?.reason.clone();
            Some(Refusal::PoolDrained { pool: name.clone(), reason })
        });
        if let Some(refusal) = drained {
            return refusal;
        }
        let pool = meant.first().cloned();
        let why = pool.as_ref().and_then(|pool| self.pools.get(pool)).map(|pool| self.why_never(pool));
        match (pool, why) {
            (Some(pool), Some(why)) => Refusal::NeverPossible { pool, why },
            _ => Refusal::NoPoolNamed { known: self.spec.pools.keys().cloned().collect() },
        }
    }

    /// Says why a pool can never have a VM.
    fn why_never(&self, pool: &Pool) -> String {
        let whys = pool.offers.iter().map(|offer| {
            let OfferConfig { provider, needs, .. } = &offer.config;
            let Some(config) = self.providers.get(provider).map(|provider| &provider.config) else {
                return format!("provider {provider} is not configured");
            };
            let short = needs.iter().chain([(&"vms".to_owned(), &1)]).find_map(|(resource, needs)| {
                let quota = config.quota.get(resource)?;
                (quota < needs).then(|| {
                    format!("a VM needs {needs} {resource} at provider {provider}, whose quota is {quota}")
                })
            });
            short.unwrap_or_else(|| format!("provider {provider} may have none"))
        });
        whys.collect::<Vec<_>>().join("; ")
    }

    /// Checks that a request's VMs can exist at once, and that its owner may have as many.
    fn check_count(&self, wanted: Wanted<'_>, candidates: &[Candidate]) -> Result<(), Refusal> {
        let Wanted { count, owner, .. } = wanted;
        let pools = || candidates.iter().map(|candidate| candidate.pool.clone()).collect();
        let most = |candidate: &Candidate| self.most(&candidate.pool);
        // Each of them can have one, so that one is always possible.
        let max = match count {
            1 => 1,
            _ => self.most_together(candidates.iter().map(|candidate| &candidate.pool)),
        };
        if count == 0 || max < count as usize {
            return Err(Refusal::CountOutOfRange { count, max, pools: pools() });
        }
        if let Some(limit) = owners::most(owner, &self.spec.limits).filter(|limit| limit.max < count) {
            let why = format!("{} is {}", owners::key(&limit.owner, &self.spec.limits), limit.max);
            let (owner, max) = (limit.owner, limit.max as usize);
            return Err(Refusal::OwnerLimit { owner, count, max, pools: Vec::new(), why });
        }
        let limit_in = |candidate: &Candidate| {
            let max = self.spec.pools.get(&candidate.pool).and_then(|config| config.max_per_owner);
            max.filter(|max| *max != 0).map_or(usize::MAX, |max| max as usize)
        };
        // A pool of which its limit keeps this owner from having more is not stood in for.
        let stands_by = |candidate: &Candidate| {
            let mut other = candidate.instead_of.and_then(|index| candidates.get(index));
            while let Some(first) = other {
                if limit_in(first) <= most(first) {
                    return Some(first);
                }
                other = first.instead_of.and_then(|index| candidates.get(index));
            }
            None
        };
        let (used, idle): (Vec<_>, Vec<_>) =
            candidates.iter().partition(|candidate| stands_by(candidate).is_none());
        let in_pool = |candidate: &&Candidate| limit_in(candidate).min(most(candidate));
        let max = used.iter().map(in_pool).fold(0, usize::saturating_add);
        if count as usize <= max {
            return Ok(());
        }
        let binds = used.iter().filter(|candidate| limit_in(candidate) <= most(candidate));
        let binds = binds
            .map(|candidate| format!("max_per_owner of pool {} is {}", candidate.pool, limit_in(candidate)));
        let idle = idle.iter().filter_map(|candidate| Some((candidate, stands_by(candidate)?)));
        let idle = idle.map(|(candidate, first)| {
            format!("pool {} stands in for pool {} only while that can make none", candidate.pool, first.pool)
        });
        Err(Refusal::OwnerLimit {
            owner: owner.parent().unwrap_or_else(|| owner.clone()),
            count,
            max,
            pools: used.iter().map(|candidate| candidate.pool.clone()).collect(),
            why: list(binds.chain(idle)),
        })
    }
}
