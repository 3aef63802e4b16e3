//! Who is served: free VMs go to the requests that wait.

use std::collections::BTreeSet;

use vmpool_model::{Owner, PoolName, RecordState, RequestId, Sandbox, Timestamp, VmName};

use crate::{Engine, pool::Pool};

impl Engine {
    /// Gives free VMs to waiting requests, in their order; one that only its tenant may have goes to
    /// the first request of that tenant.
    pub(crate) fn serve(&mut self, name: &PoolName) {
        while let Some((id, vm)) = self.pools.get(name).and_then(Pool::next_served) {
            let (id, vm) = (id.clone(), vm.clone());
            let Some(request) = self.requests.get(&id).cloned() else { return };
            let Some(grants) = self.grant(request, &[vm]) else { return };
            self.out.decided.push((id, Ok(grants)));
        }
    }
}

impl Pool {
    /// Returns how many VMs those who wait want of this pool.
    pub(crate) fn demand(&self) -> usize {
        self.queue.len()
    }

    /// Returns the VM to give: one that the tenant used before, else a clean one if that is allowed.
    pub(crate) fn pick(&self, owner: &Owner, sandbox: Option<&Sandbox>, clean_too: bool) -> Option<VmName> {
        let own = self.dirty.get(&(owner.clone(), sandbox.cloned())).and_then(BTreeSet::first);
        let clean = self.clean.first().filter(|_| clean_too);
        own.or(clean).map(|(_, name)| name.clone())
    }

    /// Returns who of those that wait is to be served next, and with which VM; the length of the queue does not matter.
    pub(crate) fn next_served(&self) -> Option<(&RequestId, &VmName)> {
        let (tenant, request) = match self.clean.is_empty() {
            true => self.queue.first_of(&self.dirty)?,
            false => self.queue.first()?,
        };
        let own = self.dirty.get(tenant).and_then(BTreeSet::first);
        own.or(self.clean.first()).map(|(_, vm)| (request, vm))
    }

    /// Says in words why nobody can be served now.
    pub(crate) fn why_empty(&self, now: Timestamp) -> String {
        let mut why = Vec::new();
        for state in RecordState::ALL {
            if self.count(state) != 0 {
                why.push(format!("{} {state}", self.count(state)));
            }
        }
        if why.is_empty() {
            why.push("the pool has no VM yet".to_owned());
        }
        if self.config.max_total() as usize <= self.total() {
            why.push(format!("max_total is {}", self.config.max_total()));
        }
        if !self.queue.is_empty() {
            why.push(format!("requests waiting: {}", self.queue.len()));
        }
        match (&self.problem, self.paused_until(now)) {
            (Some(problem), Some(until)) => {
                why.push(format!("spawning pauses until {until}: {problem}"));
            }
            (Some(problem), _) => why.push(format!("last problem: {problem}")),
            (None, _) => {}
        }
        why.join(", ")
    }
}
