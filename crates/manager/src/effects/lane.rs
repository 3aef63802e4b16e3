//! A limit that some effects share, and those that wait for it.

use std::collections::{HashMap, VecDeque};

use vmpool_engine::{Effect, EffectId};
use vmpool_model::VmName;

use super::job::Job;

/// A limit that some effects share, and those that wait for it, first come, first served.
#[derive(Debug, Default)]
pub(super) struct Lane {
    /// How many are under way.
    running: usize,
    order: VecDeque<Turn>,
    jobs: HashMap<Turn, Job>,
}

/// Whose turn it is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Turn {
    /// The newest check of a VM: one that was given up and asked for again waits no second time.
    Check(VmName),
    /// The create of a VM, of which there is one at most.
    Create(VmName),
    /// The hook of a VM: they come one after another.
    Hook(VmName),
    Effect(EffectId),
}

impl Lane {
    /// Lets a job wait for its turn.
    pub(super) fn push(&mut self, job: Job) {
        let turn = match &job.effect {
            Effect::Check { vm, .. } => Turn::Check(vm.clone()),
            Effect::Create { vm, .. } => Turn::Create(vm.clone()),
            Effect::Hook(run) => Turn::Hook(run.vm.name.clone()),
            _ => Turn::Effect(job.id),
        };
        let is_urgent = job.is_urgent();
        if self.jobs.insert(turn.clone(), job).is_none() {
            match is_urgent {
                true => self.order.push_front(turn),
                false => self.order.push_back(turn),
            }
        }
    }

    /// Takes the next job if it may begin now; `cap` says how many may be under way at once.
    pub(super) fn pop(&mut self, cap: impl FnOnce(&Job) -> usize) -> Option<Job> {
        if cap(self.waiting().next()?) <= self.running {
            return None;
        }
        self.running += 1;
        self.order.pop_front().and_then(|turn| self.jobs.remove(&turn))
    }

    /// Takes the create of a VM out, if it waits: it counts as one that begins, and [leaves](Self::leave) as such.
    pub(super) fn withdraw(&mut self, vm: &VmName) -> Option<Job> {
        self.take(Turn::Create(vm.clone()))
    }

    /// Takes the hook of a VM out in the same way, if it waits.
    pub(super) fn withdraw_hook(&mut self, vm: &VmName) -> Option<Job> {
        self.take(Turn::Hook(vm.clone()))
    }

    fn take(&mut self, turn: Turn) -> Option<Job> {
        let job = self.jobs.remove(&turn)?;
        self.order.retain(|other| *other != turn);
        self.running += 1;
        Some(job)
    }

    /// Returns the jobs that wait, in the order of their turns.
    pub(super) fn waiting(&self) -> impl Iterator<Item = &Job> {
        self.order.iter().filter_map(|turn| self.jobs.get(turn))
    }

    /// Notes that a job has ended.
    pub(super) fn leave(&mut self) {
        self.running = self.running.saturating_sub(1);
    }

    /// Forgets all that wait.
    pub(super) fn clear(&mut self) {
        self.order.clear();
        self.jobs.clear();
    }

    /// Returns whether nothing is under way and nothing waits.
    pub(super) fn is_idle(&self) -> bool {
        self.running == 0 && self.order.is_empty()
    }
}
