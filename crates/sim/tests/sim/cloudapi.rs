//! The simulated CloudAPI.

mod compare;
mod faults;
mod lives;
mod replays;
mod signatures;
mod sockets;
mod world;
