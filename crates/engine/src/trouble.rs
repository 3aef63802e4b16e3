//! What becomes of an offer whose VMs are not made, or never become ready.

use vmpool_model::{EventKind, Failure, FailureKind, VmName};

use crate::{Engine, backoff::Trouble};

impl Engine {
    /// Lets the offer of a VM pause before it is used again.
    pub(crate) fn spawn_trouble(&mut self, vm: &VmName, why: &str, failure: Option<&Failure>) {
        let (jitter, now) = (self.rng.f64(), self.now);
        let Some(record) = self.vms.get(vm).map(|vm| &vm.record) else { return };
        let Some(pool) = self.pools.get_mut(&record.pool) else { return };
        pool.problem = Some(why.to_owned());
        let (retry_min, retry_max) = (pool.config.retry_min, pool.config.retry_max);
        let Some(offer) = pool.offers.iter_mut().find(|offer| offer.made(record)) else { return };
        let is_permanent = failure.is_some_and(|failure| is_permanent(failure.kind));
        let trouble = Trouble {
            min: if is_permanent { retry_max } else { retry_min },
            max: retry_max,
            asked: failure.and_then(|failure| failure.retry_after),
            jitter,
            why,
        };
        let begins = offer.pause.fail(now, trouble);
        let until = offer.pause.until(now);
        let (name, provider, template) =
            (record.pool.clone(), record.provider.clone(), offer.config.template.clone());
        self.touched.insert(name.clone());
        if let Some(until) = until.filter(|_| begins) {
            self.event(EventKind::OfferPaused, |event| {
                event.pool = Some(name);
                event.provider = Some(provider);
                event.detail = format!("template {template:?} is not used until {until}: {why}");
            });
        }
    }

    /// Ends the pause of a VM's offer, as far as the provider did not ask for it: the VM is ready.
    pub(crate) fn spawn_success(&mut self, vm: &VmName) {
        self.booted(vm);
        let now = self.now;
        let Some(record) = self.vms.get(vm).map(|vm| &vm.record) else { return };
        let Some(pool) = self.pools.get_mut(&record.pool) else { return };
        if let Some(offer) = pool.offers.iter_mut().find(|offer| offer.made(record)) {
            offer.pause.succeed();
        }
        if pool.offers.iter().all(|offer| offer.pause.until(now).is_none()) {
            pool.problem = None;
        }
        self.touched.insert(record.pool.clone());
    }
}

/// Returns whether the same create will fail again until somebody changes the configuration.
fn is_permanent(kind: FailureKind) -> bool {
    use FailureKind as K;
    matches!(kind, K::InvalidRequest | K::NotFound | K::Unsupported | K::Permission)
}
