//! Cases of the tests of Copr's `VmManager`, by the same calls, over a daemon in front of the cloud in memory.

mod acquire;
mod look;
mod terminate;
mod world;
