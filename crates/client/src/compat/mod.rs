//! The calls of older systems, for programs that are being moved to vmpool.

pub mod copr;
