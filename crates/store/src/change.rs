//! The checks that every store of this crate makes before it applies a batch.

use std::io;

use vmpool_model::Change;

use crate::{Fence, Revision, StoreError};

/// Refuses a batch that holds a kind of change that the stores of this crate do not know.
pub(crate) fn check_all(changes: &[Change], place: &str) -> Result<(), StoreError> {
    match changes.iter().find(|change| !is_known(change)) {
        None => Ok(()),
        Some(change) => Err(StoreError::Io {
            place: place.to_owned(),
            operation: "committing",
            unknown: false,
            source: Box::new(io::Error::other(format!("this store cannot keep {change:?}"))),
        }),
    }
}

/// Refuses a commit under a superseded claim, or on another revision than the one it expects.
pub(crate) fn check_turn(
    held: Fence,
    current: Fence,
    expected: Revision,
    found: Revision,
) -> Result<(), StoreError> {
    check_fence(held, current)?;
    match expected == found {
        true => Ok(()),
        false => Err(StoreError::Conflict { expected, found }),
    }
}

/// Refuses a claim that was superseded or never made.
pub(crate) fn check_fence(held: Fence, current: Fence) -> Result<(), StoreError> {
    match held == current {
        true => Ok(()),
        false => Err(StoreError::Fenced { held, current }),
    }
}

fn is_known(change: &Change) -> bool {
    matches!(
        change,
        Change::PutInstallation(_)
            | Change::PutVm(_)
            | Change::RemoveVm(_)
            | Change::PutLease(_)
            | Change::RemoveLease(_)
            | Change::PutRequest(_)
            | Change::RemoveRequest(_)
            | Change::PutPool(_)
            | Change::RemovePool(_)
    )
}
