//! Runs that end the daemon again and again under load, in every way there is, and check what its clients saw.
//!
//! Clients acquire, renew and release, or abandon what they acquired, as a seed decides; every acknowledgment is written
//! down in a [`History`], outside of the daemon. The daemon is killed with `kill -9` at random moments and at each
//! durable step by its name, frozen, run out of disk, given another clock, rivals and damaged files, and started again on the
//! same files. The cloud, in a file of its own, loses some answers and refuses some requests all the while.

mod clients;
mod course;
mod damage;
mod history;
mod kind;
mod report;
mod round;
mod run;
mod small_disk;

pub use self::{
    damage::Damage,
    history::{Broken, Held, History, Millis, Violation},
    kind::Kind,
    report::Report,
    run::{Plan, run},
    small_disk::Disks,
};
