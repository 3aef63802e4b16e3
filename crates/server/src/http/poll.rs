//! Clients that go away while they wait: nobody is given a VM that nobody takes.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::timeout;
use vmpool::{manager::ManagerHandle, model::RequestId};

/// How long a client whose connection broke has to ask again before its request is withdrawn.
const RECONNECT: Duration = Duration::from_secs(2);

/// Which requests a client is waiting for now, each with the number of its newest poll.
#[derive(Debug, Clone, Default)]
pub(super) struct Polls(Arc<Mutex<Numbers>>);

#[derive(Debug, Default)]
struct Numbers {
    last: u64,
    newest: BTreeMap<RequestId, u64>,
}

impl Polls {
    /// Notes that a client waits for a request from now on.
    pub(super) fn begin(&self, request: &RequestId, manager: &ManagerHandle) -> Poll {
        let mut numbers = self.numbers();
        numbers.last += 1;
        let number = numbers.last;
        numbers.newest.insert(request.clone(), number);
        Poll {
            polls: self.clone(),
            request: request.clone(),
            number,
            manager: manager.clone(),
            answered: false,
        }
    }

    /// Forgets a poll; returns whether it was the newest one of its request.
    fn end(&self, request: &RequestId, number: u64) -> bool {
        let mut numbers = self.numbers();
        let is_newest = numbers.newest.get(request) == Some(&number);
        if is_newest {
            numbers.newest.remove(request);
        }
        is_newest
    }

    fn numbers(&self) -> MutexGuard<'_, Numbers> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A client that waits for a request. Dropped before it was answered, it is gone: unless it asks again
/// soon, its request is withdrawn, and a lease that it was given meanwhile is released.
#[derive(Debug)]
pub(super) struct Poll {
    polls: Polls,
    request: RequestId,
    number: u64,
    manager: ManagerHandle,
    answered: bool,
}

impl Poll {
    /// Notes that the client has its answer.
    pub(super) fn answer(mut self) {
        self.answered = true;
    }
}

impl Drop for Poll {
    fn drop(&mut self) {
        if self.answered {
            self.polls.end(&self.request, self.number);
            return;
        }
        let (polls, request) = (self.polls.clone(), self.request.clone());
        let (number, manager) = (self.number, self.manager.clone());
        tokio::spawn(async move {
            // A wait that nothing ends early.
            let _ = timeout(RECONNECT, std::future::pending::<()>()).await;
            if polls.end(&request, number)
                && let Err(err) = manager.abandon(request.clone()).await
            {
                tracing::debug!(%request, "the request of a client that is gone needs no withdrawal: {err}");
            }
        });
    }
}
