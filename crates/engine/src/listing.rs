//! Listings: what the provider has, and whose each node is.

use vmpool_model::{EventKind, Failure, Node, NodeView, ProviderName, Timestamp, VmName};

use crate::{
    Effect, EffectId, Engine, ListedNodes, backoff,
    look::Look,
    stranger::{Kin, Strangers},
    timers::Timer,
};

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
        let again = std::mem::take(&mut provider.list_again) && result.is_ok();
        match result {
            Ok(listed) => {
                provider.failures = 0;
                if listed.incomplete.is_none() {
                    provider.listed_at = Some(self.now);
                }
                if std::mem::take(&mut provider.failing) {
                    self.provider_event(EventKind::ProviderRecovered, name, String::new());
                }
                self.timers.set(Timer::Provider(name.clone()), Some(asked_at + interval));
                self.take_in(id, name, &listed, asked_at);
                self.first_listed(name, asked_at, listed.incomplete.as_deref());
                self.drop_provider(name);
                if again {
                    self.list(name);
                }
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
                self.first_listing_failed(name, &failure);
                self.listing_refused(name, &failure);
                self.give_up_provider(name);
            }
        }
    }

    fn take_in(&mut self, id: EffectId, provider: &ProviderName, listed: &ListedNodes, asked_at: Timestamp) {
        let mut strays = Vec::new();
        let mut strangers = Strangers::default();
        if let Some(provider) = self.providers.get_mut(provider) {
            provider.sequence.begin();
        }
        for node in &listed.nodes {
            if self.is_unchanged(id, provider, node) {
                continue;
            }
            if let Some(vm) = self.vm_of(provider, node) {
                self.see(id, &vm, node);
                continue;
            }
            self.usurp(provider, node);
            match self.kin(provider, node) {
                Kin::Stray => {
                    self.reckon(id, provider, node);
                    strays.push(node);
                }
                Kin::Stranger => strangers.add(node),
                Kin::OfNoPool(why) => {
                    self.reckon(id, provider, node);
                    strangers.add(node);
                    self.announce(provider, node, why);
                }
                Kin::Unplaced(why) => {
                    strangers.add(node);
                    self.announce(provider, node, why);
                }
                Kin::Other => {}
            }
        }
        if listed.incomplete.is_some() {
            return;
        }
        self.meet(provider, strangers, &listed.nodes);
        self.take_absences(id, provider, asked_at);
        self.sweep(provider, &strays);
        self.miss_unrecorded(id, provider, asked_at);
        self.looked_for_forgotten(provider, asked_at, &strays);
    }

    /// Returns whether a listed node is as its VM's record has it, so that there is nothing to do; this is the
    /// usual case, and there may be very many.
    fn is_unchanged(&mut self, id: EffectId, provider: &ProviderName, node: &Node) -> bool {
        let Some(provider) = self.providers.get_mut(provider) else { return false };
        let look = Look::of(node, self.spec.seed);
        if provider.is_next(id, look) {
            return true;
        }
        let Some(place) = provider.by_node.place(&node.id) else { return false };
        provider.sequence.push(place);
        let Some(bound) = provider.by_node.at_mut(place) else { return false };
        if bound.look == Some(look) {
            bound.seen_in = Some(id);
            return true;
        }
        let Some(vm) = self.vms.get_mut(&bound.vm) else { return false };
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
        let is_unchanged = is_same && looks_same && vm.is_trusted();
        if is_unchanged {
            (bound.look, bound.seen_in) = (Some(look), Some(id));
        }
        is_unchanged
    }

    /// Returns the VM that a listed node belongs to: the one that its token names, or that its id is known of if the
    /// provider tells no token.
    pub(crate) fn vm_of(&self, provider: &ProviderName, node: &Node) -> Option<VmName> {
        // Ids can come back: a node that says that it is another VM is another VM.
        let Some(token) = &node.token else {
            return self.providers.get(provider)?.holder(&node.id).cloned();
        };
        let record = &self.vms.get(&token.vm).filter(|_| self.is_ours(node))?.record;
        let is_same = record.node.as_ref().is_none_or(|known| known.id == node.id);
        // What is there although it was proven gone belongs to nobody.
        let fits = record.pool == token.pool && record.provider == *provider && is_same && !record.is_gone();
        fits.then(|| token.vm.clone())
    }

    /// Notes that a node is not the one that a VM had under this id: the VM counts as absent, and what has its id
    /// now is not destroyed in its place.
    fn usurp(&mut self, provider: &ProviderName, node: &Node) {
        let Some(provider) = self.providers.get_mut(provider) else { return };
        provider.look_again(&node.id);
        if let Some(vm) = provider.holder(&node.id).and_then(|vm| self.vms.get_mut(vm)) {
            vm.usurped = true;
        }
    }

    pub(crate) fn is_ours(&self, node: &Node) -> bool {
        node.token.as_ref().is_some_and(|token| token.installation == self.spec.installation)
    }

    pub(crate) fn see(&mut self, id: EffectId, name: &VmName, node: &Node) {
        self.bind(name, &node.id);
        let Some(vm) = self.vms.get_mut(name) else { return };
        vm.seen_in = Some(id);
        vm.usurped = false;
        match &vm.record.node {
            None => self.adopt(name, node),
            Some(_) => self.observe(name, NodeView::from(node)),
        }
    }

    pub(crate) fn provider_event(&mut self, kind: EventKind, provider: &ProviderName, detail: String) {
        self.event(kind, |event| {
            event.provider = Some(provider.clone());
            event.detail = detail;
        });
    }
}

#[cfg(test)]
mod tests {
    use vmpool_model::NodeId;

    use super::*;
    use crate::{
        missing::Absence,
        sample::{engine, on_demand, provider, ready, spec},
        vm::Vm,
    };

    /// Whether there is nothing to do with a listed node that is as it is known; the second time its look alone says so.
    fn is_unchanged(distrust: impl FnOnce(&mut Vm)) -> [bool; 2] {
        let mut engine = engine(spec([("a", on_demand(1))]), vec![ready("a-1")]);
        let (id, name) = (NodeId::new("a-1").unwrap(), VmName::new("a-1").unwrap());
        distrust(engine.vms.get_mut(&name).unwrap());
        let node = Node::new(id.clone(), "a-1", vmpool_model::states::NodeState::Running);
        let listing = EffectId(99);
        let is_unchanged = engine.is_unchanged(listing, &provider(), &node);
        let bound = engine.providers.get(&provider()).unwrap().by_node.get(&id).unwrap();
        let look = Some(Look::of(&node, engine.spec.seed));
        [is_unchanged, bound.look == look && bound.seen_in == Some(listing)]
    }

    #[test]
    fn a_listed_node_that_is_as_it_is_known_is_looked_at_once_unless_its_vm_is_doubted() {
        assert_eq!(is_unchanged(|_| {}), [true; 2]);
        assert_eq!(is_unchanged(|vm| vm.usurped = true), [false; 2]);
        assert_eq!(is_unchanged(|vm| vm.absent = Some(Absence::new(Timestamp::default()))), [false; 2]);
        assert_eq!(is_unchanged(|vm| vm.record.suspect = Some(String::new())), [false; 2]);
        assert_eq!(is_unchanged(|vm| vm.record.state = vmpool_model::RecordState::Terminating), [false; 2]);
    }
}
