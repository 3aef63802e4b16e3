//! What became of effects.

use vmpool_model::{EventKind, Failure, Node, NodeView, RecordState, Transition, VmName, states::NodeState};

use crate::{EffectId, Engine, Outcome, account::proves_no_node, backoff};

impl Engine {
    pub(crate) fn done(&mut self, id: EffectId, outcome: Outcome) {
        if let Outcome::Listed { provider, result } = outcome {
            return self.listed(id, &provider, result);
        }
        if let Outcome::Glanced { provider, node, result } = outcome {
            return self.glanced(id, &provider, &node, result);
        }
        match &outcome {
            Outcome::Created(result) => self.create_answered(id, result.as_ref().err()),
            Outcome::NotSent => self.create_not_sent(id),
            _ => {}
        }
        let Some(name) = self.awaited.remove(&id) else {
            return self.orphan_done(id, matches!(outcome, Outcome::Destroyed(Ok(()))));
        };
        match self.vms.get_mut(&name) {
            Some(vm) if vm.effect == Some(id) => vm.effect = None,
            Some(vm) if vm.expiry.effect == Some(id) => vm.expiry.effect = None,
            _ => return,
        }
        match outcome {
            Outcome::Created(Ok(node)) => self.created(&name, &node),
            Outcome::Created(Err(failure)) => self.not_created(&name, &failure),
            Outcome::NotSent => {
                // A create is asked for only where no node is.
                if let Some(vm) = self.vms.get_mut(&name) {
                    vm.may_exist = false;
                }
                self.advance(&name);
            }
            Outcome::Found(Ok(nodes)) => self.found(&name, &nodes),
            Outcome::Found(Err(failure)) => {
                self.retry_later(&name, &failure);
                self.advance(&name);
            }
            Outcome::Destroyed(result) => self.destroyed(&name, result),
            Outcome::Checked(result) => self.checked(&name, result),
            Outcome::Got(result) => self.got(&name, result),
            Outcome::Hooked(result) => self.hooked(&name, result),
            Outcome::ExpirySet(result) => self.expiry_set(&name, result),
            Outcome::Listed { .. } | Outcome::Glanced { .. } => {}
        }
    }

    fn created(&mut self, name: &VmName, node: &Node) {
        let Some(vm) = self.vms.get(name) else { return };
        // A listing may have shown it before the answer came.
        if vm.record.node.is_none() {
            let pool = vm.record.pool.clone();
            self.event(EventKind::VmCreated, |event| {
                event.pool = Some(pool);
                event.vm = Some(name.clone());
                event.detail = format!("node {}", node.id);
            });
        }
        if vm_knows_other(self, name, node) {
            return self.advance(name);
        }
        self.observe(name, NodeView::from(node));
        self.advance(name);
    }

    fn not_created(&mut self, name: &VmName, failure: &Failure) {
        let now = self.moment();
        let Some(vm) = self.vms.get_mut(name) else { return };
        let certain = proves_no_node(failure);
        let (pool, state, has_node) = (vm.record.pool.clone(), vm.record.state, vm.record.node.is_some());
        if !certain {
            // The provider may have taken until now to make the node, and only now it begins to be invisible.
            vm.asked_at = now;
        }
        self.spawn_trouble(name, &failure.to_string(), Some(failure));
        if certain && !has_node {
            if state == RecordState::Terminating {
                return self.vanish(name);
            }
            self.event(EventKind::SpawnFailed, |event| {
                event.pool = Some(pool);
                event.vm = Some(name.clone());
                event.detail = failure.to_string();
            });
            self.transit(name, Transition::NotCreated, |_| {});
            return;
        }
        self.event(EventKind::CreateUnknown, |event| {
            event.pool = Some(pool);
            event.vm = Some(name.clone());
            event.detail = failure.to_string();
        });
        self.retry_later(name, failure);
        self.advance(name);
    }

    /// A look-up told which nodes carry the VM's token.
    fn found(&mut self, name: &VmName, nodes: &[Node]) {
        let Some(vm) = self.vms.get(name) else { return };
        if vm.record.node.is_some() {
            return self.advance(name);
        }
        let best = nodes
            .iter()
            .min_by_key(|node| (node.state == NodeState::Terminated, node.state == NodeState::Error));
        if let Some(node) = best {
            return self.adopt(name, node);
        }
        // What counts is when the look-up was asked for: its answer may be older than it is late. A create may take effect at
        // the last moment, and its node be invisible from then on.
        let believed_at = vm.asked_at.at + self.create_settle(name) + self.visibility_window(name);
        if vm.started_at < believed_at {
            self.edit(name, |record| record.retry_at = Some(believed_at));
            return self.advance(name);
        }
        if let Some(vm) = self.vms.get_mut(name) {
            vm.may_exist = false;
        }
        self.advance(name);
    }

    /// Takes over a node whose creation was never answered.
    pub(crate) fn adopt(&mut self, name: &VmName, node: &Node) {
        let pool = self.vms.get(name).map(|vm| vm.record.pool.clone());
        self.event(EventKind::VmAdopted, |event| {
            event.pool = pool;
            event.vm = Some(name.clone());
            event.detail = format!("node {}", node.id);
        });
        self.observe(name, NodeView::from(node));
        self.advance(name);
    }

    /// Remembers a failure and when the present step may be tried again.
    pub(crate) fn retry_later(&mut self, name: &VmName, failure: &Failure) {
        let jitter = self.rng.f64();
        let Some(vm) = self.vms.get(name) else { return };
        let attempts = vm.record.attempts.saturating_add(1);
        let config = &vm.config;
        let pause = backoff::pause(config.retry_min, config.retry_max, attempts, failure.retry_after, jitter);
        let retry_at = self.now + pause;
        self.edit(name, |record| {
            record.attempts = attempts;
            record.retry_at = Some(retry_at);
            record.problem = Some(failure.to_string());
        });
    }

    pub(crate) fn visibility_window(&self, name: &VmName) -> std::time::Duration {
        let provider = self.vms.get(name).and_then(|vm| self.providers.get(&vm.record.provider));
        provider.map(|provider| provider.config.visibility_window).unwrap_or_default()
    }

    /// Returns how long a create that was not answered may still take effect.
    fn create_settle(&self, name: &VmName) -> std::time::Duration {
        let provider = self.vms.get(name).and_then(|vm| self.providers.get(&vm.record.provider));
        provider.map(|provider| provider.config.create_settle()).unwrap_or_default()
    }
}

fn vm_knows_other(engine: &Engine, name: &VmName, node: &Node) -> bool {
    let known = engine.vms.get(name).and_then(|vm| vm.record.node.as_ref());
    known.is_some_and(|known| known.id != node.id)
}
