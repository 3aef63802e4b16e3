//! Providers that left the configuration: nothing is made there, and each goes with its last VM.

use std::collections::BTreeSet;

use vmpool_model::{EventKind, Node, PoolName, ProviderName, Timestamp, VmName, states::NodeState};

use crate::{Effect, Engine, provider::Provider, timers::Timer, vm::Vm};

/// Why a VM is destroyed that nobody uses, at a provider that left the configuration.
pub(crate) const PROVIDER_RETIRED: &str = "its provider was taken out of the configuration";

/// After how many listings in a row that failed a provider is given up that left the configuration and has no VM any more.
const PATIENCE: u32 = 10;

impl Provider {
    /// Returns whether nothing is left to be done there.
    fn is_over(&self) -> bool {
        let is_bare = self.forgotten.is_empty() && self.orphans.is_empty();
        self.is_left() && is_bare && self.gate.creates.is_empty()
    }

    /// Returns whether it left the configuration, and no VM is there any more.
    fn is_left(&self) -> bool {
        self.retired_at.is_some() && self.gate.usage.vms == 0
    }
}

impl Engine {
    /// Takes a provider out of the configuration: leases run out there, and what nobody uses is destroyed.
    pub(crate) fn retire_provider(&mut self, name: &ProviderName) {
        let now = self.now;
        let Some(provider) = self.providers.get_mut(name) else { return };
        provider.retired_at = Some(now);
        self.drop_provider(name);
        for vm in self.vms_at(name) {
            self.advance(&vm);
        }
    }

    /// Returns whether a provider can be asked: it is configured, or it left the configuration and still has VMs.
    #[must_use]
    pub fn knows_provider(&self, name: &ProviderName) -> bool {
        self.providers.contains_key(name)
    }

    /// Returns whether the provider of a VM left the configuration, and can be asked all the same.
    pub(crate) fn is_at_retired(&self, vm: &Vm) -> bool {
        self.providers.get(&vm.record.provider).is_some_and(|provider| provider.retired_at.is_some())
    }

    /// Returns the VMs at a provider, by name.
    pub(crate) fn vms_at(&self, name: &ProviderName) -> Vec<VmName> {
        let vms = self.vms.iter().filter(|(_, vm)| vm.record.provider == *name);
        vms.map(|(vm, _)| vm.clone()).collect()
    }

    /// Forgets a provider that left the configuration, once nothing is left to be done there.
    pub(crate) fn drop_provider(&mut self, name: &ProviderName) {
        if self.providers.get(name).is_some_and(Provider::is_over) {
            self.timers.set(Timer::Provider(name.clone()), None);
            self.providers.remove(name);
            // What was asked of it in this very step is in vain.
            let is_in_vain = |effect: &Effect| matches!(effect, Effect::List { provider } | Effect::Glance { provider, .. } if provider == name);
            self.out.effects.retain(|(_, effect)| !is_in_vain(effect));
        }
    }

    /// Notes that a VM's record is removed without proof that its node is gone: until listings prove that, neither its pool
    /// nor its provider is forgotten, so that the node is swept.
    pub(crate) fn look_for_forgotten(&mut self, pool: &PoolName, at: Option<&ProviderName>) {
        let now = self.now;
        let may_have_it = |name: &ProviderName| at.is_none_or(|at| at == name);
        for (_, provider) in self.providers.iter_mut().filter(|(name, _)| may_have_it(name)) {
            provider.forgotten.insert(pool.clone(), now);
        }
    }

    /// Ends the search for VMs that were forgotten, if a complete listing shows none of their nodes although it was asked for
    /// when it must.
    pub(crate) fn looked_for_forgotten(
        &mut self,
        name: &ProviderName,
        asked_at: Timestamp,
        strays: &[&Node],
    ) {
        let Some(provider) = self.providers.get_mut(name) else { return };
        let window = provider.config.create_settle() + provider.config.visibility_window;
        let alive = strays.iter().filter(|node| node.state != NodeState::Terminated);
        let seen: BTreeSet<_> = alive.filter_map(|node| Some(&node.token.as_ref()?.pool)).collect();
        let is_found = |(pool, at): &(PoolName, Timestamp)| seen.contains(pool) || asked_at < *at + window;
        let forgotten = std::mem::take(&mut provider.forgotten).into_iter();
        let (found, over): (Vec<_>, Vec<_>) = forgotten.partition(is_found);
        provider.forgotten.extend(found);
        for (pool, _) in over {
            self.drop_pool(&pool);
        }
    }

    /// Gives a provider up that left the configuration and has no VM any more, if its listings go on failing.
    pub(crate) fn give_up_provider(&mut self, name: &ProviderName) {
        let is_vain = |provider: &&mut Provider| provider.is_left() && PATIENCE <= provider.failures;
        let Some(provider) = self.providers.get_mut(name).filter(is_vain) else { return };
        let pools = std::mem::take(&mut provider.forgotten);
        let orphans = std::mem::take(&mut provider.orphans).len();
        provider.gate.creates.clear();
        if !pools.is_empty() || orphans != 0 {
            let pools: Vec<_> = pools.keys().map(PoolName::as_str).collect();
            let detail = format!(
                "it is not configured any more and {PATIENCE} listings in a row failed, so it is given up: look there for \
                 nodes of forgotten VMs yourself (pools: {}; nodes of ours that belong to no VM when it was listed last: \
                 {orphans})",
                pools.join(", ")
            );
            self.provider_event(EventKind::ProviderFailed, name, detail);
        }
        self.drop_provider(name);
        for pool in pools.into_keys() {
            self.drop_pool(&pool);
        }
    }
}
