//! Wishes for VMs: granted, queued, repeated, withdrawn.

use std::time::Duration;

use vmpool_model::{Acquire, EventKind, RequestId, RequestRecord, RequestStatus, Timestamp};

use crate::{Answer, Engine, Refusal, candidate::Candidates, timers::Timer};

impl Engine {
    pub(crate) fn acquire(&mut self, acquire: Acquire) -> Answer {
        if let Some(request) = self.requests.get(&acquire.request) {
            return self.acquire_again(request.clone(), &acquire);
        }
        if self.is_short() {
            return Answer::Refused(Refusal::StoreFull);
        }
        if let Some(pool) = acquire.pools.iter().find(|pool| !self.spec.pools.contains_key(*pool)) {
            return Answer::Refused(self.not_configured(pool));
        }
        let candidates = match self.candidates((&acquire).into()) {
            Ok(candidates) => candidates,
            Err(refusal) => return Answer::Refused(refusal),
        };
        let ttl = match self.ttl(&candidates, acquire.ttl) {
            Ok(ttl) => ttl,
            Err(refusal) => return Answer::Refused(refusal),
        };
        let (deadline, until) = self.waits_until(&acquire);
        let request = RequestRecord {
            id: acquire.request,
            pools: acquire.pools,
            labels: acquire.labels,
            count: acquire.count,
            priority: acquire.priority,
            owner: acquire.owner,
            sandbox: acquire.sandbox,
            task: acquire.task,
            ttl,
            submitted_at: self.now,
            order: self.number(),
            deadline,
            until,
            at_once: acquire.wait.is_zero(),
            status: RequestStatus::Waiting,
        };
        self.serve_or_queue(request, candidates, acquire.wait)
    }

    /// Returns when a request stops waiting, and when it does however often it is sent again, if that is later.
    fn waits_until(&self, acquire: &Acquire) -> (Timestamp, Option<Timestamp>) {
        match acquire.repeat_within.filter(|within| *within < acquire.wait) {
            Some(within) => (self.now + within, Some(self.now + acquire.wait)),
            None => (self.now + acquire.wait, None),
        }
    }

    /// Returns how long a lease lasts without renewal; that of a pool that allows less lasts as long as that allows.
    fn ttl(&self, candidates: &Candidates, wanted: Option<Duration>) -> Result<Duration, Refusal> {
        let configs = candidates
            .iter()
            .filter_map(|candidate| Some((&candidate.pool, self.spec.pools.get(&candidate.pool)?)));
        let default = configs.clone().next().map(|(_, config)| config.lease_ttl).unwrap_or_default();
        let longest = configs.max_by_key(|(_, config)| config.max_lease_ttl);
        let ttl = wanted.unwrap_or(default);
        match longest {
            Some((pool, config)) if ttl.is_zero() || config.max_lease_ttl < ttl => {
                Err(Refusal::TtlOutOfRange { pool: pool.clone(), max: config.max_lease_ttl })
            }
            _ => Ok(ttl),
        }
    }

    /// Queues a request in its place and serves whoever can be served; perhaps that is this one, and it never waited. One that
    /// does not wait is served or nobody is: while it is looked at, it takes nothing from who waits.
    fn serve_or_queue(&mut self, request: RequestRecord, candidates: Candidates, wait: Duration) -> Answer {
        let id = request.id.clone();
        if wait.is_zero() {
            self.serve_if_due();
        }
        self.requests.insert(id.clone(), request.clone());
        self.enqueue(&request, candidates);
        match wait.is_zero() {
            true => self.serve_at_once(&id),
            false => self.serve(),
        }
        if let Some(index) = self.out.decided.iter().position(|(decided, _)| *decided == id) {
            return match self.out.decided.remove(index).1 {
                Ok(grants) => Answer::Granted(grants),
                Err(refusal) => Answer::Refused(refusal),
            };
        }
        let most = self.spec.limits.max_waiting;
        let is_full = (most as usize) < self.waiting.len();
        // Whoever does not wait for VMs waits for the checks of those that are ready.
        let deadline = match wait.is_zero() {
            true => self.checked_by(&request),
            false => Some(request.deadline),
        };
        if let Some(deadline) = deadline.filter(|_| !is_full) {
            return self.wait(RequestRecord { deadline, ..request });
        }
        let refusal = match wait.is_zero() {
            true => Refusal::NoVmAvailable { pools: self.pools_of(&request), why: self.why(&request, 0) },
            false => Refusal::QueueFull { max: most },
        };
        self.dequeue(&request);
        self.requests.remove(&id);
        Answer::Refused(refusal)
    }

    /// Answers a request that was made before: a client lost its answer, or the daemon was restarted.
    fn acquire_again(&mut self, request: RequestRecord, acquire: &Acquire) -> Answer {
        let is_same = request.pools == acquire.pools
            && request.labels == acquire.labels
            && request.count == acquire.count
            && request.priority == acquire.priority
            && request.owner == acquire.owner
            && request.sandbox == acquire.sandbox
            && request.task == acquire.task
            // Who says nothing goes on with what was said before, or was the default then.
            && acquire.ttl.is_none_or(|ttl| ttl == request.ttl);
        if !is_same {
            return Answer::Refused(Refusal::RequestConflict { request: request.id });
        }
        match request.status {
            RequestStatus::Waiting => {
                let (deadline, until) = self.waits_until(acquire);
                self.wait_until(&request.id, deadline, until);
                Answer::Waiting
            }
            // Fewer than it was given if some ended, which its record tells.
            RequestStatus::Granted { leases, .. } => {
                Answer::Granted(leases.iter().filter_map(|lease| self.grant_of(lease)).collect())
            }
            RequestStatus::Ended { lease, vm, .. } => {
                Answer::Refused(Refusal::RequestEnded { request: request.id, lease, vm })
            }
            RequestStatus::Cancelled { at, by } => {
                Answer::Refused(Refusal::Cancelled { request: request.id, at, by })
            }
            RequestStatus::TimedOut { at } => Answer::Refused(timed_out(&request, at)),
            RequestStatus::TurnedAway { at, why } => {
                Answer::Refused(Refusal::TurnedAway { request: request.id, at, why })
            }
        }
    }

    /// Withdraws a request for somebody who says so: it is remembered, so that sent again it does not come back.
    pub(crate) fn cancel(&mut self, id: &RequestId) -> Answer {
        let (at, by) = (self.now, self.by.clone());
        self.withdraw(id, |engine, request| {
            engine.dequeue(&request);
            engine.timers.set(Timer::Request(request.id.clone()), Some(at + engine.spec.request_memory));
            engine.put_request(RequestRecord { status: RequestStatus::Cancelled { at, by }, ..request });
        })
    }

    /// Withdraws a request whose client seems to be gone: who comes back after all may make it anew.
    pub(crate) fn abandon(&mut self, id: &RequestId) -> Answer {
        self.withdraw(id, |engine, request| engine.drop_request(&request))
    }

    fn withdraw(&mut self, id: &RequestId, end: impl FnOnce(&mut Self, RequestRecord)) -> Answer {
        let Some(request) = self.requests.get(id).cloned() else {
            return Answer::Refused(Refusal::UnknownRequest { request: id.clone() });
        };
        match &request.status {
            RequestStatus::Waiting => {
                self.request_event(EventKind::RequestCancelled, &request, "");
                end(self, request);
                let refusal = Refusal::Cancelled { request: id.clone(), at: self.now, by: self.by.clone() };
                self.out.decided.push((id.clone(), Err(refusal)));
                Answer::Accepted
            }
            RequestStatus::Granted { leases, .. } => {
                for lease in leases {
                    // Those that ended before need no release.
                    let _ = self.release(lease, None);
                }
                Answer::Accepted
            }
            RequestStatus::Ended { lease, vm, .. } => {
                let (request, lease, vm) = (id.clone(), lease.clone(), vm.clone());
                Answer::Refused(Refusal::RequestEnded { request, lease, vm })
            }
            RequestStatus::Cancelled { at, by } => {
                Answer::Refused(Refusal::Cancelled { request: id.clone(), at: *at, by: by.clone() })
            }
            RequestStatus::TimedOut { at } => Answer::Refused(timed_out(&request, *at)),
            RequestStatus::TurnedAway { at, why } => {
                let (request, why) = (id.clone(), why.clone());
                Answer::Refused(Refusal::TurnedAway { request, at: *at, why })
            }
        }
    }
}

/// Says that the time of a request was over before.
fn timed_out(request: &RequestRecord, at: Timestamp) -> Refusal {
    Refusal::RequestTimedOut { request: request.id.clone(), at, waited: at.since(request.submitted_at) }
}
