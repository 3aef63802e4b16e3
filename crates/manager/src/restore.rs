//! After a failed commit: nothing in memory holds, so the engine is made anew of the records.

use std::{collections::HashMap, future::Future, sync::Arc, time::Duration};

use vmpool_engine::Grant;
use vmpool_model::{Lease, LeaseId, RequestId, RequestRecord, RequestStatus, VmName, VmRecord};
use vmpool_store::{Batch, Snapshot, StoreError, fail_point};

use crate::{
    ManagerError, StopError, View,
    run::{Loop, pause},
    setup::Seen,
    store_call,
    wake::Wake,
};

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

impl Loop {
    /// Loads the records and goes on from them, as soon as the store can be read and written.
    ///
    /// Until then every wish is answered with an error and nothing is decided; what the records say can be seen as soon as
    /// they can be read. What earlier commits asked for goes on, but its outcomes mean nothing to the new engine, which asks
    /// again.
    pub(crate) async fn restore(&mut self, err: Arc<StoreError>) -> Result<(), StopError> {
        self.stale = true;
        self.readable = false;
        self.is_written = false;
        let mut err = err;
        let mut wait = FIRST_PAUSE;
        loop {
            if let StoreError::Fenced { held, current } = *err {
                return Err(StopError::Fenced { held, current });
            }
            tracing::warn!("the records are loaded again because of the store: {err}");
            match self.reopen(&err).await {
                Some(Ok(snapshot)) => {
                    self.go_on(snapshot, &err);
                    return Ok(());
                }
                Some(Err(failed)) => err = Arc::new(failed),
                // Shut down meanwhile.
                None => return Ok(()),
            }
            if self.meanwhile(&err, pause(Some(wait))).await.is_none() {
                return Ok(());
            }
            wait = LONGEST_PAUSE.min(wait * 2);
        }
    }

    /// Proves that the store can be written and that the domain is still ours, then claims it again: the new
    /// fence keeps out what the failed commit may still do, and numbers the new engine.
    async fn reopen(&mut self, err: &Arc<StoreError>) -> Option<Result<Snapshot, StoreError>> {
        let snapshot = match self.load(err).await? {
            Ok(snapshot) => snapshot,
            Err(err) => return Some(Err(err)),
        };
        let expected = snapshot.revision;
        // This engine decides nothing: it only shows what is recorded.
        (self.engine, self.withheld) = self.domain.engine(&self.claim, snapshot, self.clock.now());
        self.readable = true;
        fail_point::reach("manager.restore.loaded");
        let (store, claim) = (Arc::clone(&self.domain.store), self.claim.clone());
        let probe = store_call::call("writing nothing", async move {
            store.commit(&claim, Batch { expected, ..Batch::default() }).await
        });
        match self.meanwhile(err, probe).await? {
            Ok(_) => {}
            // The claim that got no answer was ours.
            Err(StoreError::Fenced { .. }) if self.claiming => {}
            Err(err) => return Some(Err(err)),
        }
        self.claiming = true;
        let (store, name) = (Arc::clone(&self.domain.store), self.claim.domain.clone());
        let holder = self.domain.holder.clone();
        let claim = store_call::call("claiming the domain", async move { store.claim(&name, &holder).await });
        match self.meanwhile(err, claim).await? {
            Ok(claim) => {
                self.claim = claim;
                self.claiming = false;
            }
            Err(err) => return Some(Err(err)),
        }
        fail_point::reach("manager.restore.claimed");
        self.load(err).await
    }

    async fn load(&mut self, err: &Arc<StoreError>) -> Option<Result<Snapshot, StoreError>> {
        let (store, name) = (Arc::clone(&self.domain.store), self.claim.domain.clone());
        let load = store_call::call("loading the records", async move { store.load(&name).await });
        self.meanwhile(err, load).await
    }

    /// Makes the new engine, and answers those whose requests were decided by the commit that failed.
    fn go_on(&mut self, snapshot: Snapshot, err: &Arc<StoreError>) {
        let found = Found::of(&snapshot);
        for request in self.waiters.requests() {
            match found.status(&request) {
                Status::Waits => {}
                Status::Granted(grants) => self.waiters.answer(&request, &Ok(grants)),
                Status::Ended => self.waiters.answer(&request, &Err(unknown(err))),
            }
        }
        self.stale = false;
        self.revision = snapshot.revision;
        self.cursor.send_replace(snapshot.cursor);
        (self.engine, self.withheld) = self.domain.engine(&self.claim, snapshot, self.clock.now());
        // The domain was ours all the time, so what earlier commits asked for and did not begin yet is still right.
        self.effects.begin();
    }

    /// Shows what is recorded; gives back whoever wants something else, or cannot be shown anything yet.
    fn show(&self, wake: Wake) -> Option<Wake> {
        let Self { domain, engine, listings, withheld, hints, .. } = self;
        let seen = Seen { domain, engine, listings, withheld, hints };
        match wake.untraced().0 {
            // Who went away needs no answer.
            Wake::View(reply) if self.readable => {
                drop(reply.send(Ok(Arc::new(View::of(seen, self.clock.now())))));
            }
            Wake::Look(look) if self.readable => (look.0)(Ok(seen)),
            wake => return Some(wake),
        }
        None
    }

    /// Waits for something while every wish is answered with an error; `None` if the manager is shut down.
    async fn meanwhile<T>(&mut self, err: &Arc<StoreError>, task: impl Future<Output = T>) -> Option<T> {
        let mut task = std::pin::pin!(task);
        loop {
            tokio::select! {
                biased;
                done = &mut task => return Some(done),
                _ = self.effects.next() => {}
                Some(look) = self.reads.recv() => match self.readable {
                    true => self.read(look),
                    false => Wake::Look(look).refuse(err),
                },
                wake = self.wakes.recv() => match wake {
                    None | Some(Wake::Shutdown) => {
                        self.stopping = true;
                        return None;
                    }
                    Some(wake) => {
                        if let Some(wake) = self.show(wake) {
                            wake.refuse(err);
                        }
                    }
                },
            }
        }
    }
}

/// How a request stands in the records.
enum Status {
    Waits,
    Granted(Vec<Grant>),
    Ended,
}

/// The records by their ids: as many may wait as there are.
struct Found<'a> {
    requests: HashMap<&'a RequestId, &'a RequestRecord>,
    leases: HashMap<&'a LeaseId, &'a Lease>,
    vms: HashMap<&'a VmName, &'a VmRecord>,
}

impl<'a> Found<'a> {
    fn of(snapshot: &'a Snapshot) -> Self {
        Self {
            requests: snapshot.requests.iter().map(|request| (&request.id, request)).collect(),
            leases: snapshot.leases.iter().map(|lease| (&lease.id, lease)).collect(),
            vms: snapshot.vms.iter().map(|vm| (&vm.name, vm)).collect(),
        }
    }

    fn status(&self, request: &RequestId) -> Status {
        let leases = match self.requests.get(request).map(|record| &record.status) {
            Some(RequestStatus::Waiting) => return Status::Waits,
            Some(RequestStatus::Granted { leases, .. }) => leases,
            _ => return Status::Ended,
        };
        let grant = |id: &LeaseId| {
            let lease = *self.leases.get(id)?;
            let node = self.vms.get(&lease.vm)?.node.clone()?;
            Some(Grant { lease: lease.clone(), node })
        };
        let grants: Vec<_> = leases.iter().filter_map(grant).collect();
        match grants.is_empty() {
            true => Status::Ended,
            false => Status::Granted(grants),
        }
    }
}

fn unknown(err: &Arc<StoreError>) -> ManagerError {
    ManagerError::Store { writing: true, may_have_happened: true, source: Arc::clone(err) }
}
