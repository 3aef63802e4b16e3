//! A whole pool on the simulated OpenNebula, over its socket: the manager and the driver as they are in a daemon.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

mod expiry;
mod life;
mod world;
