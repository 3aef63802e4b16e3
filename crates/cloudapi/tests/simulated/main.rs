//! The client and the driver over the simulated CloudAPI, which answers as a real server was recorded to.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests may panic")]

mod bad_input;
mod client;
mod keys;
mod machine;
mod suite;
mod tls;
mod world;
