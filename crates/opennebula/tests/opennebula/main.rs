//! The driver's crate against what a real server sent, recorded, and against servers in memory.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

mod bad_input;
mod calls;
mod cloud;
mod codec;
mod decoding;
mod driver;
mod dropped;
#[cfg(feature = "events")]
mod events;
mod fuzzed;
mod lost;
mod recordings;
mod records;
mod replays;
mod replies;
mod requests;
mod server;
mod suite;
mod tls;
mod windows;
