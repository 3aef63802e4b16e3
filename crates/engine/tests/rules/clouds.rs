//! Two providers, `lab` and `far`, and effects that are picked by where they are asked for.

use vmpool_engine::{Effect, EffectId, Outcome};
use vmpool_model::{
    Failure, Node, ProviderName, Token,
    config::{OfferConfig, PoolConfig, ProviderConfig},
    states::NodeState,
};

use crate::lab::{Lab, config, spec};

pub(crate) fn named(provider: &str) -> ProviderName {
    ProviderName::new(provider).unwrap()
}

/// An offer of template `template` at a provider.
pub(crate) fn offer(provider: &str, preference: u32) -> OfferConfig {
    let mut offer = OfferConfig::new(named(provider), "template");
    offer.preference = preference;
    offer
}

/// A pool that may have `size` VMs starting at once, of these offers.
pub(crate) fn offering(size: u32, offers: Vec<OfferConfig>) -> PoolConfig {
    let mut pool = config(size);
    (pool.provider, pool.template, pool.offers) = (None, None, offers);
    pool.max_starting = size.max(1);
    pool
}

/// A pool at the two providers.
pub(crate) fn between(pool: PoolConfig) -> Lab {
    Lab::of(both(pool))
}

pub(crate) fn both(pool: PoolConfig) -> vmpool_engine::Spec {
    let mut spec = spec(pool);
    let far: ProviderConfig = spec.providers[&named("lab")].clone();
    spec.providers.insert(named("far"), far);
    spec
}

impl Lab {
    fn creates_of(&self, provider: &str) -> Vec<(EffectId, Token)> {
        let of_it = |(id, effect): (&EffectId, &Effect)| match effect {
            Effect::Create { provider: at, token, .. } if at.as_str() == provider => {
                Some((*id, token.clone()))
            }
            _ => None,
        };
        self.effects.iter().filter_map(of_it).collect()
    }

    /// How many creates a provider has not answered yet.
    pub(crate) fn creates_at(&self, provider: &str) -> usize {
        self.creates_of(provider).len()
    }

    /// Answers the first create at a provider with a node.
    pub(crate) fn made_at(&mut self, provider: &str, state: NodeState) -> Node {
        let (id, token) = self.creates_of(provider).remove(0);
        let node = self.node(&token, state);
        self.answer(id, Outcome::Created(Ok(Box::new(node.clone()))));
        node
    }

    /// Answers the first create at a provider with a failure.
    pub(crate) fn failed_at(&mut self, provider: &str, failure: Failure) {
        let (id, _) = self.creates_of(provider).remove(0);
        self.answer(id, Outcome::Created(Err(failure)));
    }

    /// How many records are at each of the two providers.
    pub(crate) fn spread(&self) -> [usize; 2] {
        ["lab", "far"].map(|name| self.vms().filter(|vm| vm.provider.as_str() == name).count())
    }
}
