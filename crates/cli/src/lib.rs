//! The binary `vmpool`: daemon, client and demo.
//!
//! It is a library so that `main.rs` stays at five lines, and so that the end-to-end tests can build the same binary.
//! docs/cli.md lists the commands and the exit codes.

mod args;
mod child;
mod commands;
mod connect;
#[cfg(feature = "serve")]
mod demo;
mod failure;
#[cfg(feature = "serve")]
mod finding;
#[cfg(feature = "serve")]
mod local;
mod output;
mod progress;
#[cfg(test)]
mod reference;
mod render;
mod runtime;
#[cfg(feature = "serve")]
mod serve;
mod signals;
#[cfg(feature = "sim")]
mod sim;
mod style;

use std::process::ExitCode;

use clap::{CommandFactory as _, FromArgMatches as _, error::ErrorKind, parser::ValueSource};
use vmpool_api::exit;

use crate::{args::Arguments, failure::Failure};

/// Reads the command line, carries the command out and returns its exit code, one of [`vmpool_api::exit`].
///
/// A failure is told on standard error as `error: …`, followed by `hint: …` if something can be done about it.
#[must_use]
pub fn main() -> ExitCode {
    let arguments = arguments();
    style::choose(arguments.global.color);
    match commands::run(arguments) {
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

/// Reads the command line; ends the process with the usage if it does not fit, as clap does.
fn arguments() -> Arguments {
    let mut command = Arguments::command();
    let matches = command.get_matches_mut();
    let arguments = Arguments::from_arg_matches(&matches).unwrap_or_else(|err| err.exit());
    // An option that would do nothing is refused: whoever typed it expects something of it.
    let is_typed = |option: &str| matches.value_source(option) == Some(ValueSource::CommandLine);
    if let Some((name, options)) = arguments.command.without_options()
        && let Some(option) = options.iter().find(|option| is_typed(option))
    {
        let message = format!("--{option} is for the commands that ask a daemon, `vmpool {name}` does not");
        command.error(ErrorKind::ArgumentConflict, message).exit();
    }
    arguments
}
