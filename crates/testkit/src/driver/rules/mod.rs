//! The rules that every driver keeps, one function each.
//!
//! A rule gets a [`DriverHarness`](super::DriverHarness) of its own and returns how the driver breaks it, if it does;
//! run one with [`check`](super::check), or all with [`driver_suite!`](crate::driver_suite).
//! A rule about something optional holds at once if the driver does not declare it.
//! Every rule fails, as its driver does, where a call fails that has to work.

pub mod capabilities;
pub mod create;
pub mod errors;
pub mod hints;
pub mod identity;
pub mod lifecycle;
pub mod listing;
pub mod power;
pub mod unknown;
