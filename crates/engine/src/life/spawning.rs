//! From the intent of a VM to its node: asked for, looked for, given up.

use vmpool_model::{EventKind, Timestamp, Transition, VmName, config::OfferConfig};

use crate::{Effect, Engine, offer::Offer};

impl Engine {
    pub(crate) fn advance_spawning(&mut self, name: &VmName) -> Option<Timestamp> {
        let vm = self.vms.get(name)?;
        let deadline = (vm.record.created_at + vm.config.boot_timeout).max(vm.spared_until);
        if deadline <= self.now {
            let why = "it took longer than boot_timeout to start";
            self.spawn_trouble(name, why, None);
            self.terminate(name, why);
            return None;
        }
        if vm.record.node.is_some() || vm.effect.is_some() {
            return Some(deadline);
        }
        match vm.record.retry_at {
            Some(retry_at) if self.now < retry_at => return Some(retry_at.min(deadline)),
            _ => {}
        }
        // After a change of the configuration, the template may be gone, or another provider's.
        let pool = self.pools.get(&vm.record.pool);
        let is_wanted = pool.is_some_and(|pool| {
            let is_its = |offer: &Offer| {
                let OfferConfig { provider, template, .. } = &offer.config;
                *provider == vm.record.provider && *template == vm.record.template
            };
            !pool.retired && pool.offers.iter().any(is_its)
        });
        match vm.may_exist {
            true => self.find(name),
            false if is_wanted && self.may_create(name) => self.create(name),
            false if is_wanted => {
                self.give_way(name);
                return None;
            }
            false => {
                self.terminate(name, "its pool no longer makes such VMs");
                return None;
            }
        }
        Some(deadline)
    }

    /// Gives up a VM that was never made, so that its pool makes another one when and where it can.
    fn give_way(&mut self, name: &VmName) {
        let pool = self.vms.get(name).map(|vm| vm.record.pool.clone());
        self.event(EventKind::VmGone, |event| {
            event.pool = pool;
            event.vm = Some(name.clone());
            event.detail = "it was never made, and cannot be made now where it was asked for".to_owned();
        });
        self.transit(name, Transition::NotCreated, |_| {});
    }

    pub(crate) fn create(&mut self, name: &VmName) {
        let Some(vm) = self.vms.get(name) else { return };
        let effect = Effect::Create {
            provider: vm.record.provider.clone(),
            vm: name.clone(),
            token: vm.record.token(&self.spec.installation),
            template: vm.record.template.clone(),
        };
        self.start(name, effect);
        let now = self.moment();
        if let Some(vm) = self.vms.get_mut(name) {
            // From here on only a look-up can tell that there is no node.
            vm.may_exist = true;
            vm.asked_at = now;
        }
        self.create_asked(name);
    }

    pub(crate) fn find(&mut self, name: &VmName) {
        let Some(vm) = self.vms.get(name) else { return };
        let effect = Effect::Find {
            provider: vm.record.provider.clone(),
            vm: name.clone(),
            token: vm.record.token(&self.spec.installation),
        };
        self.start(name, effect);
    }
}
