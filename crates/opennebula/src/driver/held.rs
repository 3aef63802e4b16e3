//! VMs that were made on hold, and that nobody let go.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
};

use vmpool_model::{
    InstallationId, Node, Token,
    states::{RawState, opennebula::VmState},
};

use super::{OpenNebulaDriver, number, seen::Seen};
use crate::api::VirtualMachine;

/// How many VMs are remembered.
const REMEMBERED: usize = 10_000;

/// Lets VMs go that vmpool made on hold and could not let go, such as when it ended between the two.
///
/// They would wait on hold for ever; that they did not boot at once was to give who knows the token time to find them.
///
/// A VM can be put on hold only while it waits for a host. So one that was seen to wait, or that was let go here, has been put
/// on hold by somebody who wants that, and stays there. So does a VM of another installation. Which one is ours is known from
/// the first VM that is made, so until then none is let go: one that waits for it too long is replaced, and that makes one.
#[derive(Debug, Default)]
pub(super) struct Held {
    /// Since when VMs are seen on hold.
    since: Seen,
    known: Mutex<Known>,
    /// Locked while VMs are let go.
    busy: Arc<tokio::sync::Mutex<()>>,
}

#[derive(Debug, Default)]
struct Known {
    /// Those in whose names VMs were made here.
    installations: BTreeSet<InstallationId>,
    /// VMs that were not on hold, or not any more.
    gone_on: BTreeSet<i32>,
}

impl Known {
    fn is_ours(&self, token: &Token) -> bool {
        self.installations.contains(&token.installation)
    }

    fn goes_on(&mut self, id: i32) {
        if REMEMBERED <= self.gone_on.len() {
            // Ids grow, so the lowest one is the one that is over first.
            self.gone_on.pop_first();
        }
        self.gone_on.insert(id);
    }
}

impl Held {
    /// Remembers in whose name a VM is made.
    pub(super) fn makes(&self, token: Option<&Token>) {
        if let Some(token) = token {
            self.known().installations.insert(token.installation.clone());
        }
    }

    /// Remembers that a VM is let go.
    pub(super) fn goes_on(&self, id: i32) {
        self.known().goes_on(id);
    }

    /// Lets those go that a listing shows on hold for long enough; nobody waits for that.
    ///
    /// What fails is tried again after the next listing.
    pub(super) fn let_go(&self, driver: &OpenNebulaDriver, nodes: &[Node]) {
        let held = self.held(nodes);
        self.since.keep(&held);
        let is_due = |id: &i32| driver.options.release_after <= self.since.since(*id);
        let due: Vec<i32> = held.into_iter().filter(is_due).collect();
        if due.is_empty() {
            return;
        }
        let Ok(busy) = Arc::clone(&self.busy).try_lock_owned() else { return };
        let driver = driver.clone();
        tokio::spawn(async move {
            for id in due {
                if VirtualMachine::new(&driver.client, id).release().await.is_ok() {
                    driver.held.goes_on(id);
                }
            }
            drop(busy);
        });
    }

    /// Returns the VMs of a listing that wait on hold for whoever made them.
    fn held(&self, nodes: &[Node]) -> Vec<i32> {
        let mut known = self.known();
        let mut held = Vec::new();
        for node in nodes {
            let (Some(token), Some(id)) = (&node.token, number(&node.id)) else { continue };
            match node.raw_state {
                RawState::OpenNebula { vm: VmState::Pending, .. } => known.goes_on(id),
                RawState::OpenNebula { vm: VmState::Hold, .. }
                    if known.is_ours(token) && !known.gone_on.contains(&id) =>
                {
                    held.push(id);
                }
                _ => {}
            }
        }
        held
    }

    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use vmpool_model::{NodeId, states::NodeState, states::opennebula::LcmState};

    use super::*;

    fn node(id: i32, token: &str, vm: VmState) -> Node {
        let mut node = Node::new(NodeId::new(id.to_string()).unwrap(), "a", NodeState::Paused);
        node.token = token.parse().ok();
        node.raw_state = RawState::OpenNebula { vm, lcm: LcmState::LcmInit };
        node
    }

    #[test]
    fn a_vm_that_was_seen_to_wait_for_a_host_is_on_hold_because_somebody_wants_that() {
        let held = Held::default();
        held.makes("lab/small/z".parse().ok().as_ref());
        assert_eq!(held.held(&[node(7, "lab/small/a", VmState::Hold), node(8, "", VmState::Hold)]), [7]);
        assert_eq!(held.held(&[node(7, "lab/small/a", VmState::Pending)]), [0; 0]);
        assert_eq!(held.held(&[node(7, "lab/small/a", VmState::Hold)]), [0; 0]);
        held.goes_on(9);
        assert_eq!(held.held(&[node(9, "lab/small/b", VmState::Hold)]), [0; 0]);
    }

    #[test]
    fn the_vms_of_other_installations_stay_on_hold_and_all_do_before_ours_is_known() {
        let held = Held::default();
        let both = [node(1, "lab/small/a", VmState::Hold), node(2, "other/small/a", VmState::Hold)];
        assert_eq!(held.held(&both), [0; 0]);
        held.makes("lab/small/b".parse().ok().as_ref());
        assert_eq!(held.held(&both), [1]);
    }
}
