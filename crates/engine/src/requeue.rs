//! Finding anew who can serve those that wait.

use vmpool_model::{EventKind, RequestStatus};

use crate::{Engine, Refusal, pool::Pool};

impl Engine {
    /// Finds anew which pools can serve those that wait, after the configuration changed or a pool was drained; who can never
    /// be served any more is turned away.
    pub(crate) fn requeue_all(&mut self) {
        let waits = self.requests.values().filter(|request| request.status == RequestStatus::Waiting);
        for request in waits.cloned().collect::<Vec<_>>() {
            let Some(name) = request.pools.first() else { continue };
            let refusal = match self.pools.get(name) {
                Some(Pool { retired: false, drain: Some(drain), .. }) => {
                    Refusal::PoolDrained { pool: name.clone(), reason: drain.reason.clone() }
                }
                Some(Pool { retired: false, .. }) => continue,
                _ => Refusal::UnknownPool {
                    pool: name.clone(),
                    known: self.spec.pools.keys().cloned().collect(),
                },
            };
            self.event(EventKind::RequestCancelled, |event| {
                event.pool = Some(name.clone());
                event.request = Some(request.id.clone());
                event.owner = Some(request.owner.clone());
                event.detail = refusal.to_string();
            });
            self.drop_request(&request);
            self.out.decided.push((request.id, Err(refusal)));
        }
    }
}
