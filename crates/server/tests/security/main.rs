//! What docs/security.md promises, tried by who would break it.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod crowds;
mod identity;
mod limits;
mod reach;
mod secrets;
mod slow;
mod socket;
mod world;
