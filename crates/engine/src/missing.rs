//! Nodes that listings lack: lost only once the provider itself, asked for the very node, says so.

use std::time::Duration;

use vmpool_model::{Failure, Node, NodeView, RecordState, Timestamp, VmName};

use crate::{Effect, EffectId, Engine, backoff, vm::Vm};

/// That complete listings lack a VM's node.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Absence {
    since: Timestamp,
    /// How many complete listings lacked it in a row.
    times: u32,
    /// The listings prove what they can: the provider is to be asked for the node.
    is_ripe: bool,
    /// How many look-ups in a row failed, and when the next may be made.
    failures: u32,
    look_at: Timestamp,
    /// The loss is beyond doubt, or an operator said that it need not be doubted: the brake does not count it.
    pub(crate) is_accepted: bool,
    /// The provider said that there is no such node.
    is_proven: bool,
}

impl Absence {
    pub(crate) fn new(now: Timestamp) -> Self {
        let (is_ripe, is_accepted, is_proven) = (false, false, false);
        Self { since: now, times: 0, is_ripe, failures: 0, look_at: now, is_accepted, is_proven }
    }
}

impl Vm {
    /// Returns whether a listing can say that the VM's node is missing: it was asked for late enough to show it.
    pub(crate) fn is_shown_by(&self, listing: EffectId, asked_at: Timestamp, window: Duration) -> bool {
        self.record.node.is_some()
            && !self.record.is_gone()
            && self.asked_at.is_before(listing)
            && self.asked_at.at + window <= asked_at
    }

    /// Returns whether the node's loss would be news: what is being destroyed goes by itself, unless that is refused; then
    /// the node may have been gone before.
    fn may_be_lost(&self) -> bool {
        self.record.state != RecordState::Terminating || (self.record.attempts != 0 && !self.record.is_gone())
    }
}

impl Engine {
    /// A complete listing that is believed does not have the VM's node.
    pub(crate) fn miss(&mut self, name: &VmName, listing: EffectId) {
        let now = self.now;
        let Some(vm) = self.vms.get_mut(name) else { return };
        if vm.record.state == RecordState::Terminating {
            // Destroyed by us before the listing was asked for, and not there any more: gone.
            if vm.destroyed_at.is_some_and(|destroyed| destroyed.is_before(listing)) || vm.usurped {
                return self.vanish(name);
            }
        }
        if !vm.may_be_lost() {
            return;
        }
        let absence = vm.absent.get_or_insert_with(|| Absence::new(now));
        absence.times = absence.times.saturating_add(1);
        let provider = self.providers.get(&vm.record.provider);
        let grace = provider.map(|provider| provider.config.missing_grace).unwrap_or_default();
        absence.is_ripe = 2 <= absence.times && absence.since + grace <= now;
        self.look_again(name);
        self.look(name);
    }

    /// Asks the provider for the VM's node, if listings lack it for long enough.
    ///
    /// What is under way for the VM comes first; the look-up comes before whatever the VM needs next.
    pub(crate) fn look(&mut self, name: &VmName) {
        let Some(vm) = self.vms.get(name) else { return };
        let Some(Absence { is_ripe: true, is_proven: false, look_at, .. }) = vm.absent else { return };
        if vm.effect.is_some() || self.now < look_at || !vm.may_be_lost() {
            return;
        }
        let Some(node) = &vm.record.node else { return };
        let (provider, node) = (vm.record.provider.clone(), node.id.clone());
        self.start(name, Effect::Get { provider, vm: name.clone(), node });
    }

    /// The provider answered what it knows of the VM's node.
    pub(crate) fn got(&mut self, name: &VmName, result: Result<Option<Box<Node>>, Failure>) {
        match result {
            Ok(None) => self.denied(name),
            Ok(Some(node)) if self.is_of(name, &node) => {
                if let Some(vm) = self.vms.get_mut(name) {
                    vm.usurped = false;
                }
                self.observe(name, NodeView::from(&*node));
            }
            // What has the id now is another node, so the VM's own is gone.
            Ok(Some(_)) => self.denied(name),
            Err(failure) => self.look_later(name, &failure),
        }
        self.advance(name);
    }

    /// Returns whether a node that has the id of a VM's node says that it is that VM, or says nothing.
    fn is_of(&self, name: &VmName, node: &Node) -> bool {
        let Some(vm) = self.vms.get(name) else { return false };
        node.token.as_ref().is_none_or(|token| *token == vm.record.token(&self.spec.installation))
    }

    /// The provider says that the VM's node does not exist; that counts unless a listing has shown it meanwhile, or the
    /// look-up was made when the node may have been invisible.
    fn denied(&mut self, name: &VmName) {
        let window = self.visibility_window(name);
        let Some(vm) = self.vms.get_mut(name) else { return };
        let Some(absence) = &mut vm.absent else { return };
        let believed_at = vm.asked_at.at + window;
        if vm.started_at < believed_at {
            absence.look_at = believed_at;
            return;
        }
        (absence.is_accepted, absence.is_proven) = (true, true);
        match vm.record.state {
            RecordState::Terminating => self.vanish(name),
            _ => self.lose(name, "its node is missing at the provider"),
        }
    }

    fn look_later(&mut self, name: &VmName, failure: &Failure) {
        let jitter = self.rng.f64();
        let now = self.now;
        let Some(vm) = self.vms.get_mut(name) else { return };
        let Some(absence) = &mut vm.absent else { return };
        absence.failures = absence.failures.saturating_add(1);
        let (min, max) = (vm.config.retry_min, vm.config.retry_max);
        absence.look_at = now + backoff::pause(min, max, absence.failures, failure.retry_after, jitter);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{engine, on_demand, ready, spec};

    /// A ready VM whose node listings lack for long enough.
    fn missing() -> (Engine, VmName) {
        let (mut engine, name) =
            (engine(spec([("a", on_demand(1))]), vec![ready("a-1")]), VmName::new("a-1").unwrap());
        let absence = Absence { is_ripe: true, ..Absence::new(engine.now) };
        engine.vms.get_mut(&name).unwrap().absent = Some(absence);
        (engine, name)
    }

    #[test]
    fn a_node_is_looked_up_at_the_moment_at_which_it_may_be() {
        let (mut engine, name) = missing();
        engine.look(&name);
        assert!(engine.vms.get(&name).unwrap().effect.is_some());
    }

    #[test]
    fn a_look_up_counts_that_was_made_when_the_node_could_be_invisible_no_more() {
        let (mut engine, name) = missing();
        let window = engine.visibility_window(&name);
        let vm = engine.vms.get_mut(&name).unwrap();
        vm.started_at = vm.asked_at.at + window;
        engine.denied(&name);
        assert_eq!(engine.vm(&name).unwrap().state, RecordState::Terminating);
    }
}
