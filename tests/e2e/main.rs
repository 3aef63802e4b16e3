//! End-to-end tests: the binary `vmpool` as its users run it.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod no_daemon;
mod output;
mod support;
