//! The simulated clouds against what the real ones were measured to do.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

mod lives;
mod matrix;
mod replays;
mod wire;
mod world;
