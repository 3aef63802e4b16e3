//! The manager with a store in memory and a dummy cloud, in time that stands still unless somebody waits.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod batching;
mod chaos;
mod checks;
mod copr;
mod full;
mod goes_on;
mod handover;
mod hints;
mod hooks;
mod life;
mod look;
mod order;
mod providers;
mod reconfigure;
mod restart;
mod retire;
mod setup;
mod shown;
mod spy;
mod takeover;
mod trouble;
mod unreadable;
mod upgrade;
mod withdraw;
mod world;
