//! Orphans: nodes with our token that belong to no record, and so are destroyed.

use std::collections::BTreeSet;

use vmpool_model::{EventKind, Node, NodeId, ProviderName, states::NodeState};

use crate::{Effect, EffectId, Engine, provider::Orphan};

/// How many orphans of a provider may be in destruction at once: with a wrong store, every node is one.
const MOST_AT_ONCE: usize = 10;

impl Engine {
    /// Marks nodes with our token that belong to no record, and destroys those that stay so, the oldest first and few at
    /// a time; none while too many nodes are missing, because then the records themselves are in doubt.
    pub(crate) fn sweep(&mut self, name: &ProviderName, strays: &[&Node]) {
        let now = self.now;
        let Some(provider) = self.providers.get_mut(name) else { return };
        // One that ended by itself is no orphan any more, for as long as the cloud may go on listing it.
        let alive: Vec<_> = strays.iter().filter(|node| node.state != NodeState::Terminated).collect();
        let listed: BTreeSet<_> = alive.iter().map(|node| &node.id).collect();
        provider.orphans.retain(|id, orphan| listed.contains(id) || orphan.destroying.is_some());
        let grace = provider.config.orphan_grace;
        let mut found = Vec::new();
        let mut due = Vec::new();
        for node in alive {
            let orphan = provider.orphans.entry(node.id.clone()).or_insert_with(|| {
                found.push(*node);
                let pool = node.token.as_ref().map(|token| token.pool.clone());
                Orphan { pool, since: now, seen: 0, destroying: None }
            });
            orphan.seen = orphan.seen.saturating_add(1);
            if 2 <= orphan.seen && orphan.since + grace <= now && orphan.destroying.is_none() {
                due.push((orphan.since, *node));
            }
        }
        let under_way = provider.orphans.values().filter(|orphan| orphan.destroying.is_some()).count();
        let most = match &provider.brake {
            Some(_) => 0,
            None => MOST_AT_ONCE.saturating_sub(under_way),
        };
        due.sort_by_key(|(since, _)| *since);
        due.truncate(most);
        for node in found {
            self.orphan_event(EventKind::OrphanFound, name, node);
        }
        for (_, node) in due {
            self.orphan_event(EventKind::OrphanDestroyed, name, node);
            self.destroy_orphan(name, &node.id);
        }
    }

    fn destroy_orphan(&mut self, name: &ProviderName, node: &NodeId) {
        let id = self.effect(Effect::Destroy { provider: name.clone(), vm: None, node: node.clone() });
        if let Some(orphan) = self.providers.get_mut(name).and_then(|provider| provider.orphans.get_mut(node))
        {
            orphan.destroying = Some(id);
        }
        if let Some(provider) = self.providers.get_mut(name) {
            provider.gate.unrecorded.leave(node);
        }
        self.room_changed(name);
    }

    /// An orphan's destruction was answered; whether it is gone, the next listings tell, for which its pool and its provider
    /// stay.
    pub(crate) fn orphan_done(&mut self, id: EffectId, is_accepted: bool) {
        let (now, moment) = (self.now, self.moment());
        for provider in self.providers.values_mut() {
            let is_it = |(_, orphan): &(&NodeId, &Orphan)| orphan.destroying == Some(id);
            let Some(node) = provider.orphans.iter().find(is_it).map(|(node, _)| node.clone()) else {
                continue;
            };
            self.growing.append(&mut provider.gate.waiting);
            provider.gate.unrecorded.destroyed(&node, is_accepted, moment);
            if let Some(pool) = provider.orphans.remove(&node).and_then(|orphan| orphan.pool) {
                provider.forgotten.insert(pool, now);
            }
        }
    }

    fn orphan_event(&mut self, kind: EventKind, provider: &ProviderName, node: &Node) {
        let token = node.token.clone();
        self.event(kind, |event| {
            event.provider = Some(provider.clone());
            event.pool = token.as_ref().map(|token| token.pool.clone());
            event.vm = token.map(|token| token.vm);
            event.detail = format!("node {} is {}", node.id, node.state);
        });
    }
}
