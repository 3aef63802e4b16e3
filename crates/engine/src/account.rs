//! What the answers of a provider tell of it: whether it works, and how much at once it takes.

use vmpool_model::{Certainty, EventKind, Failure, FailureKind, ProviderName, Timestamp, VmName, VmRecord};

use crate::{EffectId, Engine, backoff::Trouble, breaker::Failed, gate::Gate};

/// The pauses of a provider that asks for fewer requests and does not say for how long.
const PAUSES: (std::time::Duration, std::time::Duration) =
    (std::time::Duration::from_secs(1), std::time::Duration::from_secs(300));

impl Engine {
    /// Notes a create that is asked for.
    pub(crate) fn create_asked(&mut self, vm: &VmName) {
        let Some((create, provider)) =
            self.vms.get(vm).and_then(|vm| Some((vm.effect?, &vm.record.provider)))
        else {
            return;
        };
        if let Some(provider) = self.providers.get_mut(provider) {
            provider.gate.creates.insert(create, vm.clone());
            provider.gate.breaker.ask(create);
            // Pools that can make nothing now may be stood in for.
            self.unserved = true;
        }
    }

    /// Returns whether a node may be asked for now, for a VM that is recorded.
    ///
    /// For a VM that was just intended, the limits were looked at. One whose node was asked for before and is proven not
    /// to exist may find that its provider takes none now, or that another offer is the better one.
    pub(crate) fn may_create(&self, vm: &VmName) -> bool {
        let Some(vm) = self.vms.get(vm) else { return false };
        let Some(provider) = self.providers.get(&vm.record.provider) else { return false };
        let window = provider.gate.window.size(provider.config.max_creating());
        provider.gate.stop(&vm.record.provider, self.now).is_none()
            && provider.gate.is_within(&provider.config, &vm.record.needs)
            && provider.gate.creates.len() < window
            && !self.is_outdone(&vm.record)
    }

    /// Returns whether the offer of a VM pauses and another one does not.
    fn is_outdone(&self, record: &VmRecord) -> bool {
        let Some(pool) = self.pools.get(&record.pool) else { return false };
        let pauses =
            pool.offers.iter().any(|offer| offer.made(record) && offer.pause.until(self.now).is_some());
        pauses && pool.offers.iter().any(|offer| self.offer_limit(offer).is_none())
    }

    /// Takes in what the answer to a create tells of its provider, whatever became of the VM meanwhile.
    pub(crate) fn create_answered(&mut self, create: EffectId, failure: Option<&Failure>) {
        let (now, jitter) = (self.moment(), self.rng.f64());
        let mut providers = self.providers.iter_mut();
        let Some((name, provider)) =
            providers.find(|(_, provider)| provider.gate.creates.contains_key(&create))
        else {
            return;
        };
        let (name, config, gate) = (name.clone(), &provider.config, &mut provider.gate);
        let is_refused = failure.is_some_and(proves_no_node);
        if let Some(vm) = gate.creates.remove(&create) {
            gate.unrecorded.answered(&vm, is_refused, now.at);
        }
        let most = config.max_creating();
        let mut opened = None;
        let mut closes = false;
        match failure {
            None => {
                gate.window.succeed(most);
                // Whoever was asked before a pause does not end it.
                if gate.pause.until(now.at).is_none() {
                    gate.pause.succeed();
                }
                closes = gate.breaker.succeed(create);
                if closes {
                    gate.window.restart();
                }
            }
            Some(failure) => {
                if is_too_much(failure.kind) {
                    gate.window.fail(create, now, most);
                }
                slow_down(gate, failure, now.at, jitter);
                let why = failure.to_string();
                let failed = Failed { kind: failure.kind, why: &why, now, jitter };
                match tells_of_provider(failure.kind) {
                    true => opened = gate.breaker.fail(create, failed, config),
                    false => gate.breaker.pass(create, now.at),
                }
            }
        }
        self.unserved = true;
        self.breaker_event(&name, opened, failure);
        if closes {
            self.provider_event(EventKind::BreakerClosed, &name, "VMs are created again".to_owned());
        }
        self.wake_pools(&name);
    }

    /// Takes in that a create was never sent, which tells nothing of its provider.
    pub(crate) fn create_not_sent(&mut self, create: EffectId) {
        let now = self.now;
        let mut providers = self.providers.iter_mut();
        let asked = providers.find(|(_, provider)| provider.gate.creates.contains_key(&create));
        let Some((name, provider)) = asked else { return };
        let name = name.clone();
        if let Some(vm) = provider.gate.creates.remove(&create) {
            provider.gate.unrecorded.answered(&vm, true, now);
        }
        provider.gate.breaker.pass(create, now);
        self.unserved = true;
        self.wake_pools(&name);
    }

    /// Takes in what a failed listing tells of creates: where listings fail, nobody knows what creates leave behind, so as
    /// many in a row as creates open the breaker, and a refused login at once.
    pub(crate) fn listing_refused(&mut self, name: &ProviderName, failure: &Failure) {
        let (now, jitter) = (self.moment(), self.rng.f64());
        let Some(provider) = self.providers.get_mut(name) else { return };
        slow_down(&mut provider.gate, failure, now.at, jitter);
        let why = failure.to_string();
        let failed = Failed { kind: failure.kind, why: &why, now, jitter };
        let is_enough =
            tells_of_provider(failure.kind) && provider.config.breaker_failures <= provider.failures;
        let opened = match is_enough || failure.kind == FailureKind::Authentication {
            true => provider.gate.breaker.trip(failed, &provider.config),
            false => None,
        };
        self.breaker_event(name, opened, Some(failure));
        // Pools that can make nothing now may be stood in for.
        self.unserved = true;
    }

    /// Lets the pools that wait for a provider look again.
    pub(crate) fn wake_pools(&mut self, name: &ProviderName) {
        if let Some(provider) = self.providers.get_mut(name) {
            self.growing.append(&mut provider.gate.waiting);
        }
    }

    fn breaker_event(&mut self, name: &ProviderName, opened: Option<Timestamp>, failure: Option<&Failure>) {
        if let Some((until, failure)) = opened.zip(failure) {
            let detail = format!("nothing is created until {until}: {failure}");
            self.provider_event(EventKind::BreakerOpened, name, detail);
        }
    }
}

/// Lets a provider that asks for it have its pause.
fn slow_down(gate: &mut Gate, failure: &Failure, now: Timestamp, jitter: f64) {
    let asks = failure.kind == FailureKind::RateLimited;
    let tells = tells_of_provider(failure.kind) && failure.retry_after.is_some();
    if asks || tells {
        let (min, max) = PAUSES;
        let why = &failure.to_string();
        let _ = gate.pause.fail(now, Trouble { min, max, asked: failure.retry_after, jitter, why });
    }
}

/// Returns whether a failed create tells of the provider as a whole, and not of what was to be made.
fn tells_of_provider(kind: FailureKind) -> bool {
    use FailureKind as K;
    let tells_of_offer = matches!(
        kind,
        K::NotFound
            | K::AlreadyExists
            | K::InvalidState
            | K::InvalidRequest
            | K::Permission
            | K::Quota
            | K::Capacity
            | K::Unsupported
    );
    !tells_of_offer
}

/// Returns whether a failed create tells that too much was asked for at once.
fn is_too_much(kind: FailureKind) -> bool {
    matches!(kind, FailureKind::Timeout | FailureKind::RateLimited | FailureKind::Capacity)
}

/// Returns whether a failed create proves that it made no node.
pub(crate) fn proves_no_node(failure: &Failure) -> bool {
    failure.certainty == Certainty::NotApplied && failure.kind != FailureKind::AlreadyExists
}
