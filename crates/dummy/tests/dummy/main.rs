//! The dummy cloud, seen from outside.
#![expect(clippy::unwrap_used, reason = "these are tests, and so are their helpers")]

mod document;
mod edges;
mod faults;
mod file;
mod hints;

mod libcloud;
mod life;
mod options;
mod world;
