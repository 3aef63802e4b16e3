//! The suites that every driver and every store of vmpool must pass, and a layer that injects faults.

pub mod store;
