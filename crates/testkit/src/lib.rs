//! The suites that every driver and every store of vmpool must pass, and a layer that injects faults.

pub mod driver;
pub mod fault;
pub mod store;
