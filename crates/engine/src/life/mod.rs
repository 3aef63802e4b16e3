//! The life of a VM, one file for each part of it.

mod checking;
mod expiry;
mod hooks;
mod in_use;
mod ready;
mod released;
mod spawning;
mod terminating;

pub(crate) use expiry::Expiry;
pub(crate) use in_use::is_of_checks;
