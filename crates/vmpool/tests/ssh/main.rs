//! Deployments by the host's `ssh`, tried with a program that plays it, and with the real one.
#![expect(clippy::unwrap_used, reason = "these are tests, and so are their helpers")]

mod deploy;
mod fake;
mod login;
mod real;
mod shell;
