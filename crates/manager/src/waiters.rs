//! Who waits for which request.

use std::collections::HashMap;

use vmpool_engine::Grant;
use vmpool_model::RequestId;

use crate::{ManagerError, wake::Reply};

/// Who waits for which request; several may wait for one.
#[derive(Debug, Default)]
pub(crate) struct Waiters(HashMap<RequestId, Vec<Reply<Vec<Grant>>>>);

impl Waiters {
    /// Lets one more wait; forgets those of the same request that went away.
    pub(crate) fn add(&mut self, request: RequestId, reply: Reply<Vec<Grant>>) {
        let replies = self.0.entry(request).or_default();
        replies.retain(|reply| !reply.is_closed());
        replies.push(reply);
    }

    /// Answers all who wait for a request.
    pub(crate) fn answer(&mut self, request: &RequestId, answer: &Result<Vec<Grant>, ManagerError>) {
        for reply in self.0.remove(request).unwrap_or_default() {
            // Who went away asks again.
            let _ = reply.send(answer.clone());
        }
    }

    /// Returns the requests that somebody waits for.
    pub(crate) fn requests(&self) -> Vec<RequestId> {
        self.0.keys().cloned().collect()
    }
}
