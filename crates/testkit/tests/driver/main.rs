//! The suite for drivers and the layer that injects faults, tried on the dummy cloud.

#![expect(clippy::unwrap_used, reason = "a test helper that cannot go on ends its test")]

mod broken;
mod clouds;
mod dummy;
mod faults;
mod flaw;
mod layered;
