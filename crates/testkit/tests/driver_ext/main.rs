//! What callers of a driver get on top of it, tried on a driver that plays a script.
#![expect(clippy::unwrap_used, clippy::panic, reason = "these are tests, and so are their helpers")]

mod connect;
mod deploy;
mod door;
mod lookup;
mod script;
mod steps;
mod tries;
mod wait;
