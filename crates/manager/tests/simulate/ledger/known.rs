//! I4, while it goes on: a node of ours that has no record does not stay.

use std::{collections::BTreeMap, time::Duration};

use tokio::time::Instant;
use vmpool_manager::model::{Node, NodeId, PoolName, ProviderName, VmName, states::NodeState};

use super::Ledger;

/// How much longer than a provider is given time for, a node that nobody knows may take to be destroyed: the create whose answer
/// was lost is looked for again and again before its record goes.
const SLACK: Duration = Duration::from_secs(120);

/// How often everything in the clouds is looked at, at most: time is what is measured here.
const PACE: Duration = Duration::from_secs(1);

/// The nodes that nobody knows, and since when.
#[derive(Debug, Default)]
pub(super) struct Unknown {
    since: BTreeMap<(ProviderName, NodeId), Instant>,
    /// When there was one last at each provider.
    last: BTreeMap<ProviderName, Instant>,
    looked_at: Option<Instant>,
}

impl Ledger {
    /// I4: where nothing goes wrong, a node of ours that has no record, or one that knows another node, is soon destroyed.
    pub(super) fn check_known(&mut self) -> Result<(), String> {
        let now = Instant::now();
        if self.unknown.looked_at.is_some_and(|at| now < at + PACE) {
            return Ok(());
        }
        let (mut unknown, mut late) = (BTreeMap::new(), None);
        let mut last = std::mem::take(&mut self.unknown.last);
        for (provider, cloud) in &self.clouds {
            let Some(most) = self.soon(provider) else { continue };
            for node in cloud.nodes().into_iter().filter(|node| self.is_unknown(provider, node)) {
                last.insert(provider.clone(), now);
                let place = (provider.clone(), node.id.clone());
                let since = self.unknown.since.get(&place).copied().unwrap_or(now);
                let calm_since = self.calm_since.map(|calm| calm.max(since));
                if calm_since.is_some_and(|since| most < since.elapsed()) {
                    late = Some(format!("I4: nobody knows {node:?} for {:?}", since.elapsed()));
                }
                unknown.insert(place, since);
            }
        }
        self.unknown = Unknown { since: unknown, last, looked_at: Some(now) };
        late.map_or(Ok(()), Err)
    }

    /// Returns whether a node may take room at a provider that no record speaks of, or may have for a while.
    pub(crate) fn may_have_unknown(&self, provider: &ProviderName) -> bool {
        self.unknown.last.get(provider).is_some_and(|last| last.elapsed() < SLACK)
    }

    /// Returns whether a node is ours, is not at its end, and no record is of it.
    fn is_unknown(&self, provider: &ProviderName, node: &Node) -> bool {
        let Some(token) = node.token.as_ref().filter(|token| token.installation == self.installation) else {
            return false;
        };
        let is_dead = self.dead.contains(&(provider.clone(), node.id.clone()));
        if node.state == NodeState::Terminated || is_dead || self.is_left(&token.pool, &token.vm) {
            return false;
        }
        let record = self.rows.vms.get(&token.vm).filter(|vm| vm.token(&self.installation) == *token);
        record.is_none_or(|vm| vm.node.as_ref().is_some_and(|known| known.id != node.id))
    }

    /// Returns whether a VM was forgotten whose pool left the configuration: its node is looked for until the next start only.
    fn is_left(&self, pool: &PoolName, vm: &VmName) -> bool {
        self.is_forgotten(vm) && self.configs.last().is_none_or(|config| !config.pools.contains_key(pool))
    }

    /// Returns within what time a node that nobody knows is destroyed at a provider; `None` if nobody looks there any more.
    fn soon(&self, provider: &ProviderName) -> Option<Duration> {
        let config =
            self.configs.last()?.providers.get(provider).filter(|_| self.down.as_ref() != Some(provider))?;
        let listings = 4 * (config.list_interval + config.request_timeout);
        Some(config.orphan_grace + config.visibility_window + listings + SLACK)
    }
}
