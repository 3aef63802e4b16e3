//! What docs/security.md promises, tried by who would break it.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod audit;
mod certificates;
mod crowds;
mod handshakes;
mod identity;
mod limits;
mod pki;
mod reach;
mod reloads;
mod secrets;
mod slow;
mod socket;
mod words;
mod world;
