//! Listings: what the provider has, what it has no longer, and what belongs to nobody.

use std::collections::BTreeSet;

use vmpool_model::{
    EventKind, Failure, Node, NodeId, NodeView, ProviderName, RecordState, Timestamp, VmName,
    states::NodeState,
};

use crate::{Effect, EffectId, Engine, ListedNodes, backoff, provider::Orphan, timers::Timer};

impl Engine {
    /// Asks for a listing, unless one is under way.
    pub(crate) fn list(&mut self, name: &ProviderName) {
        if self.providers.get(name).is_none_or(|provider| provider.listing.is_some()) {
            return;
        }
        let id = self.effect(Effect::List { provider: name.clone() });
        if let Some(provider) = self.providers.get_mut(name) {
            provider.listing = Some((id, self.now));
        }
    }

    pub(crate) fn listed(&mut self, id: EffectId, name: &ProviderName, result: Result<ListedNodes, Failure>) {
        let jitter = self.rng.f64();
        let Some(provider) = self.providers.get_mut(name) else { return };
        let Some((_, asked_at)) = provider.listing.take_if(|(expected, _)| *expected == id) else { return };
        let interval = provider.config.list_interval;
        match result {
            Ok(listed) => {
                provider.failures = 0;
                if std::mem::take(&mut provider.failing) {
                    self.provider_event(EventKind::ProviderRecovered, name, String::new());
                }
                self.timers.set(Timer::Provider(name.clone()), Some(asked_at + interval));
                self.take_in(id, name, &listed, asked_at);
            }
            // Nothing is known: no node is gone, none has come.
            Err(failure) => {
                provider.failures += 1;
                let pause = backoff::pause(
                    interval,
                    interval.saturating_mul(4),
                    provider.failures,
                    failure.retry_after,
                    jitter,
                );
                if !std::mem::replace(&mut provider.failing, true) {
                    self.provider_event(EventKind::ProviderFailed, name, failure.to_string());
                }
                self.timers.set(Timer::Provider(name.clone()), Some(self.now + pause));
            }
        }
    }

    fn take_in(&mut self, id: EffectId, provider: &ProviderName, listed: &ListedNodes, asked_at: Timestamp) {
        let mut strays = Vec::new();
        for node in &listed.nodes {
            if self.is_unchanged(id, provider, node) {
                continue;
            }
            match self.vm_of(provider, node) {
                Some(vm) => self.see(id, &vm, node),
                None => {
                    self.usurp(provider, node);
                    if self.is_stray(provider, node) {
                        strays.push(node);
                    }
                }
            }
        }
        if !listed.complete {
            return;
        }
        let known =
            self.vms.values().filter(|vm| vm.record.node.is_some() && vm.record.provider == *provider);
        let absent = known.filter(|vm| vm.seen_in != Some(id)).map(|vm| vm.record.name.clone());
        for vm in absent.collect::<Vec<_>>() {
            self.miss(&vm, id, asked_at);
        }
        self.sweep(provider, &strays);
    }

    /// Returns whether a listed node is as its VM's record has it, so that there is nothing to do; this is the
    /// usual case, and there may be very many.
    fn is_unchanged(&mut self, id: EffectId, provider: &ProviderName, node: &Node) -> bool {
        let name = self.providers.get(provider).and_then(|provider| provider.by_node.get(&node.id));
        let Some(vm) = name.and_then(|name| self.vms.get_mut(name)) else { return false };
        let installation = &self.spec.installation;
        let is_same = node
            .token
            .as_ref()
            .is_none_or(|token| token.installation == *installation && token.vm == vm.record.name);
        let looks_same = vm.record.node.as_ref().is_some_and(|known| {
            known.state == node.state
                && known.raw_state == node.raw_state
                && known.addresses.iter().copied().eq(node.addresses())
        });
        let rests = vm.record.state != RecordState::Terminating;
        let is_trusted = vm.absent.is_none() && vm.record.suspect.is_none() && !vm.usurped;
        let is_unchanged = is_same && looks_same && rests && is_trusted;
        if is_unchanged {
            vm.seen_in = Some(id);
        }
        is_unchanged
    }

    /// Returns the VM that a listed node belongs to: the one that its token names, or that its id is known of if the
    /// provider tells no token.
    fn vm_of(&self, provider: &ProviderName, node: &Node) -> Option<VmName> {
        // Ids can come back: a node that says that it is another VM is another VM.
        let Some(token) = &node.token else {
            return self.providers.get(provider)?.by_node.get(&node.id).cloned();
        };
        let record = &self.vms.get(&token.vm).filter(|_| self.is_ours(node))?.record;
        let is_same = record.node.as_ref().is_none_or(|known| known.id == node.id);
        let fits = record.pool == token.pool && record.provider == *provider && is_same;
        fits.then(|| token.vm.clone())
    }

    /// Notes that a node is not the one that a VM had under this id: the VM counts as absent, and what has its id
    /// now is not destroyed in its place.
    fn usurp(&mut self, provider: &ProviderName, node: &Node) {
        let known = self.providers.get(provider).and_then(|provider| provider.by_node.get(&node.id));
        if let Some(vm) = known.and_then(|vm| self.vms.get_mut(vm)) {
            vm.usurped = true;
        }
    }

    /// Returns whether a node is ours and belongs to no record.
    ///
    /// A pool that is not known may be another domain's, and the record of a VM at another provider may mean this
    /// very node, if both are the same account and the id does not speak against it; so these are left alone. One
    /// whose id a VM still counts with waits until that VM is gone.
    fn is_stray(&self, provider: &ProviderName, node: &Node) -> bool {
        let Some(token) = node.token.as_ref().filter(|_| self.is_ours(node)) else { return false };
        let is_bound = self.providers.get(provider).is_none_or(|known| known.by_node.contains_key(&node.id));
        let record = self.vms.get(&token.vm).map(|vm| &vm.record);
        let may_be_its = record.is_some_and(|record| {
            record.provider != *provider && record.node.as_ref().is_none_or(|known| known.id == node.id)
        });
        self.pools.contains_key(&token.pool) && !is_bound && !may_be_its
    }

    fn is_ours(&self, node: &Node) -> bool {
        node.token.as_ref().is_some_and(|token| token.installation == self.spec.installation)
    }

    fn see(&mut self, id: EffectId, name: &VmName, node: &Node) {
        self.bind(name, &node.id);
        let Some(vm) = self.vms.get_mut(name) else { return };
        vm.seen_in = Some(id);
        vm.usurped = false;
        match &vm.record.node {
            None => self.adopt(name, node),
            Some(_) => self.observe(name, NodeView::from(node)),
        }
    }

    /// A complete listing does not have the VM's node.
    fn miss(&mut self, name: &VmName, id: EffectId, asked_at: Timestamp) {
        let window = self.visibility_window(name);
        let now = self.now;
        let Some(vm) = self.vms.get_mut(name) else { return };
        if !vm.asked_at.is_before(id) || asked_at < vm.asked_at.at + window {
            return;
        }
        if vm.record.state == RecordState::Terminating {
            // Destroyed by us before the listing was asked for, and not there any more: gone.
            if vm.destroyed_at.is_some_and(|destroyed| destroyed.is_before(id)) || vm.usurped {
                return self.vanish(name);
            }
            // One whose destruction is refused may have been gone before; that takes the longer proof.
            if vm.record.attempts == 0 {
                return;
            }
        }
        let (since, times) = vm.absent.unwrap_or((now, 0));
        vm.absent = Some((since, times + 1));
        let provider = self.providers.get(&vm.record.provider);
        let grace = provider.map(|provider| provider.config.missing_grace).unwrap_or_default();
        if times + 1 < 2 || now < since + grace {
            return;
        }
        match vm.record.state {
            RecordState::Terminating => self.vanish(name),
            _ => self.lose(name, "its node is missing at the provider"),
        }
    }

    /// Marks nodes with our token that belong to no record, and destroys those that stay so.
    fn sweep(&mut self, name: &ProviderName, strays: &[&Node]) {
        let now = self.now;
        let Some(provider) = self.providers.get_mut(name) else { return };
        let listed: BTreeSet<_> = strays.iter().map(|node| node.id.clone()).collect();
        provider.orphans.retain(|id, orphan| listed.contains(id) || orphan.destroying.is_some());
        let grace = provider.config.orphan_grace;
        let mut found = Vec::new();
        let mut due = Vec::new();
        for node in strays.iter().filter(|node| node.state != NodeState::Terminated) {
            let orphan = provider.orphans.entry(node.id.clone()).or_insert_with(|| {
                found.push(*node);
                Orphan { since: now, seen: 0, destroying: None }
            });
            orphan.seen += 1;
            if 2 <= orphan.seen && orphan.since + grace <= now && orphan.destroying.is_none() {
                due.push(*node);
            }
        }
        for node in found {
            self.orphan_event(EventKind::OrphanFound, name, node);
        }
        for node in due {
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
    }

    /// An orphan's destruction was answered; whether it is gone, the next listings tell.
    pub(crate) fn orphan_done(&mut self, id: EffectId) {
        for provider in self.providers.values_mut() {
            provider.orphans.retain(|_, orphan| orphan.destroying != Some(id));
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

    fn provider_event(&mut self, kind: EventKind, provider: &ProviderName, detail: String) {
        self.event(kind, |event| {
            event.provider = Some(provider.clone());
            event.detail = detail;
        });
    }
}
