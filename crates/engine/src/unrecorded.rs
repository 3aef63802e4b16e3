//! Nodes of ours that no record speaks of: each takes room in the quota of its provider until it is proven gone.

use std::{collections::BTreeMap, time::Duration};

use vmpool_model::{Node, NodeId, PoolName, ProviderName, Timestamp, VmName, states::NodeState};

use crate::{EffectId, Engine, moment::Moment, pool::Pool, quota::Usage};

/// What VMs need of a provider, by name.
pub(crate) type Needs = BTreeMap<String, u64>;

/// What there is at a provider, or may be, although no record says so.
#[derive(Debug, Default)]
pub(crate) struct Unrecorded {
    nodes: BTreeMap<NodeId, Found>,
    /// VMs that were forgotten before their nodes were known, if they have any.
    sought: BTreeMap<VmName, Sought>,
    usage: Usage,
    leaving: Usage,
}

/// A node that no record speaks of.
#[derive(Debug)]
struct Found {
    needs: Needs,
    /// Its destruction was asked for.
    leaves: bool,
    /// When its provider accepted to destroy it.
    destroyed_at: Option<Moment>,
    /// From when on a listing that is asked for must show it.
    visible_from: Timestamp,
    /// The last listing that showed it.
    seen_in: Option<EffectId>,
    /// How many complete listings in a row lacked it.
    missed: u32,
}

/// A VM that was forgotten before its node was known.
#[derive(Debug)]
struct Sought {
    needs: Needs,
    /// Since when nothing more was asked for it.
    since: Timestamp,
}

/// A complete listing, as far as it can prove what is gone.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Proof {
    pub(crate) listing: EffectId,
    pub(crate) asked_at: Timestamp,
    /// How long after it was asked for a node may come to be that no listing shows.
    pub(crate) settles: Duration,
}

impl Unrecorded {
    pub(crate) fn is_empty(&self) -> bool {
        self.nodes.is_empty() && self.sought.is_empty()
    }

    /// Returns what they all take.
    pub(crate) fn usage(&self) -> &Usage {
        &self.usage
    }

    /// Returns what those take that are being destroyed.
    pub(crate) fn leaving(&self) -> &Usage {
        &self.leaving
    }

    /// A listing shows a node; returns whether that changes what is taken.
    pub(crate) fn show(&mut self, node: &NodeId, vm: &VmName, needs: Needs, listing: EffectId) -> bool {
        let sought = self.drop_sought(vm);
        if let Some(found) = self.nodes.get_mut(node) {
            (found.seen_in, found.missed) = (Some(listing), 0);
            return sought.is_some();
        }
        let found = Found {
            // The record that was forgotten knew it better than anybody does now.
            needs: sought.unwrap_or(needs),
            leaves: false,
            destroyed_at: None,
            visible_from: Timestamp::default(),
            seen_in: Some(listing),
            missed: 0,
        };
        self.put(node, found);
        true
    }

    /// The record of a VM is removed whose node may be there.
    pub(crate) fn forget(&mut self, node: &NodeId, needs: Needs, visible_from: Timestamp) {
        let (leaves, destroyed_at, seen_in, missed) = (false, None, None, 0);
        self.put(node, Found { needs, leaves, destroyed_at, visible_from, seen_in, missed });
    }

    /// The record of a VM is removed whose node is not known, and may be there or still come to be.
    pub(crate) fn seek(&mut self, vm: &VmName, needs: Needs, since: Timestamp) {
        self.drop_sought(vm);
        self.usage.add_vm(&needs);
        self.sought.insert(vm.clone(), Sought { needs, since });
    }

    /// A create was answered of a VM that was forgotten; returns whether that changes what is taken.
    pub(crate) fn answered(&mut self, vm: &VmName, is_refused: bool, now: Timestamp) -> bool {
        if is_refused {
            return self.drop_sought(vm).is_some();
        }
        if let Some(sought) = self.sought.get_mut(vm) {
            sought.since = now;
        }
        false
    }

    /// The destruction of a node is asked for.
    pub(crate) fn leave(&mut self, node: &NodeId) {
        if let Some(found) = self.nodes.get_mut(node).filter(|found| !found.leaves) {
            found.leaves = true;
            self.leaving.add_vm(&found.needs);
        }
    }

    /// The destruction of a node was accepted, or not.
    pub(crate) fn destroyed(&mut self, node: &NodeId, is_accepted: bool, now: Moment) {
        let Some(found) = self.nodes.get_mut(node) else { return };
        if is_accepted {
            found.destroyed_at = Some(now);
        } else if std::mem::take(&mut found.leaves) {
            self.leaving.remove_vm(&found.needs);
        }
    }

    /// A node is proven gone, or has its record; returns whether that changes what is taken.
    pub(crate) fn remove(&mut self, node: &NodeId) -> bool {
        let Some(found) = self.nodes.remove(node) else { return false };
        self.usage.remove_vm(&found.needs);
        if found.leaves {
            self.leaving.remove_vm(&found.needs);
        }
        true
    }

    /// Takes in what a complete listing lacks; returns whether that changes what is taken.
    ///
    /// What was destroyed before the listing was asked for is gone then. Of anything else one listing may be wrong, and two in a
    /// row are believed: nothing is lost by that but room. What is still being asked for cannot be proven not to come.
    pub(crate) fn miss(&mut self, proof: Proof, is_asked_for: impl Fn(&VmName) -> bool) -> bool {
        let Proof { listing, asked_at, settles } = proof;
        let mut gone = Vec::new();
        for (node, found) in &mut self.nodes {
            if found.seen_in == Some(listing) || asked_at < found.visible_from {
                continue;
            }
            found.missed = found.missed.saturating_add(1);
            if 2 <= found.missed || found.destroyed_at.is_some_and(|at| at.is_before(listing)) {
                gone.push(node.clone());
            }
        }
        let is_over =
            |(vm, sought): &(&VmName, &Sought)| sought.since + settles <= asked_at && !is_asked_for(vm);
        let over: Vec<_> = self.sought.iter().filter(is_over).map(|(vm, _)| vm.clone()).collect();
        let gone = gone.iter().filter(|node| self.remove(node)).count();
        let over = over.iter().filter_map(|vm| self.drop_sought(vm)).count();
        gone + over != 0
    }

    fn put(&mut self, node: &NodeId, found: Found) {
        self.remove(node);
        self.usage.add_vm(&found.needs);
        self.nodes.insert(node.clone(), found);
    }

    fn drop_sought(&mut self, vm: &VmName) -> Option<Needs> {
        let Sought { needs, .. } = self.sought.remove(vm)?;
        self.usage.remove_vm(&needs);
        Some(needs)
    }

    /// Returns whether a node is counted.
    pub(crate) fn has(&self, node: &NodeId) -> bool {
        self.nodes.contains_key(node)
    }

    /// Returns the nodes that are known.
    pub(crate) fn nodes(&self) -> impl Iterator<Item = &NodeId> {
        self.nodes.keys()
    }

    /// Returns whether what is taken is what a recount says.
    pub(crate) fn is_counted_right(&self) -> bool {
        let (mut usage, mut leaving) = (Usage::default(), Usage::default());
        for found in self.nodes.values() {
            usage.add_vm(&found.needs);
            if found.leaves {
                leaving.add_vm(&found.needs);
            }
        }
        self.sought.values().for_each(|sought| usage.add_vm(&sought.needs));
        (&usage, &leaving) == (&self.usage, &self.leaving)
    }
}

impl Pool {
    /// Returns what a VM of the pool needs at most at each provider that it may be at.
    pub(crate) fn most_needs(&self) -> BTreeMap<ProviderName, Needs> {
        let mut needs = BTreeMap::<_, Needs>::new();
        for offer in &self.offers {
            let most = needs.entry(offer.config.provider.clone()).or_default();
            for (resource, amount) in &offer.config.needs {
                let before = most.entry(resource.clone()).or_default();
                *before = (*before).max(*amount);
            }
        }
        needs
    }
}

impl Engine {
    /// A listing shows a node of ours that no record speaks of: it takes room from now on.
    ///
    /// Of which offer it was made, nobody knows any more, so it takes the most that its pool's offers need there; of a pool that
    /// there is not, it is one VM and takes nothing else.
    pub(crate) fn reckon(&mut self, listing: EffectId, name: &ProviderName, node: &Node) {
        let Some(token) = &node.token else { return };
        let record = self.vms.get(&token.vm).map(|vm| &vm.record).filter(|vm| vm.provider == *name);
        let needs = match record {
            Some(record) => record.needs.clone(),
            None => self.most_needed(&token.pool, name),
        };
        let Some(provider) = self.providers.get_mut(name) else { return };
        let unrecorded = &mut provider.gate.unrecorded;
        let is_changed = match node.state {
            NodeState::Terminated => {
                provider.orphans.retain(|id, orphan| *id != node.id || orphan.destroying.is_some());
                unrecorded.remove(&node.id)
            }
            _ => unrecorded.show(&node.id, &token.vm, needs, listing),
        };
        if is_changed {
            self.room_changed(name);
        }
    }

    fn most_needed(&self, pool: &PoolName, provider: &ProviderName) -> Needs {
        let needs = self.pools.get(pool).map(Pool::most_needs);
        needs.and_then(|mut needs| needs.remove(provider)).unwrap_or_default()
    }

    /// Takes in which of the nodes without a record a complete listing lacks.
    pub(crate) fn miss_unrecorded(&mut self, listing: EffectId, name: &ProviderName, asked_at: Timestamp) {
        let Some(provider) = self.providers.get_mut(name) else { return };
        let (config, gate) = (&provider.config, &mut provider.gate);
        let settles = config.settles();
        let creates = &gate.creates;
        let is_asked_for = |vm: &VmName| creates.values().any(|asked| asked == vm);
        if gate.unrecorded.miss(Proof { listing, asked_at, settles }, is_asked_for) {
            self.room_changed(name);
        }
    }

    /// Goes on counting what a VM takes whose record is about to be removed although its node may be there.
    pub(crate) fn go_on_counting(&mut self, name: &VmName) {
        let Some(vm) = self.vms.get(name).filter(|vm| !vm.record.is_gone()) else { return };
        let Some(provider) = self.providers.get_mut(&vm.record.provider) else { return };
        let (needs, unrecorded) = (vm.record.needs.clone(), &mut provider.gate.unrecorded);
        let window = provider.config.visibility_window;
        match &vm.record.node {
            Some(node) if provider.by_node.get(&node.id).is_some_and(|bound| bound.vm == *name) => {
                provider.by_node.remove(&node.id);
                unrecorded.forget(&node.id, needs, vm.asked_at.at + window);
            }
            // Another VM has the node by now.
            Some(_) => {}
            None if vm.may_exist => {
                unrecorded.seek(name, needs, self.now);
                let pool = vm.record.pool.clone();
                self.note_forgotten(&pool);
            }
            None => {}
        }
    }

    /// Writes that a VM of a pool was forgotten whose create may still take effect, so that who starts next knows it, too.
    fn note_forgotten(&mut self, pool: &PoolName) {
        if let Some(pool) = self.pools.get_mut(pool) {
            pool.forgotten_at = Some(self.now);
        }
        self.put_pool(pool);
    }

    /// Goes on counting what a VM takes at most whose record cannot be read and is about to be removed.
    pub(crate) fn seek_unreadable(&mut self, name: &VmName) {
        let Some(pool) = self.pool_by_name_of(name) else { return };
        let needs = self.pools.get(&pool).map(Pool::most_needs).unwrap_or_default();
        self.note_forgotten(&pool);
        for (provider, needs) in needs {
            if let Some(provider) = self.providers.get_mut(&provider) {
                provider.gate.unrecorded.seek(name, needs, self.now);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        provider::Orphan,
        sample::{engine, on_demand, pool, provider, ready, spec},
    };

    fn node(id: &str) -> NodeId {
        NodeId::new(id).unwrap()
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(1000 * seconds)
    }

    /// One node that is visible from the tenth second on.
    fn one() -> Unrecorded {
        let mut unrecorded = Unrecorded::default();
        unrecorded.forget(&node("1"), Needs::new(), at(10));
        unrecorded
    }

    /// Whether a listing that was asked for then proves that something is gone.
    fn proves(unrecorded: &mut Unrecorded, listing: u64, second: i64) -> bool {
        let proof = Proof { listing: EffectId(listing), asked_at: at(second), settles: Duration::ZERO };
        let is_gone = unrecorded.miss(proof, |_| false);
        assert!(unrecorded.is_counted_right());
        is_gone
    }

    #[test]
    fn what_is_being_destroyed_makes_room_soon_and_counts_until_it_is_gone() {
        let mut unrecorded = one();
        for _ in 0..2 {
            unrecorded.leave(&node("1"));
            assert_eq!((unrecorded.usage().vms, unrecorded.leaving().vms), (1, 1), "once");
        }
        let now = engine(spec([]), Vec::new()).moment();
        unrecorded.destroyed(&node("1"), false, now);
        assert_eq!((unrecorded.usage().vms, unrecorded.leaving().vms), (1, 0), "it was refused");
        unrecorded.leave(&node("1"));
        assert!(unrecorded.remove(&node("1")) && unrecorded.is_counted_right());
        assert_eq!((unrecorded.usage().vms, unrecorded.leaving().vms), (0, 0));
    }

    #[test]
    fn a_listing_proves_something_from_the_moment_on_from_which_it_must_show_it() {
        let mut unrecorded = one();
        assert_eq!([proves(&mut unrecorded, 1, 9), proves(&mut unrecorded, 2, 9)], [false, false]);
        assert_eq!([proves(&mut unrecorded, 3, 10), proves(&mut unrecorded, 4, 10)], [false, true]);
    }

    #[test]
    fn what_nothing_more_is_asked_for_is_over_with_the_first_listing_that_must_show_it() {
        let vm = VmName::new("a-1").unwrap();
        for (second, is_asked_for, is_over) in [(9, false, false), (10, true, false), (10, false, true)] {
            let mut unrecorded = Unrecorded::default();
            unrecorded.seek(&vm, Needs::new(), at(10));
            let proof = Proof { listing: EffectId(1), asked_at: at(second), settles: Duration::ZERO };
            assert_eq!(unrecorded.miss(proof, |_| is_asked_for), is_over, "{second} {is_asked_for}");
            assert_eq!(unrecorded.usage().vms, u128::from(!is_over));
        }
    }

    #[test]
    fn a_node_is_counted_or_not_and_a_wrong_count_is_told() {
        let mut unrecorded = one();
        assert_eq!(["1", "2"].map(|id| unrecorded.has(&node(id))), [true, false]);
        unrecorded.usage.add_vm(&Needs::new());
        assert!(!unrecorded.is_counted_right());
    }

    /// A node of the VM `a-1`, and an engine that has a record of it, which says that it needs 3 cores.
    fn known(id: &str) -> (Engine, Node) {
        let mut record = ready("a-1");
        record.needs.insert("cores".to_owned(), 3);
        let engine = engine(spec([("a", on_demand(9))]), vec![record]);
        let mut node = Node::new(node(id), "a-1", NodeState::Running);
        let (installation, vm) = (engine.spec.installation.clone(), VmName::new("a-1").unwrap());
        node.token = Some(vmpool_model::Token::new(installation, pool("a"), vm));
        (engine, node)
    }

    fn unrecorded(engine: &Engine) -> &Unrecorded {
        &engine.providers.get(&provider()).unwrap().gate.unrecorded
    }

    #[test]
    fn a_node_takes_what_the_record_of_its_vm_says_if_that_is_of_its_provider() {
        let (mut engine, node) = known("other");
        engine.reckon(EffectId(1), &provider(), &node);
        assert_eq!((unrecorded(&engine).usage().vms, unrecorded(&engine).usage().of("cores")), (1, 3));

        let far = ProviderName::new("far").unwrap();
        let config = vmpool_model::config::ProviderConfig::new("dummy");
        engine.providers.insert(far.clone(), crate::provider::Provider::new(config, 7, engine.now));
        engine.reckon(EffectId(1), &far, &node);
        let taken = engine.providers.get(&far).unwrap().gate.unrecorded.usage();
        assert_eq!((taken.vms, taken.of("cores")), (1, 0));
    }

    #[test]
    fn a_node_that_is_listed_as_terminated_is_no_orphan_any_more_unless_it_is_being_destroyed() {
        let (mut engine, mut terminated) = known("1");
        terminated.state = NodeState::Terminated;
        let orphan = |destroying| Orphan { pool: None, since: Timestamp::default(), seen: 1, destroying };
        let orphans = [("1", None), ("2", None), ("3", Some(EffectId(5)))];
        let orphans = orphans.map(|(id, destroying)| (node(id), orphan(destroying)));
        engine.providers.get_mut(&provider()).unwrap().orphans = orphans.into_iter().collect();
        for id in ["1", "3"] {
            terminated.id = node(id);
            engine.reckon(EffectId(1), &provider(), &terminated);
        }
        let left = engine.providers.get(&provider()).unwrap().orphans.keys();
        let mut left: Vec<_> = left.map(NodeId::as_str).collect();
        left.sort_unstable();
        assert_eq!(left, ["2", "3"]);
    }

    #[test]
    fn a_vm_goes_on_counting_if_the_node_is_its_own_or_may_come_to_be() {
        let vm = VmName::new("a-1").unwrap();
        let counted = |damage: fn(&mut Engine, &VmName)| {
            let (mut engine, _) = known("1");
            damage(&mut engine, &vm);
            engine.go_on_counting(&vm);
            unrecorded(&engine).usage().vms
        };
        assert_eq!(counted(|_, _| {}), 1);
        let is_another_ones: fn(&mut Engine, &VmName) = |engine, _| {
            engine.providers.get_mut(&provider()).unwrap().bind(&node("a-1"), &VmName::new("a-2").unwrap());
        };
        assert_eq!(counted(is_another_ones), 0);
        let may_exist: fn(&mut Engine, &VmName) = |engine, vm| {
            let vm = engine.vms.get_mut(vm).unwrap();
            (vm.record.node, vm.may_exist) = (None, true);
        };
        assert_eq!(counted(may_exist), 1);
        let was_never_asked_for: fn(&mut Engine, &VmName) = |engine, vm| {
            let vm = engine.vms.get_mut(vm).unwrap();
            (vm.record.node, vm.may_exist) = (None, false);
        };
        assert_eq!(counted(was_never_asked_for), 0);
    }
}
