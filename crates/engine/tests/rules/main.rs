//! The documented rules of the engine, one test each.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod acquire;
mod backoff;
mod brake;
mod breaker;
mod check;
mod check_in_use;
mod check_mode;
mod clock;
mod clouds;
mod copr;
mod demand;
mod drain;
mod faults;
mod ids;
mod isolation;
mod lab;
mod lease;
mod life;
mod listing;
mod lost_answer;
mod missing;
mod offers;
mod orphan;
mod poison;
mod queue;
mod quota;
mod reconfigure;
mod restart;
mod spawn;
mod stock;
mod stranger;
mod terminate;
mod window;
