//! The suites that every driver and every store of vmpool must pass, and a layer that injects faults.
//!
//! | what | for |
//! |---|---|
//! | [`driver_suite!`] | one test per rule of the contract with a cloud, for any driver |
//! | [`store_suite!`] | one test per rule of the contract with a store, for any store |
//! | [`fault::FaultLayer`] | lost answers, refusals, partial and stale listings, for tests of what uses a driver |
//!
//! A suite is a list of functions that return how a rule is broken, so each can also be run alone.
//! Each rule for drivers is shown to catch a driver that breaks it.
//! The tests need neither a runtime nor a test runner of their own: they are plain `#[test]` functions.

pub mod driver;
pub mod fault;
pub mod store;
