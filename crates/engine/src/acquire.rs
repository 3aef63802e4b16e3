//! Wishes for a VM: granted, queued, repeated, withdrawn, too late.

use vmpool_model::{Acquire, Change, EventKind, RequestId, RequestRecord, RequestStatus};

use crate::{Answer, Engine, Refusal, pool::Pool, timers::Timer};

impl Engine {
    pub(crate) fn acquire(&mut self, acquire: Acquire) -> Answer {
        if let Some(request) = self.requests.get(&acquire.request) {
            return self.acquire_again(request.clone(), &acquire);
        }
        let Some(name) = acquire.pools.first().cloned() else {
            return Answer::Refused(Refusal::Unsupported);
        };
        let Some(pool) = self.pools.get(&name).filter(|pool| !pool.retired) else {
            let known = self.spec.pools.keys().cloned().collect();
            return Answer::Refused(Refusal::UnknownPool { pool: name, known });
        };
        if let Some(drain) = &pool.drain {
            return Answer::Refused(Refusal::PoolDrained { pool: name, reason: drain.reason.clone() });
        }
        let ttl = acquire.ttl.unwrap_or(pool.config.lease_ttl);
        if ttl.is_zero() || pool.config.max_lease_ttl < ttl {
            let max = pool.config.max_lease_ttl;
            return Answer::Refused(Refusal::TtlOutOfRange { pool: name, max });
        }
        // Who waits was first; only a VM that is kept for this very tenant may be given past the queue.
        let picked = pool.pick(&acquire.owner, acquire.sandbox.as_ref(), pool.queue.is_empty());
        if picked.is_none() && acquire.wait.is_zero() {
            let why = pool.why_empty(self.now);
            self.probe_for_acquire(&name, &acquire.owner, acquire.sandbox.as_ref());
            return Answer::Refused(Refusal::NoVmAvailable { pool: name, why });
        }
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
            deadline: self.now + acquire.wait,
            status: RequestStatus::Waiting,
        };
        match picked.and_then(|vm| self.grant(request.clone(), &[vm])) {
            Some(grants) => Answer::Granted(grants),
            None => self.wait(request),
        }
    }

    /// Answers a request that was made before: a client lost its answer, or the daemon was restarted.
    fn acquire_again(&mut self, request: RequestRecord, acquire: &Acquire) -> Answer {
        let is_same = request.pools == acquire.pools
            && request.owner == acquire.owner
            && request.sandbox == acquire.sandbox
            && request.task == acquire.task;
        if !is_same {
            return Answer::Refused(Refusal::RequestConflict { request: request.id });
        }
        match request.status {
            RequestStatus::Waiting => {
                let deadline = request.deadline.max(self.now + acquire.wait);
                if deadline != request.deadline {
                    self.put_request(RequestRecord { deadline, ..request.clone() });
                    self.timers.set(Timer::Request(request.id), Some(deadline));
                }
                Answer::Waiting
            }
            RequestStatus::Granted { leases } => {
                Answer::Granted(leases.iter().filter_map(|lease| self.grant_of(lease)).collect())
            }
            RequestStatus::Ended { lease, vm, .. } => {
                Answer::Refused(Refusal::RequestEnded { request: request.id, lease, vm })
            }
        }
    }

    fn wait(&mut self, request: RequestRecord) -> Answer {
        if let Some((name, pool)) =
            request.pools.first().and_then(|name| Some((name, self.pools.get_mut(name)?)))
        {
            pool.queue.insert(&request);
            self.touched.insert(name.clone());
        }
        self.timers.set(Timer::Request(request.id.clone()), Some(request.deadline));
        self.request_event(EventKind::RequestWaiting, &request);
        self.put_request(request);
        Answer::Waiting
    }

    pub(crate) fn cancel(&mut self, id: &RequestId) -> Answer {
        let Some(request) = self.requests.get(id).cloned() else {
            return Answer::Refused(Refusal::UnknownRequest { request: id.clone() });
        };
        match &request.status {
            RequestStatus::Waiting => {
                self.request_event(EventKind::RequestCancelled, &request);
                self.drop_request(&request);
                self.out.decided.push((id.clone(), Err(Refusal::Cancelled { request: id.clone() })));
                Answer::Accepted
            }
            RequestStatus::Granted { leases } => {
                for lease in leases {
                    let _ = self.release(lease, None);
                }
                Answer::Accepted
            }
            RequestStatus::Ended { .. } => Answer::Accepted,
        }
    }

    /// The time of a request is over: it waited long enough, or need not be remembered any longer.
    pub(crate) fn request_due(&mut self, id: &RequestId) {
        let Some(request) = self.requests.get(id).cloned() else { return };
        if request.status == RequestStatus::Waiting {
            let why = request
                .pools
                .first()
                .and_then(|pool| self.pools.get(pool))
                .map(|pool| Pool::why_empty(pool, self.now))
                .unwrap_or_default();
            let waited = self.now.since(request.submitted_at);
            self.request_event(EventKind::RequestTimedOut, &request);
            if let Some(pool) = request.pools.first().cloned() {
                self.out.decided.push((id.clone(), Err(Refusal::TimedOut { pool, waited, why })));
            }
        }
        self.drop_request(&request);
    }

    pub(crate) fn drop_request(&mut self, request: &RequestRecord) {
        if let Some((name, pool)) =
            request.pools.first().and_then(|name| Some((name, self.pools.get_mut(name)?)))
        {
            pool.queue.remove(request);
            self.touched.insert(name.clone());
        }
        self.timers.set(Timer::Request(request.id.clone()), None);
        if let Some(RequestStatus::Ended { lease, .. }) =
            self.requests.remove(&request.id).map(|request| request.status)
        {
            self.ended.remove(&lease);
        }
        self.out.changes.push(Change::RemoveRequest(request.id.clone()));
    }

    pub(crate) fn put_request(&mut self, request: RequestRecord) {
        self.out.changes.push(Change::PutRequest(Box::new(request.clone())));
        self.remember_lease(&request);
        self.requests.insert(request.id.clone(), request);
    }

    fn request_event(&mut self, kind: EventKind, request: &RequestRecord) {
        self.event(kind, |event| {
            event.pool = request.pools.first().cloned();
            event.request = Some(request.id.clone());
            event.owner = Some(request.owner.clone());
        });
    }
}
