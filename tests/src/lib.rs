//! What the end-to-end tests and the crash runs share: daemons as processes, and a log of what clients saw.
//!
//! | module | what |
//! |---|---|
//! | [`command`] | one run of the binary, and what came out of it |
//! | [`daemon`] | a daemon as a process of its own: start, stop, `kill -9` |
//! | [`setup`] | the configuration of such a daemon |
//! | [`wait`] | waiting for a condition, with a deadline |
//! | [`crash`] | runs that kill the daemon again and again, and check what its clients saw |

pub mod command;
pub mod crash;
pub mod daemon;
pub mod setup;
pub mod wait;
