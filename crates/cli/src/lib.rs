//! The binary `vmpool`: daemon, client and demo.
//!
//! It is a library so that `main.rs` stays at five lines, and so that the end-to-end tests can build the same binary.
//! docs/cli.md lists the commands and the exit codes.

mod args;
mod child;
mod commands;
#[cfg(feature = "serve")]
mod demo;
mod failure;
mod output;
mod render;
mod runtime;
#[cfg(feature = "serve")]
mod serve;
mod signals;

use std::process::ExitCode;

use clap::Parser as _;
use vmpool_api::exit;

use crate::{args::Arguments, failure::Failure};

/// Reads the command line, carries the command out and returns its exit code, one of [`vmpool_api::exit`].
///
/// A failure is told on standard error as `error: …`, followed by `hint: …` if something can be done about it.
#[must_use]
pub fn main() -> ExitCode {
    match commands::run(Arguments::parse()) {
        Ok(code) => ExitCode::from(code),
        Err(Failure::OutputClosed) => ExitCode::from(exit::OK),
        Err(Failure::Told { message, hint, code }) => {
            output::complain(&format!("error: {message}"));
            if let Some(hint) = hint {
                output::complain(&format!("hint: {hint}"));
            }
            ExitCode::from(code)
        }
    }
}
