//! What must hold of those who wait between two steps: they are counted right, and nobody could be served.

use std::collections::BTreeMap;

use vmpool_model::{PoolName, RequestRecord, RequestStatus};

use crate::{
    Engine,
    begins::Begins,
    check::ensure,
    owners::Owners,
    pool::Pool,
    queue::{Waiter, Waiting},
    serve::Walk,
};

impl Engine {
    pub(crate) fn check_queue(&self) -> Result<(), String> {
        let mut owners = Owners::default();
        self.leases.values().for_each(|lease| owners.count_in(lease));
        self.waiting_requests().for_each(|request| owners.wait(&request.owner));
        ensure(self.owners.hold_the_same(&owners), || {
            format!("a recount gives the owners {owners:?} instead of {:?}", self.owners)
        })?;
        let mut begins = Begins::default();
        self.leases.values().for_each(|lease| begins.count_in(lease));
        ensure(self.begins == begins, || {
            format!("a recount gives the begins {begins:?} of leases instead of {:?}", self.begins)
        })?;
        let mut waiting = Waiting::default();
        self.waiters().for_each(|waiter| waiting.insert(waiter));
        ensure(self.waiting == waiting, || {
            format!("a recount gives {waiting:#?} of those who wait, instead of {:#?}", self.waiting)
        })?;
        ensure(self.counts_wants_right(), || format!("{:?} is not what is wanted", self.demand))?;
        ensure(self.is_ordered_right(), || {
            format!("those who wait are not ordered right: {:#?}", self.order)
        })?;
        let mut walk = Walk::default();
        let next = self.next_served(&mut walk);
        ensure(next.is_none(), || format!("{next:?} could be served, and is not"))?;
        ensure(!self.unserved && self.set_aside == walk, || {
            format!("{walk:?} is to be set aside, and {:?} is", self.set_aside)
        })?;
        let over = self
            .requests
            .values()
            .filter_map(|request| Some((request.status.over_at()?, request.id.clone())));
        ensure(self.remembered == over.collect(), || {
            format!("{:?} are not those that are over", self.remembered)
        })?;
        let (most, remembered) = (self.spec.max_remembered, self.remembered.len());
        ensure(remembered <= most, || format!("{remembered} requests are remembered, at most {most} may be"))
    }

    /// Queues those who wait in other pools of these names.
    pub(crate) fn recount_queues(&self, recounts: &mut BTreeMap<&PoolName, Pool>) {
        for waiter in self.waiters() {
            for (index, candidate) in waiter.shape.candidates.iter().enumerate() {
                if let Some(recount) = recounts.get_mut(&candidate.pool) {
                    recount.enqueue(&waiter, index == 0);
                }
            }
        }
    }

    fn waiting_requests(&self) -> impl Iterator<Item = &RequestRecord> {
        self.requests.values().filter(|request| request.status == RequestStatus::Waiting)
    }

    /// Returns those who wait, with the pools that can serve them by the present configuration.
    fn waiters(&self) -> impl Iterator<Item = Waiter> {
        let waiters = self.waiting_requests().map(|request| {
            let candidates = self.candidates(request.into()).ok()?;
            Some(Waiter::new(request, candidates))
        });
        waiters.flatten()
    }
}
