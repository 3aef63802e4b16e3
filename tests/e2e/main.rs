//! End-to-end tests: the binary `vmpool` as its users run it.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod access;
mod bad_input;
mod contrib;
mod crash;
mod demo;
mod full_disk;
mod import;
mod leases;
mod listing;
mod no_daemon;
mod nodes;
mod operate;
mod output;
mod records;
mod restart;
mod retire;
#[cfg(feature = "clouds")]
mod sims;
mod support;
#[cfg(feature = "otel")]
mod traces;
mod watch;
mod wishes;
