//! The life of a VM, one file for each part of it.

mod checking;
mod in_use;
mod ready;
mod spawning;
mod terminating;
