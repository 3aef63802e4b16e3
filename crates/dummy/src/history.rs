//! What a cloud was asked and what it did.

use std::collections::{HashMap, VecDeque};

use vmpool_driver::{DriverError, Operation};
use vmpool_model::{FailureKind, NodeId, Timestamp, Token};

/// A call that a cloud was asked, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Call {
    /// When the call reached the cloud.
    pub at: Timestamp,
    /// What was asked.
    pub operation: Operation,
    /// The node that it was asked for, or that it created.
    pub node: Option<NodeId>,
    /// The token of the node to be created.
    pub token: Option<Token>,
    /// What came of it.
    pub outcome: Outcome,
}

/// What came of a call, as the cloud sees it: the caller may know less.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// It was done, and the caller was told.
    Done,
    /// It failed, and the caller was told.
    Failed(FailureKind),
    /// It was done, and the caller saw a time-out.
    AnswerLost,
    /// It was not done, and the caller saw a time-out.
    RequestLost,
    /// It was not done, and the caller was never answered.
    Hung,
}

/// The last calls, and how many of each operation there were.
#[derive(Debug, Default)]
pub(crate) struct History {
    calls: VecDeque<Call>,
    counts: HashMap<Operation, u64>,
}

impl History {
    /// Keeps a call, and forgets the oldest beyond `limit`.
    pub(crate) fn record(&mut self, call: Call, limit: usize) {
        *self.counts.entry(call.operation).or_default() += 1;
        self.calls.push_back(call);
        while limit < self.calls.len() {
            self.calls.pop_front();
        }
    }

    pub(crate) fn calls(&self) -> Vec<Call> {
        self.calls.iter().cloned().collect()
    }

    pub(crate) fn count(&self, operation: Operation) -> u64 {
        self.counts.get(&operation).copied().unwrap_or(0)
    }
}

impl From<&DriverError> for Outcome {
    fn from(err: &DriverError) -> Self {
        Self::Failed(err.kind())
    }
}
