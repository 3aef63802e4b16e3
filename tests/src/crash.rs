//! Runs that kill the daemon again and again under load, and check what its clients saw.
//!
//! Clients acquire, renew and release, or abandon what they acquired, as a seed decides; every acknowledgment is written
//! down in a [`History`]. The daemon is killed with `kill -9` at random moments and started again on the same files.
//! The cloud, in a file of its own, loses some answers and refuses some requests all the while.

mod clients;
mod history;
mod report;
mod run;

pub use self::{
    history::{Held, History, Millis},
    report::Report,
    run::{Plan, run},
};
