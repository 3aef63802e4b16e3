//! What a failure of the shelf means to vmpool.

use vmpool_driver::{
    DriverError, Operation,
    model::{Certainty, FailureKind},
};

use crate::cloud::ShelfError;

/// Returns a failure of the shelf as the driver's error, with what the operation was tried on.
pub(crate) fn failed(operation: Operation, on: &str, err: ShelfError) -> DriverError {
    let kind = match err {
        ShelfError::NoSuchMachine => FailureKind::NotFound,
        ShelfError::NoSuchModel => FailureKind::InvalidRequest,
        ShelfError::NoPlaceLeft => FailureKind::Capacity,
        ShelfError::Already(_) => FailureKind::InvalidState,
        ShelfError::Closed => FailureKind::Unavailable,
    };
    // The shelf answers before it does anything, so no failure leaves open whether it happened.
    // A driver that loses a connection in the middle of a create must leave it at `Certainty::Unknown`.
    DriverError::new(operation, kind)
        .with_certainty(Certainty::NotApplied)
        .with_context(format!("{on}: {err}"))
        .with_source(err)
}
