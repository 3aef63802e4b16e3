//! What each layer adds to a driver, shown with a driver that answers from a script.

#![expect(clippy::unwrap_used, reason = "a test helper that cannot go on ends its test")]

mod concurrency;
mod forwarding;
mod metrics;
mod order;
mod rate;
mod retry;
mod script;
mod timeout;
mod tracing;
