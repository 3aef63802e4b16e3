//! Ids of requests, made by the client.

use std::hash::{BuildHasher, Hasher, RandomState};

/// Makes a new id for a request: 32 hexadecimal digits that nobody else has.
///
/// # Examples
///
/// ```
/// assert_ne!(vmpool_client::new_request_id(), vmpool_client::new_request_id());
/// ```
#[must_use]
pub fn new_request_id() -> String {
    // The keys of a `RandomState` come from the operating system's random numbers.
    let random = || RandomState::new().build_hasher().finish();
    format!("{:016x}{:016x}", random(), random())
}
