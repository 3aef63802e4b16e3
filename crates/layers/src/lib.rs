//! What is put around a driver: a time limit, retries, traces.
//!
//! A driver makes one attempt per call and neither waits nor repeats; these layers do that for all drivers alike.
//! Every layer is itself a driver that forwards every method.
//!
//! | layer | what it adds |
//! |---|---|
//! | [`TimeoutLayer`] | each call ends within a limit |
//! | [`RetryLayer`] | a call that certainly had no effect is repeated after a growing pause |
//! | [`TracingLayer`] | each call is one span and one event: operation, outcome, duration |

mod backoff;
mod retry;
mod timeout;
mod tracing;

pub use crate::{retry::RetryLayer, timeout::TimeoutLayer, tracing::TracingLayer};
