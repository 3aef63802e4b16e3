//! Requests that wait, and those that are remembered: queued, too late, turned away, forgotten.

use std::time::Duration;

use vmpool_model::{Change, EventKind, PoolName, RequestId, RequestRecord, RequestStatus, Timestamp};

use crate::{
    Answer, Engine, Refusal,
    candidate::Candidates,
    pool::Pool,
    queue::{Queue, Waiter, place},
    timers::Timer,
};

/// Ends of one request that are no further apart are one end.
const ALIKE: Duration = Duration::from_secs(1);

impl Engine {
    pub(crate) fn wait(&mut self, request: RequestRecord) -> Answer {
        self.timers.set(Timer::Request(request.id.clone()), Some(request.deadline));
        self.request_event(EventKind::RequestWaiting, &request, "");
        self.put_request(request);
        Answer::Waiting
    }

    /// Lets a request wait longer, never shorter.
    ///
    /// Its end as such stays what it was if the new one is hardly later: what is left of its time is told a little late.
    pub(crate) fn wait_until(&mut self, id: &RequestId, deadline: Timestamp, until: Option<Timestamp>) {
        let Some(request) = self.requests.get(id).filter(|request| request.deadline < deadline) else {
            return;
        };
        let known = request.until.filter(|known| until.is_none_or(|until| until <= *known + ALIKE));
        let until = known.or(until).filter(|until| deadline < *until);
        let request = RequestRecord { deadline, until, at_once: false, ..request.clone() };
        self.timers.set(Timer::Request(id.clone()), Some(deadline));
        self.put_request(request);
    }

    /// Adds a request to those that wait.
    pub(crate) fn enqueue(&mut self, request: &RequestRecord, candidates: Candidates) {
        self.owners.wait(&request.owner);
        self.put_in(Waiter::new(request, candidates));
    }

    fn put_in(&mut self, waiter: Waiter) {
        for (index, candidate) in waiter.shape.candidates.iter().enumerate() {
            if let Some(pool) = self.pools.get_mut(&candidate.pool) {
                pool.enqueue(&waiter, index == 0);
            }
        }
        self.wants_change(waiter.owner());
        self.waiting.insert(waiter);
    }

    /// Removes a request from those that wait, if it does.
    pub(crate) fn dequeue(&mut self, request: &RequestRecord) {
        let Some(waiter) = self.waiting.remove(&place(request)) else { return };
        for (index, candidate) in waiter.shape.candidates.iter().enumerate() {
            if let Some(pool) = self.pools.get_mut(&candidate.pool) {
                pool.dequeue(&waiter, index == 0);
            }
        }
        self.wants_change(waiter.owner());
        self.owners.stop_waiting(waiter.owner());
    }

    /// Finds anew which pools can serve those that wait, after the configuration changed or a pool was drained; who can never
    /// be served any more is turned away.
    pub(crate) fn requeue_all(&mut self) {
        for pool in self.pools.values_mut() {
            pool.queue = Queue::default();
            pool.expected.clear();
            pool.stale_expected.clear();
        }
        let before = std::mem::take(&mut self.waiting);
        self.forget_wants();
        let requests = self.requests.sorted().filter(|request| request.status == RequestStatus::Waiting);
        for request in requests.cloned().collect::<Vec<_>>() {
            if before.get(&place(&request)).is_none() {
                self.owners.wait(&request.owner);
            }
            match self.candidates((&request).into()) {
                Ok(candidates) => self.put_in(Waiter::new(&request, candidates)),
                Err(refusal) => {
                    self.owners.stop_waiting(&request.owner);
                    self.request_event(EventKind::RequestTurnedAway, &request, &refusal.to_string());
                    self.out.decided.push((request.id.clone(), Err(refusal.clone())));
                    self.turned_away(request, &refusal);
                }
            }
        }
    }

    /// Remembers a request that nobody can serve any more, so that it hears of that if it is sent again; one that never waited
    /// for anything may be made anew at any time.
    fn turned_away(&mut self, request: RequestRecord, refusal: &Refusal) {
        if request.at_once {
            return self.drop_request(&request);
        }
        self.timers.set(Timer::Request(request.id.clone()), Some(self.now + self.spec.request_memory));
        let status = RequestStatus::TurnedAway { at: self.now, why: refusal.to_string() };
        self.put_request(RequestRecord { status, ..request });
    }

    /// The time of a request is over: it waited long enough, or need not be remembered any longer.
    pub(crate) fn request_due(&mut self, id: &RequestId) {
        let Some(request) = self.requests.get(id).cloned() else { return };
        if request.status == RequestStatus::Waiting {
            let (pools, why) = (self.pools_of(&request), self.why(&request, request.count));
            let waited = self.now.since(request.submitted_at);
            self.request_event(EventKind::RequestTimedOut, &request, "");
            self.out.decided.push((id.clone(), Err(Refusal::TimedOut { pools, waited, why })));
            if self.is_remembered_as_timed_out(&request) {
                self.dequeue(&request);
                self.timers.set(Timer::Request(id.clone()), Some(self.now + self.spec.request_memory));
                let status = RequestStatus::TimedOut { at: self.now };
                return self.put_request(RequestRecord { status, ..request });
            }
        }
        self.drop_request(&request);
    }

    /// Returns whether a request whose time is over is refused if it is sent again: else it would wait, or be served, anew.
    ///
    /// Who was only away for too long has time left, and who never waited for anything may ask again at any time.
    fn is_remembered_as_timed_out(&self, request: &RequestRecord) -> bool {
        !request.at_once && request.until.is_none_or(|until| until <= self.now)
    }

    pub(crate) fn drop_request(&mut self, request: &RequestRecord) {
        self.dequeue(request);
        self.timers.set(Timer::Request(request.id.clone()), None);
        if let Some(request) = self.requests.remove(&request.id) {
            self.forget_ended(&request);
        }
        self.out.changes.push(Change::RemoveRequest(request.id.clone()));
    }

    pub(crate) fn put_request(&mut self, request: RequestRecord) {
        self.out.changes.push(Change::PutRequest(Box::new(request.clone())));
        self.remember_ended(&request);
        self.requests.insert(request.id.clone(), request);
        self.forget_oldest();
    }

    /// Forgets requests that are over, as far as there are more than may be remembered.
    pub(crate) fn forget_oldest(&mut self) {
        while self.spec.max_remembered < self.remembered.len()
            && let Some((_, oldest)) = self.remembered.first().cloned()
            && let Some(request) = self.requests.get(&oldest).cloned()
        {
            self.drop_request(&request);
        }
    }

    /// Notes a request that is over, so that it is forgotten in its turn, and whose leases they were that ended.
    pub(crate) fn remember_ended(&mut self, request: &RequestRecord) {
        if let Some(at) = request.status.over_at() {
            self.remembered.insert((at, request.id.clone()));
        }
        for ended in request.status.ended() {
            self.ended.insert(ended.lease, request.id.clone());
        }
    }

    fn forget_ended(&mut self, request: &RequestRecord) {
        if let Some(at) = request.status.over_at() {
            self.remembered.remove(&(at, request.id.clone()));
        }
        for ended in request.status.ended() {
            self.ended.remove(&ended.lease);
        }
    }

    /// Returns the pools that a request that waits may be served from.
    pub(crate) fn pools_of(&self, request: &RequestRecord) -> Vec<PoolName> {
        match self.waiting.get(&place(request)) {
            Some(waiter) => waiter.shape.candidates.iter().map(|candidate| candidate.pool.clone()).collect(),
            None => request.pools.clone(),
        }
    }

    pub(crate) fn request_event(&mut self, kind: EventKind, request: &RequestRecord, detail: &str) {
        let pool = self.pools_of(request).into_iter().next();
        self.event(kind, |event| {
            event.pool = pool;
            event.request = Some(request.id.clone());
            event.owner = Some(request.owner.clone());
            event.detail = detail.to_owned();
        });
    }
}

impl Pool {
    pub(crate) fn enqueue(&mut self, waiter: &Waiter, is_preferred: bool) {
        self.queue.insert(waiter, is_preferred);
        if self.dirty.contains_key(&waiter.tenant) {
            self.expected.insert(waiter.tenant.clone());
        }
        if self.stale_dirty.contains_key(&waiter.tenant) {
            self.stale_expected.insert(waiter.tenant.clone());
        }
    }

    fn dequeue(&mut self, waiter: &Waiter, is_preferred: bool) {
        self.queue.remove(waiter, is_preferred);
        if self.queue.tenant(&waiter.tenant).is_none() {
            self.expected.remove(&waiter.tenant);
            self.stale_expected.remove(&waiter.tenant);
        }
    }
}
