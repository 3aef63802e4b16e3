//! What every call has in common: the fault it meets, its answer, its place in the history.

use vmpool_driver::{DriverError, Operation};
use vmpool_model::{Certainty, FailureKind, NodeId, Timestamp, Token};

use crate::{Call, DummyCloud, Fault, Outcome, cloud::Inner};

/// How a call ends for the caller.
#[derive(Debug)]
pub(crate) enum Answer<T> {
    /// With an answer, or with the loss of it.
    Comes(Result<T, DriverError>),
    /// Not at all.
    Never,
}

/// What a call is about, and what it meets.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) now: Timestamp,
    pub(crate) operation: Operation,
    pub(crate) fault: Option<Fault>,
    pub(crate) node: Option<NodeId>,
    pub(crate) token: Option<Token>,
}

impl Context {
    /// Makes an error of this call that certainly had no effect.
    pub(crate) fn refuse(&self, kind: FailureKind, context: impl Into<String>) -> DriverError {
        DriverError::new(self.operation, kind)
            .with_certainty(Certainty::NotApplied)
            .with_context(context.into())
    }
}

impl DummyCloud {
    /// Carries out a call: finds the fault that it meets, has its effect, notes it, answers it.
    pub(crate) fn call<T>(
        &self,
        operation: Operation,
        node: Option<&NodeId>,
        token: Option<&Token>,
        act: impl FnOnce(&mut Inner, &mut Context) -> Result<T, DriverError>,
    ) -> Answer<T> {
        let mut inner = self.lock();
        let (now, fault) = (inner.now(), inner.meet(operation));
        let mut context = Context { now, operation, fault, node: node.cloned(), token: token.cloned() };
        let (answer, outcome) = match fault {
            Some(Fault::Hang) => (Answer::Never, Outcome::Hung),
            Some(Fault::LostRequest) => (Answer::Comes(Err(lost(operation))), Outcome::RequestLost),
            Some(Fault::Refuse(kind)) => {
                let err = context.refuse(kind, "the cloud was told to refuse this call");
                let outcome = Outcome::from(&err);
                (Answer::Comes(Err(err)), outcome)
            }
            Some(Fault::LostAnswer) => match act(&mut inner, &mut context) {
                Ok(_) => (Answer::Comes(Err(lost(operation))), Outcome::AnswerLost),
                Err(err) => (Answer::Comes(Err(lost(operation))), Outcome::from(&err)),
            },
            _ => {
                let result = act(&mut inner, &mut context);
                let outcome = result.as_ref().map_or_else(Outcome::from, |_| Outcome::Done);
                (Answer::Comes(result), outcome)
            }
        };
        let limit = inner.config.history;
        let Context { node, token, .. } = context;
        inner.history.record(Call { at: now, operation, node, token, outcome }, limit);
        answer
    }
}

impl Inner {
    /// Returns the fault that a call meets: the one that was ordered, or one by chance.
    fn meet(&mut self, operation: Operation) -> Option<Fault> {
        if let Some(fault) = self.script.get_mut(&operation).and_then(|faults| faults.pop_front()) {
            return Some(fault);
        }
        let faults = self.config.faults;
        if operation == Operation::List {
            return self.chance(faults.partial_listings).then_some(Fault::PartialListing);
        }
        if operation.is_read() {
            return None;
        }
        if self.chance(faults.lost_requests) {
            return Some(Fault::LostRequest);
        }
        if self.chance(faults.lost_answers) {
            return Some(Fault::LostAnswer);
        }
        if operation != Operation::Create {
            return None;
        }
        if self.chance(faults.fail_create) {
            return Some(Fault::Refuse(FailureKind::Capacity));
        }
        if self.chance(faults.half_done_creates) {
            return Some(if self.rng.bool() { Fault::HalfDone } else { Fault::NoAddress });
        }
        self.chance(faults.boot_failure).then_some(Fault::BootFailure)
    }
}

fn lost(operation: Operation) -> DriverError {
    DriverError::new(operation, FailureKind::Timeout).with_context("the dummy cloud did not answer")
}
