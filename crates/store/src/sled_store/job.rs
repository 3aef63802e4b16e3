//! What the threads of a store are asked to do, and how they answer.

use std::io;

use futures_channel::oneshot::Sender;
use vmpool_model::DomainName;

use crate::{Batch, Claim, Committed, Cursor, EventPage, Snapshot, StoreError};

/// Where the answer to a job goes; nobody may be waiting for it any more.
pub(super) type Answer<T> = Sender<Result<T, StoreError>>;

/// A job for the thread that alone writes.
#[derive(Debug)]
pub(super) enum Job {
    Claim { domain: DomainName, holder: String, answer: Answer<Claim> },
    Commit { claim: Claim, batch: Batch, answer: Answer<Committed> },
    Load { domain: DomainName, answer: Answer<Snapshot> },
}

impl Job {
    /// Answers that the job was not begun.
    pub(super) fn refuse(self, err: StoreError) {
        match self {
            Self::Claim { answer, .. } => drop(answer.send(Err(err))),
            Self::Commit { answer, .. } => drop(answer.send(Err(err))),
            Self::Load { answer, .. } => drop(answer.send(Err(err))),
        }
    }
}

/// A job for the thread that reads events.
#[derive(Debug)]
pub(super) struct ReadJob {
    pub(super) domain: DomainName,
    pub(super) after: Cursor,
    pub(super) limit: usize,
    pub(super) answer: Answer<EventPage>,
}

/// An answer that waits until the write behind it is durable; called with an error if it is not.
pub(super) type Reply = Box<dyn FnOnce(Option<StoreError>) + Send>;

/// Keeps an answer back.
pub(super) fn reply<T: Send + 'static>(answer: Answer<T>, result: Result<T, StoreError>) -> Reply {
    Box::new(move |failure| drop(answer.send(failure.map_or(result, Err))))
}

/// Makes the error of a job that ended without an answer, or was not even `sent`.
pub(super) fn unanswered(place: String, sent: bool) -> StoreError {
    StoreError::Io {
        place,
        operation: "answering",
        unknown: sent,
        source: Box::new(io::Error::other("the thread of the store ended")),
    }
}
