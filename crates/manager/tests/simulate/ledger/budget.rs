//! Limits that pools share, and where requests may be served.

use std::collections::BTreeSet;

use vmpool_manager::{
    model::{Lease, Node, PoolName, ProviderName, VmName, VmRecord},
    store::Batch,
};

use super::Ledger;
use crate::reload::Config;

impl Ledger {
    /// I3: a VM is intended only as far as the quota of its provider and the limit of its offer go.
    pub(super) fn check_budget(&self, config: &Config, name: &VmName) -> Result<(), String> {
        let Some(record) = self.rows.vms.get(name) else { return Ok(()) };
        let VmRecord { provider, template, pool, .. } = record;
        let there = || self.rows.vms.values().filter(|vm| vm.provider == *provider && !vm.is_gone());
        for (resource, most) in config.providers.get(provider).into_iter().flat_map(|known| &known.quota) {
            let need = |vm: &VmRecord| match resource.as_str() {
                "vms" => 1,
                _ => vm.needs.get(resource).copied().unwrap_or_default(),
            };
            let taken: u64 = there().map(need).sum();
            ensure!(
                need(record) == 0 || taken <= *most,
                "I3: with {name}, {taken} {resource} of {provider} are taken, {most} at most"
            );
        }
        let offers = config.pools.get(pool).map(|config| config.offers()).unwrap_or_default();
        let offer = offers.iter().find(|offer| offer.provider == *provider && offer.template == *template);
        let Some(offer) = offer else {
            return Err(format!("I3: {name} is of an offer that {pool} does not make"));
        };
        let made = there().filter(|vm| vm.pool == *pool && vm.template == *template).count();
        ensure!(
            offer.max_total.is_none_or(|most| made <= most as usize),
            "I3: with {name}, {made} VMs are of {offer:?}"
        );
        Ok(())
    }

    /// I3: no more nodes are in a cloud than its quota allows.
    pub(super) fn check_quota(&self, provider: &ProviderName) -> Result<(), String> {
        let most = self.most_at.get(provider).and_then(|most| usize::try_from(*most).ok());
        let Some(most) = most else { return Ok(()) };
        let is_ours = |node: &&Node| {
            // Those that no record speaks of take their room, too.
            node.token.as_ref().is_some_and(|token| token.installation == self.installation)
        };
        let nodes: Vec<_> = self.nodes_at(provider).collect();
        let ours: Vec<_> =
            nodes.iter().filter(is_ours).map(|node| format!("{} {}", node.name, node.state)).collect();
        ensure!(ours.len() <= most, "I3: {} nodes are at {provider}, {most} at most: {ours:?}", ours.len());
        Ok(())
    }

    /// A request is served from a pool that it names and that has its labels, or from one that stands in for such a pool.
    pub(super) fn check_place(&self, config: &Config, lease: &Lease) -> Result<(), String> {
        let Some(request) = self.rows.requests.get(&lease.request) else {
            return Err(format!("{} is of a request that there is not", lease.id));
        };
        let has_labels = |name: &PoolName| {
            config.pools.get(name).is_some_and(|config| request.labels.is_subset(&config.labels))
        };
        ensure!(
            has_labels(&lease.pool),
            "{} is of {}, which lacks {:?}",
            lease.id,
            lease.pool,
            request.labels
        );
        let named: Vec<_> = match request.pools.is_empty() {
            true => config.pools.keys().cloned().collect(),
            false => request.pools.clone(),
        };
        let mut meant: BTreeSet<_> = named.into_iter().filter(|name| has_labels(name)).collect();
        while let Some(next) = meant.iter().find_map(|name| {
            let next = config.pools.get(name)?.fallback.as_ref()?;
            (!meant.contains(next)).then(|| next.clone())
        }) {
            meant.insert(next);
        }
        ensure!(
            meant.contains(&lease.pool),
            "{} is of {}, but {request:?} means {meant:?}",
            lease.id,
            lease.pool
        );
        Ok(())
    }

    /// F6: what is called missing is not there.
    pub(super) fn check_missing(&self, batch: &Batch) -> Result<(), String> {
        let missing = batch.events.iter().filter(|event| event.detail.contains("missing at the provider"));
        for name in missing.filter_map(|event| event.vm.as_ref()) {
            let Some(record) = self.rows.vms.get(name) else { continue };
            let token = record.token(&self.installation);
            let there = self.nodes_at(&record.provider).find(|node| node.token.as_ref() == Some(&token));
            ensure!(there.is_none(), "F6: {name} counts as lost, and its node is there: {there:?}");
        }
        Ok(())
    }
}
