//! The brake on mass loss: what is missing all at once is not lost.

use std::collections::BTreeSet;

use vmpool_model::{EventKind, ProviderName, RecordState, Timestamp, VmName};

use crate::{Answer, EffectId, Engine, Refusal, missing::Absence, provider::Provider, vm::Vm};

/// However large the part of the known nodes is that is missing, fewer than these do not put the brake on.
const FEWEST: usize = 5;

/// That too many nodes of a provider are missing at once.
#[derive(Debug, Clone)]
pub(crate) struct Brake {
    pub(crate) since: Timestamp,
    /// How many nodes were known when the brake was put on.
    pub(crate) known: usize,
    /// The VMs whose nodes are missing since then.
    pub(crate) missing: BTreeSet<VmName>,
}

/// What a complete listing lacks.
#[derive(Debug, Default)]
struct Loss {
    /// How many nodes it should show, those left out that are being destroyed or whose loss is beyond doubt.
    known: usize,
    /// Those of them that it does not show.
    missing: BTreeSet<VmName>,
    /// All that it does not show.
    absent: Vec<VmName>,
}

impl Engine {
    /// Takes in which nodes a complete listing lacks: each counts as absent, unless they are too many.
    pub(crate) fn take_absences(&mut self, id: EffectId, name: &ProviderName, asked_at: Timestamp) {
        let Some(provider) = self.providers.get(name) else { return };
        // Where few are missing, it does not matter how many there are, and only those need be looked at.
        let unseen = provider.by_node.values().filter(|bound| bound.seen_in != Some(id));
        let mut loss = self.loss(id, provider, asked_at, unseen.filter_map(|bound| self.vms.get(&bound.vm)));
        let is_whole = provider.by_node.len() == provider.gate.with_nodes();
        if !is_whole || FEWEST <= loss.missing.len() {
            let of_provider = self.vms.unordered().filter(|vm| vm.record.provider == *name);
            loss = self.loss(id, provider, asked_at, of_provider);
        }
        loss.absent.sort();
        match self.brakes(name, &loss) {
            true => loss.absent.iter().for_each(|vm| self.doubt(vm)),
            false => loss.absent.iter().for_each(|vm| self.miss(vm, id)),
        }
    }

    /// Returns which of some VMs of a provider have nodes that a listing should show and does not.
    fn loss<'a>(
        &self,
        id: EffectId,
        provider: &Provider,
        asked_at: Timestamp,
        vms: impl Iterator<Item = &'a Vm>,
    ) -> Loss {
        let mut loss = Loss::default();
        let window = provider.config.visibility_window;
        for vm in vms.filter(|vm| vm.is_shown_by(id, asked_at, window)) {
            let is_absent = !self.is_seen(vm, provider, id);
            let is_accepted = vm.absent.is_some_and(|absence| absence.is_accepted);
            let counts = vm.record.state != RecordState::Terminating && !is_accepted;
            loss.known += usize::from(counts);
            if is_absent && counts {
                loss.missing.insert(vm.record.name.clone());
            }
            if is_absent {
                loss.absent.push(vm.record.name.clone());
            }
        }
        loss
    }

    /// Puts the brake on or lets it off, and returns whether it is on: what is missing then is not absent.
    fn brakes(&mut self, name: &ProviderName, loss: &Loss) -> bool {
        let since = self.now;
        let Some(provider) = self.providers.get_mut(name) else { return false };
        let percent = provider.config.max_loss_percent;
        let is_mass =
            |missing: usize, known: usize| FEWEST <= missing && usize::from(percent) * known < 100 * missing;
        let Loss { known, missing, absent } = loss;
        let many = is_mass(missing.len(), *known);
        let Some(brake) = &mut provider.brake else {
            if !many {
                return false;
            }
            provider.brake = Some(Brake { since, known: *known, missing: missing.clone() });
            let detail = format!(
                "{} of {known} nodes are missing, which is more than {percent} %: none counts as lost until enough of \
                 them are seen again or an operator accepts the loss",
                missing.len()
            );
            self.provider_event(EventKind::MassLoss, name, detail);
            return true;
        };
        // New VMs make the missing ones no fewer, nor does it help that their ends were asked for meanwhile.
        let still: BTreeSet<_> = absent.iter().filter(|vm| brake.missing.contains(*vm)).cloned().collect();
        let (missed, known) = (still.len(), brake.known);
        brake.missing = &still | missing;
        if many || is_mass(missed, known) {
            return true;
        }
        provider.brake = None;
        self.provider_event(EventKind::MassLossEnded, name, format!("{missed} of {known} nodes are missing"));
        false
    }

    /// Forgets that a VM's node is absent: what the brake keeps from being lost must be missed anew.
    fn doubt(&mut self, name: &VmName) {
        if let Some(vm) = self.vms.get_mut(name) {
            vm.absent = vm.absent.filter(|absence| absence.is_accepted);
        }
    }

    /// An operator says that what is missing at a provider is lost: each of it is, once it is proven.
    pub(crate) fn accept_loss(&mut self, name: &ProviderName) -> Answer {
        let now = self.now;
        let Some(provider) = self.providers.get_mut(name) else {
            let known = self.providers.keys().cloned().collect();
            return Answer::Refused(Refusal::UnknownProvider { provider: name.clone(), known });
        };
        let Some(Brake { missing, .. }) = provider.brake.take() else {
            return Answer::Refused(Refusal::NoMassLoss { provider: name.clone() });
        };
        let count = missing.len();
        for vm in missing {
            self.look_again(&vm);
            if let Some(vm) = self.vms.get_mut(&vm) {
                vm.absent.get_or_insert_with(|| Absence::new(now)).is_accepted = true;
            }
        }
        let detail = format!("an operator accepts that {count} nodes are lost; each is looked up once more");
        self.provider_event(EventKind::MassLossEnded, name, detail);
        Answer::Accepted
    }
}
