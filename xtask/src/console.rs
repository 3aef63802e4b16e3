//! The only place of the workshop that prints.

use crate::error::Error;

/// Prints one line of progress or result.
#[expect(clippy::print_stdout, reason = "a command-line tool talks to its user")]
pub(crate) fn say(line: &str) {
    println!("{line}");
}

/// Prints a failure.
#[expect(clippy::print_stderr, reason = "a command-line tool talks to its user")]
pub(crate) fn complain(err: &Error) {
    eprintln!("error: {err}");
}
