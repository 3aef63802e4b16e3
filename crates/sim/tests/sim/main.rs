//! The simulated clouds against what the real ones were measured to do.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

mod cloudapi;
mod hostile;
mod lives;
mod matrix;
mod replays;
mod rights;
mod wire;
mod world;
