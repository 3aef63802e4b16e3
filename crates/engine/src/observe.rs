//! How a VM's node looks, and what follows from that for its VM.

use vmpool_model::{EventKind, NodeId, NodeView, RecordState, Transition, VmName, states::NodeState};

use crate::{Engine, life::is_of_checks, vm::Doing};

impl Engine {
    /// Takes in how the node looks, and does what that calls for.
    pub(crate) fn observe(&mut self, name: &VmName, node: NodeView) {
        self.bind(name, &node.id);
        let now = self.moment();
        let Some(vm) = self.vms.get_mut(name) else { return };
        vm.absent = None;
        let is_new = vm.record.node.as_ref().is_none_or(|known| known.id != node.id);
        if is_new {
            vm.asked_at = now;
            vm.destroyed_at = None;
        }
        vm.odd_since = (node.state != NodeState::Running).then(|| vm.odd_since.unwrap_or(now.at));
        // That the node runs says nothing against checks that fail.
        let runs = node.state == NodeState::Running;
        let stays = |suspect: &String| !runs || is_of_checks(suspect);
        let is_trusted = vm.record.suspect.as_ref().is_none_or(stays);
        if vm.record.node.as_ref() != Some(&node) || !is_trusted {
            self.readdress(name, &node.addresses);
            self.edit(name, |record| {
                record.suspect = record.suspect.take().filter(stays);
                record.node = Some(node);
            });
        }
        self.react(name);
    }

    fn react(&mut self, name: &VmName) {
        let Some(vm) = self.vms.get(name) else { return };
        let Some(node) = &vm.record.node else { return };
        let (node_state, has_address) = (node.state, !node.addresses.is_empty());
        let is_dead = matches!(node_state, NodeState::Terminated | NodeState::Error);
        let is_off = matches!(node_state, NodeState::Stopped | NodeState::Suspended | NodeState::Paused);
        let is_kept = vm.is_kept();
        match vm.record.state {
            RecordState::Spawning if is_dead => {
                self.spawn_trouble(name, &format!("its node came up as {node_state}"), None);
                self.terminate(name, &format!("its node came up as {node_state}"));
            }
            RecordState::Spawning if node_state == NodeState::Running && has_address => self.got_ip(name),
            RecordState::Spawning => {}
            _ if is_kept && (is_dead || is_off) => {
                self.suspect(name, &format!("its node is {node_state}"));
            }
            RecordState::Terminating if node_state == NodeState::Terminated => self.vanish(name),
            RecordState::Terminating => self.advance(name),
            _ if is_dead || is_off => self.terminate(name, &format!("its node is {node_state}")),
            RecordState::Ready => self.advance(name),
            _ => {}
        }
    }

    /// Binds a node to the VM that it says it is; another VM that had a node with this id has lost it, because ids
    /// can come back.
    pub(crate) fn bind(&mut self, name: &VmName, node: &NodeId) {
        let Some(vm) = self.vms.get(name) else { return };
        let Some(provider) = self.providers.get_mut(&vm.record.provider) else { return };
        let orphan = provider.orphans.remove(node);
        let was_counted = provider.gate.unrecorded.remove(node);
        let before = provider.bind(node, name).filter(|before| before != name);
        let is_aimed_at = orphan.is_some_and(|orphan| orphan.destroying.is_some())
            || before.as_ref().and_then(|vm| self.vms.get(vm)).is_some_and(|vm| vm.is_doing(Doing::Destroy));
        if was_counted {
            let provider = self.vms.get(name).map(|vm| vm.record.provider.clone());
            provider.iter().for_each(|provider| self.room_changed(provider));
        }
        if let Some(before) = before {
            self.lose(&before, "its node is gone: another VM's node has its id");
        }
        // What was to end a node that had this id may end this one, so that nobody is to get it.
        if is_aimed_at && self.vms.get(name).is_some_and(|vm| !vm.is_kept()) {
            self.terminate(name, "a node that had its id was being destroyed when it was made");
        }
    }

    /// Gives up a VM whose node is lost, unless somebody uses it or wants it kept.
    pub(crate) fn lose(&mut self, name: &VmName, why: &str) {
        let Some(vm) = self.vms.get(name) else { return };
        match vm.record.state {
            _ if vm.is_kept() => self.suspect(name, why),
            RecordState::Terminating => self.advance(name),
            _ => self.terminate(name, why),
        }
    }

    fn got_ip(&mut self, name: &VmName) {
        let now = self.now;
        if !self.transit(name, Transition::GetIp, |record| record.starting_since = Some(now)) {
            return;
        }
        self.forget_effect(name);
        let Some(vm) = self.vms.get(name) else { return };
        let pool = vm.record.pool.clone();
        let addresses = vm.record.node.iter().flat_map(|node| &node.addresses).map(ToString::to_string);
        let detail = addresses.collect::<Vec<_>>().join(", ");
        self.event(EventKind::VmGotIp, |event| {
            event.pool = Some(pool);
            event.vm = Some(name.clone());
            event.detail = detail;
        });
        self.advance(name);
    }

    /// Doubts a VM that somebody uses; nothing else happens to it.
    pub(crate) fn suspect(&mut self, name: &VmName, why: &str) {
        let Some(vm) = self.vms.get(name) else { return };
        if vm.record.suspect.as_deref() == Some(why) {
            return;
        }
        let (pool, lease, owner) = (vm.record.pool.clone(), vm.record.lease.clone(), vm.record.owner.clone());
        self.edit(name, |record| record.suspect = Some(why.to_owned()));
        self.event(EventKind::VmSuspect, |event| {
            event.pool = Some(pool);
            event.vm = Some(name.clone());
            event.lease = lease;
            event.owner = owner;
            event.detail = why.to_owned();
        });
    }
}
