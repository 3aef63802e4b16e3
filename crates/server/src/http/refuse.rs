//! Refusals and failures as problems.

use std::error::Error;

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use vmpool::{
    manager::{ManagerError, Refusal},
    store::StoreError,
};
use vmpool_api::{Problem, code, routes};

/// A problem as the answer to a request.
#[derive(Debug)]
pub(crate) struct Refused(Box<Problem>);

impl From<Problem> for Refused {
    fn from(problem: Problem) -> Self {
        Self(Box::new(problem))
    }
}

impl From<Box<Problem>> for Refused {
    fn from(problem: Box<Problem>) -> Self {
        Self(problem)
    }
}

impl From<ManagerError> for Refused {
    fn from(err: ManagerError) -> Self {
        Self(Box::new(manager(err)))
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, Json(self.0)).into_response();
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(routes::PROBLEM_JSON));
        response
    }
}

/// Says why the manager did not do what it was asked for.
fn manager(err: ManagerError) -> Problem {
    match err {
        ManagerError::Refused(refusal) => refused(&refusal),
        ManagerError::Store { may_have_happened, ref source, .. } => {
            // Clients are told what they can act on; the log gets the whole chain.
            tracing::error!(error = chain(&err), "the store failed");
            let (code, hint) = match **source {
                StoreError::Full { .. } => {
                    (code::STORE_FULL, "make room on the daemon's disk, then try again")
                }
                _ => (code::STORE, "look into the daemon's log"),
            };
            Problem::new(code, err.to_string()).with_hint(hint).with_may_have_happened(may_have_happened)
        }
        // Whether the last wish was recorded is not known when the loop has ended.
        ManagerError::Stopped => {
            Problem::new(code::SHUTTING_DOWN, err.to_string()).with_may_have_happened(true)
        }
        other => Problem::new(code::INTERNAL, other.to_string()).with_may_have_happened(true),
    }
}

/// Says why the engine refused.
pub(super) fn refused(refusal: &Refusal) -> Problem {
    let code = match refusal {
        Refusal::UnknownPool { .. } | Refusal::PoolRetired { .. } => code::UNKNOWN_POOL,
        Refusal::NoPoolNamed { .. } => code::INVALID_REQUEST,
        Refusal::NoPoolWithLabels { .. } => code::UNKNOWN_LABEL,
        Refusal::NeverPossible { .. } => code::NEVER_POSSIBLE,
        Refusal::CountOutOfRange { .. } => code::COUNT_OUT_OF_RANGE,
        Refusal::OwnerLimit { .. } => code::OWNER_LIMIT,
        Refusal::StoreFull => code::STORE_FULL,
        Refusal::QueueFull { .. } => code::QUEUE_FULL,
        Refusal::NoVmAvailable { .. } => code::NO_VM,
        Refusal::TimedOut { .. } | Refusal::RequestTimedOut { .. } => code::WAIT_TIMED_OUT,
        Refusal::Cancelled { .. } => code::REQUEST_CANCELLED,
        Refusal::RequestConflict { .. } => code::REQUEST_CONFLICT,
        Refusal::RequestEnded { .. } => code::REQUEST_ENDED,
        Refusal::TurnedAway { .. } => code::REQUEST_TURNED_AWAY,
        Refusal::UnknownRequest { .. } => code::UNKNOWN_REQUEST,
        Refusal::UnknownLease { .. } | Refusal::LeaseEnded { .. } => code::UNKNOWN_LEASE,
        Refusal::StaleFence { .. } => code::STALE_FENCE,
        Refusal::UnknownProvider { .. } => code::UNKNOWN_PROVIDER,
        Refusal::PoolDrained { .. } => code::POOL_DRAINED,
        Refusal::PoolUnreadable { .. } => code::RECORD_UNREADABLE,
        Refusal::NoMassLoss { .. } => code::NO_MASS_LOSS,
        Refusal::InvalidConfig(_) => code::INVALID_CONFIG,
        Refusal::TtlOutOfRange { .. } | Refusal::HoldTooLong { .. } => code::TTL_OUT_OF_RANGE,
        Refusal::UnknownVm { .. } => code::UNKNOWN_VM,
        Refusal::InvalidState { .. } => code::INVALID_STATE,
        _ => code::REFUSED,
    };
    Problem::new(code, refusal.to_string())
}

fn chain(err: &dyn Error) -> String {
    let mut text = err.to_string();
    let mut source = err.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
